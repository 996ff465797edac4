using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>The sizes of a batch: logits [Batch, Frames, Classes], targets [Batch, Targets].</summary>
internal readonly record struct CtcShape(int Batch, int Frames, int Classes, int Targets, int Blank, bool ZeroInfinity);

/// <summary>The memory of a batch, contiguous.</summary>
internal readonly unsafe struct CtcData<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>[Batch, Frames, Classes].</summary>
    public required T* Logits { get; init; }

    /// <summary>[Batch, Targets].</summary>
    public required int* Targets { get; init; }

    /// <summary>[Batch].</summary>
    public required int* InputLengths { get; init; }

    /// <summary>[Batch].</summary>
    public required int* TargetLengths { get; init; }

    /// <summary>[Batch]; written.</summary>
    public required T* Losses { get; init; }

    /// <summary>[Batch, Frames, Classes]; written completely, or null if it is not wanted.</summary>
    public required T* Gradient { get; init; }

    /// <exception cref="CaldException">A length or a label is out of range.</exception>
    public void Check(in CtcShape shape)
    {
        for (int b = 0; b < shape.Batch; b++)
        {
            if ((uint)InputLengths[b] > (uint)shape.Frames)
            {
                throw new CaldException($"CtcLoss: row {b} has an input length of {InputLengths[b]}, but the logits have {shape.Frames} frames");
            }

            if ((uint)TargetLengths[b] > (uint)shape.Targets)
            {
                throw new CaldException($"CtcLoss: row {b} has a target length of {TargetLengths[b]}, but the targets have room for {shape.Targets}");
            }

            int* labels = Targets + ((long)b * shape.Targets);
            for (int k = 0; k < TargetLengths[b]; k++)
            {
                if ((uint)labels[k] >= (uint)shape.Classes || labels[k] == shape.Blank)
                {
                    throw new CaldException(
                        $"CtcLoss: label {k} of row {b} is {labels[k]}; it must be one of the classes 0 to {shape.Classes - 1} and not {shape.Blank}, the blank. " +
                        "Check that the vocabulary of the targets is that of the model.");
                }
            }
        }
    }
}
