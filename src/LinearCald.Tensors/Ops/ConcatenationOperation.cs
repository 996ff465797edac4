using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Tensors side by side.</summary>
public static class ConcatenationOperation
{
    /// <summary>The parts one after another along a dimension; in all others they agree.</summary>
    /// <param name="parts">At least one.</param>
    /// <param name="dimension">Where they are joined; −1 for the last.</param>
    /// <exception cref="CaldException">Shapes or types do not fit.</exception>
    public static Tensor Concatenate(IReadOnlyList<Tensor> parts, int dimension)
    {
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentOutOfRangeException.ThrowIfZero(parts.Count, nameof(parts));
        Tensor first = parts[0];
        if (parts.Count == 1)
        {
            return first;
        }

        dimension = first.Shape.Resolve(dimension);
        int total = 0;
        bool recorded = false;
        foreach (Tensor part in parts)
        {
            Check.SameType("Concatenate", first, part);
            if (part.Shape.Rank != first.Shape.Rank || part.Shape.With(dimension, 0) != first.Shape.With(dimension, 0))
            {
                throw new CaldException($"Concatenate: {part.Shape} and {first.Shape} differ in more than dimension {dimension}");
            }

            total = checked(total + part.Shape[dimension]);
            recorded |= Tape.Wants(part);
        }

        Tensor y = Tensor.Allocate(first.Device, first.Type, first.Shape.With(dimension, total));
        int start = 0;
        foreach (Tensor part in parts)
        {
            y.Device.Backend.Copy(part, Part(y, dimension, start, part.Shape[dimension]));
            start += part.Shape[dimension];
        }

        return recorded ? Tape.Attach(y, new Node([.. parts], dimension)) : y;
    }

    private static Tensor Part(Tensor x, int dimension, int start, int length) =>
        x.View(x.Shape.With(dimension, length), x.Strides, x.Offset + (start * x.Strides[dimension]));

    private sealed class Node(Tensor[] parts, int dimension) : TapeNode
    {
        // each part gets its piece of the gradient
        public override void Backward(Tensor gradient)
        {
            int start = 0;
            foreach (Tensor part in parts)
            {
                int length = part.Shape[dimension];
                if (part.NeedsGradient)
                {
                    Tensor piece = Tensor.Allocate(part.Device, part.Type, part.Shape);
                    part.Device.Backend.Copy(Part(gradient, dimension, start, length), piece);
                    Gradients.Add(part, piece);
                }

                start += length;
            }
        }
    }
}
