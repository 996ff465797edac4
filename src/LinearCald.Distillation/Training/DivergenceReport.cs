using System.Globalization;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Training;

/// <summary>Where numbers first stopped being finite, found out after the fact: from a run of the forward and backward pass that went wrong.</summary>
/// <param name="Name">
/// The first such tensor on the way of the computation: a parameter (its value), <c>embeddings</c>, <c>layer 3</c> (the hidden states behind the third layer), the name
/// of a loss, or else a parameter (its gradient).
/// </param>
/// <param name="IsGradient">Whether it is the gradient of that parameter that is not finite; everything before it, on the way back from the loss, is.</param>
/// <param name="Layer">The number that the name contains, counted as there; −1 when there is none.</param>
/// <param name="NotNumbers">Elements that are NaN.</param>
/// <param name="Infinite">Elements that are infinite.</param>
/// <param name="Count">All elements.</param>
/// <param name="Gradients">How many parameters have a gradient that is not finite.</param>
public sealed record DivergenceReport(string Name, bool IsGradient, int Layer, long NotNumbers, long Infinite, long Count, int Gradients)
{
    /// <summary>Looks at parameters, then at what the forward pass computed, then at gradients in the order in which the backward pass takes them.</summary>
    /// <param name="parameters">All of the model, in order of construction, with the gradients of the run.</param>
    /// <param name="hiddenStates">[B, L, d] each, entry 0 the embeddings; null if the run did not keep them.</param>
    /// <param name="losses">Logits and losses by name, in the order in which they are computed; may be empty.</param>
    /// <returns>Null when everything is finite.</returns>
    public static DivergenceReport? Find(
        IEnumerable<(string Name, Parameter Parameter)> parameters, IReadOnlyList<Tensor>? hiddenStates, IEnumerable<(string Name, Tensor Value)> losses)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(losses);
        (string Name, Parameter Parameter)[] all = [.. parameters];
        (string Name, Tensor Value)[] broken = [.. all.Where(p => p.Parameter.Value.Gradient is { } g && !IsFinite(g)).Select(p => (p.Name, p.Parameter.Value.Gradient!))];
        foreach ((string name, Tensor value) in Forward(all, hiddenStates, losses))
        {
            if (!IsFinite(value))
            {
                return Of(name, value, isGradient: false, broken.Length);
            }
        }

        return broken.Length > 0 ? Of(broken[^1].Name, broken[^1].Value, isGradient: true, broken.Length) : null;
    }

    /// <summary>One sentence for the message that ends a run.</summary>
    public override string ToString()
    {
        string what = IsGradient ? $"the gradient of {Name}" : Name;
        string rest = Gradients == 0 ? "all gradients are finite" : $"{Gradients} {(Gradients == 1 ? "parameter has a gradient that is" : "parameters have gradients that are")} not finite";
        return string.Create(
            CultureInfo.InvariantCulture, $"the first tensor that is not finite is {what}: {NotNumbers:N0} NaN and {Infinite:N0} infinite values of {Count:N0}; {rest}");
    }

    private static IEnumerable<(string Name, Tensor Value)> Forward(
        (string Name, Parameter Parameter)[] parameters, IReadOnlyList<Tensor>? hiddenStates, IEnumerable<(string Name, Tensor Value)> losses)
    {
        foreach ((string name, Parameter parameter) in parameters)
        {
            yield return (name, parameter.Value);
        }

        for (int i = 0; i < (hiddenStates?.Count ?? 0); i++)
        {
            yield return (i == 0 ? "embeddings" : string.Create(CultureInfo.InvariantCulture, $"layer {i}"), hiddenStates![i]);
        }

        foreach ((string name, Tensor value) in losses)
        {
            yield return (name, value);
        }
    }

    private static DivergenceReport Of(string name, Tensor value, bool isGradient, int gradients)
    {
        using MemoryScope scope = MemoryScope.Begin();
        long notNumbers = 0, infinite = 0;
        foreach (double x in value.Detach().To(DType.Float64).ToArray<double>())
        {
            notNumbers += double.IsNaN(x) ? 1 : 0;
            infinite += double.IsInfinity(x) ? 1 : 0;
        }

        return new DivergenceReport(name, isGradient, LayerOf(name), notNumbers, infinite, value.Count, gradients);
    }

    /// <summary>Σ 0 · x on the device is 0, or NaN if an x is not finite: one number travels instead of the tensor.</summary>
    private static bool IsFinite(Tensor x)
    {
        using MemoryScope scope = MemoryScope.Begin();
        Tensor exact = x.Detach().To(x.Type == DType.Float64 ? DType.Float64 : DType.Float32).Contiguous();
        return double.IsFinite(exact.Affine(0).Sum().Item());
    }

    private static int LayerOf(string name)
    {
        foreach (string part in name.Split('.', ' '))
        {
            if (int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int layer))
            {
                return layer;
            }
        }

        return -1;
    }
}
