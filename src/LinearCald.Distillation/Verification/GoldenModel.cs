using LinearCald.Models;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Verification;

/// <summary>What the golden cases of all models compare.</summary>
internal static class GoldenModel
{
    private const string GradientPrefix = "grad.";

    /// <summary>Hidden states, logits and loss.</summary>
    /// <param name="fixture">What they should be.</param>
    /// <param name="output">Of a pass that kept the hidden states.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="meter">Takes the errors.</param>
    /// <param name="expectedState">Maps (layer, ours, the fixture's) to what a hidden state should be; null: to the fixture's.</param>
    public static void CompareOutputs(
        Fixture fixture, ModelOutput output, Tensor loss, ErrorMeter meter, Func<int, double[], double[], double[]>? expectedState = null)
    {
        for (int i = 0; i < output.HiddenStates!.Count; i++)
        {
            string name = $"hidden_states.{i}";
            double[] actual = Fixture.Values(output.HiddenStates[i]), expected = fixture.ExpectedValues(name);
            meter.Add(name, name, actual, expectedState?.Invoke(i, actual, expected) ?? expected);
        }

        meter.Add("logits", "logits", Fixture.Values(output.Logits), fixture.ExpectedValues("logits"));
        meter.Add("loss", "loss", Fixture.Values(loss), fixture.ExpectedValues("loss"));
    }

    /// <summary>The gradient of every parameter.</summary>
    /// <param name="fixture">What they should be.</param>
    /// <param name="parameters">The model's, by name.</param>
    /// <param name="scale">What the gradients are multiplied with.</param>
    /// <param name="meter">Takes the errors.</param>
    /// <param name="find">The parameter that the fixture means by a name; null: the one that has it.</param>
    /// <exception cref="CaldException">The fixture has a gradient that the model lacks, or the other way round.</exception>
    public static void CompareGradients(
        Fixture fixture, IReadOnlyDictionary<string, Tensor> parameters, double scale, ErrorMeter meter, Func<string, Tensor?>? find = null)
    {
        find ??= name => parameters.GetValueOrDefault(name);
        int compared = 0;
        foreach (string name in fixture.Expected.Entries.Select(e => e.Name).Where(n => n.StartsWith(GradientPrefix, StringComparison.Ordinal)))
        {
            Tensor parameter = find(name[GradientPrefix.Length..])
                ?? throw new CaldException($"{fixture.Folder}: expected.safetensors has {name}, but the model has no such parameter");
            Tensor gradient = parameter.Gradient ?? throw new CaldException($"{fixture.Folder}: no gradient reached {name[GradientPrefix.Length..]}");
            meter.Add(name, "grad", GoldenBackward.Values(gradient, scale), fixture.ExpectedValues(name));
            compared++;
        }

        if (compared != parameters.Count)
        {
            throw new CaldException($"{fixture.Folder}: expected.safetensors has {compared} gradients, the model {parameters.Count} parameters; the fixture is incomplete");
        }
    }
}
