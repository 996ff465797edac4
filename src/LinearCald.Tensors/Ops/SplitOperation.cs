using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>A tensor cut into neighbouring parts.</summary>
public static class SplitOperation
{
    /// <summary>
    /// Consecutive parts of one dimension, as views. Together they have one gradient rule, which writes each element of the whole's gradient once; with
    /// <see cref="ViewOperation.Narrow"/> each part alone would clear or read the whole.
    /// </summary>
    /// <param name="x">What is cut.</param>
    /// <param name="dimension">Which dimension; negative ones count from the end.</param>
    /// <param name="lengths">Extents of the parts; they add up to the dimension.</param>
    /// <exception cref="CaldException">The lengths do not add up.</exception>
    public static Tensor[] Split(this Tensor x, int dimension, params ReadOnlySpan<int> lengths)
    {
        ArgumentNullException.ThrowIfNull(x);
        dimension = x.Shape.Resolve(dimension);
        Tensor[] parts = new Tensor[lengths.Length];
        int start = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            parts[i] = Part(x, dimension, start, x.Shape.With(dimension, lengths[i]));
            start += lengths[i];
        }

        if (start != x.Shape[dimension])
        {
            throw new CaldException($"Split: parts of {string.Join(" + ", lengths.ToArray())} are not the extent of dimension {dimension} of {x.Shape}");
        }

        if (Tape.Wants(x))
        {
            foreach (Tensor part in parts)
            {
                Tape.Attach(part, new Node(x, dimension, parts));
            }
        }

        return parts;
    }

    private static Tensor Part(Tensor x, int dimension, int start, in Shape shape) => x.View(shape, x.Strides, x.Offset + (start * x.Strides[dimension]));

    private sealed class Node(Tensor x, int dimension, Tensor[] parts) : TapeNode
    {
        // the parts' gradients side by side; 0 where a part had no use. All parts stand on the tape before everything that uses one of them, so the first
        // of these nodes to be reached finds every part's gradient complete and takes them all.
        public override void Backward(Tensor gradient)
        {
            Tensor target = Gradients.Target(x, out bool accumulate);
            int start = 0;
            foreach (Tensor part in parts)
            {
                Tensor place = Part(target, dimension, start, part.Shape);
                start += part.Shape[dimension];
                if (part.GradientSlot is { } slot)
                {
                    Write(slot, place, accumulate);
                    Gradients.Replace(part, null);
                }
                else if (!accumulate)
                {
                    target.Device.Backend.Fill(place, 0);
                }
            }
        }

        private static void Write(Tensor gradient, Tensor place, bool accumulate)
        {
            Backend backend = place.Device.Backend;
            if (!accumulate)
            {
                backend.Copy(gradient, place);
            }
            else if (place.IsContiguous)
            {
                backend.AddInPlace(place, gradient);
            }
            else
            {
                Tensor sum = Tensor.Allocate(place.Device, place.Type, place.Shape);
                backend.Copy(place, sum);
                backend.AddInPlace(sum, gradient);
                backend.Copy(sum, place);
            }
        }
    }
}
