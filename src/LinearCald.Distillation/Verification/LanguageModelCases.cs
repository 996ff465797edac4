using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Models;
using LinearCald.Models.Language;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Verification;

/// <summary>A golden causal language model: hidden states, logits, loss, the gradient of every parameter, and a greedy continuation token for token.</summary>
internal static class LanguageModelCases
{
    private const string GreedyPrefix = "greedy_from_first_";

    public static CaseResult Verify(Fixture fixture, Device device, Precision precision)
    {
        using LayeredLanguageModel model = LanguageModelFiles.Load(fixture.Folder, BuildContext.For(device, 0));
        ErrorMeter meter = new();
        CompareTraining(fixture, model, precision, meter);
        if (precision == Precision.Fp32)
        {
            // Rounded products may prefer another of two likely tokens: only full precision owes the same text.
            CompareContinuation(fixture, model, device, meter);
        }

        return meter.Result(fixture.Name, device.Name, precision.ModelBudget());
    }

    private static void CompareTraining(Fixture fixture, LayeredLanguageModel model, Precision precision, ErrorMeter meter)
    {
        using MemoryScope scope = MemoryScope.Begin();
        using Tape tape = Tape.Record();
        Tensor ids = fixture.Integer("input_ids", model.OutputWeight.Value.Device);
        ModelOutput output = model.Forward(new LanguageInput(ids), new ForwardContext { HiddenStates = true, ComputeType = precision.ComputeType() });
        Tensor loss = NextTokenLoss(output.Logits, ids);
        GoldenModel.CompareOutputs(fixture, output, loss, meter);
        double scale = GoldenBackward.Run(tape, loss, precision);
        Dictionary<string, Tensor> parameters = model.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter.Value);
        GoldenModel.CompareGradients(
            fixture, parameters, scale, meter, name => name == "lm_head.weight" ? model.OutputWeight.Value : parameters.GetValueOrDefault(name));
    }

    /// <summary>Position t predicts token t + 1, as transformers shifts labels: the mean over L − 1 positions of every text.</summary>
    private static Tensor NextTokenLoss(Tensor logits, Tensor ids)
    {
        int predicted = ids.Shape[1] - 1;
        Tensor labels = ids.Narrow(1, 1, predicted).Contiguous().Reshape(-1);
        return logits.Narrow(1, 0, predicted).Contiguous().Reshape(-1, logits.Shape.Last).CrossEntropy(labels);
    }

    /// <summary>The prompt in one pass, then token by token from the decoding state: the likeliest each time.</summary>
    private static void CompareContinuation(Fixture fixture, LayeredLanguageModel model, Device device, ErrorMeter meter)
    {
        string? name = fixture.Expected.Entries.Select(e => e.Name).FirstOrDefault(n => n.StartsWith(GreedyPrefix, StringComparison.Ordinal));
        if (name is null)
        {
            return;
        }

        int prompt = int.Parse(name[GreedyPrefix.Length..], System.Globalization.CultureInfo.InvariantCulture);
        int[] expected = new int[fixture.Expected.Entry(name).ElementCount];
        fixture.Expected.Read(name, expected);
        List<int> text = [.. fixture.Integers("input_ids").Take(prompt)];
        using DecodingState memory = model.NewDecodingState(1, expected.Length);
        int read = 0;
        while (text.Count < expected.Length)
        {
            using MemoryScope scope = MemoryScope.Begin();
            int[] next = [.. text.Skip(read)];
            read = text.Count;
            Tensor hidden = model.Encode(new LanguageInput(Tensor.From(device, new Shape(1, next.Length), next)), ForwardContext.Inference, null, memory);
            float[] logits = model.Logits(hidden.Narrow(1, next.Length - 1, 1)).ToArray<float>();
            text.Add(Array.IndexOf(logits, logits.Max()));
        }

        meter.Add(name, name, [.. text.Select(id => (double)id)], [.. expected.Select(id => (double)id)]);
    }
}
