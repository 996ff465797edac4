using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Nn;

/// <summary>A trainable tensor of a module. Its full name, as in HuggingFace's state dict, is the path of module names to it.</summary>
public sealed class Parameter
{
    internal Parameter(Tensor value)
    {
        Value = value;
        value.RequiresGradient = true;
    }

    /// <summary>The values; they live until the module is disposed of.</summary>
    public Tensor Value { get; }

    /// <summary>The values as a part of a network with a gradient scale uses them; the values themselves without one.</summary>
    /// <param name="scale">The part's, or null.</param>
    public Tensor In(GradientScale? scale) => scale?.Parameter(Value) ?? Value;

    /// <summary>Whether a gradient has reached it since the last <see cref="Module.ClearGradients"/>. Set it after recorded work that brings one.</summary>
    public bool HasGradient
    {
        get => Value.HasGradient;
        set => Value.HasGradient = value && Value.GradientBuffer is not null;
    }

    /// <summary>False while the parameter is frozen: it then gets no gradient and no update.</summary>
    public bool Trainable
    {
        get => Value.RequiresGradient;
        set => Value.RequiresGradient = value;
    }
}
