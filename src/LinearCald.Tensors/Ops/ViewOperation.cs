using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Other views of the same elements, and copies of views.</summary>
public static class ViewOperation
{
    /// <summary>The same tensor if its elements lie in order, otherwise a copy that does.</summary>
    public static Tensor Contiguous(this Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.IsContiguous)
        {
            return x;
        }

        Tensor y = Tensor.Allocate(x.Device, x.Type, x.Shape);
        x.Device.Backend.Copy(x, y);
        return Tape.Wants(x) ? Tape.Attach(y, new CopyNode(x)) : y;
    }

    /// <summary>Converts the element type; the gradient is converted back.</summary>
    public static Tensor To(this Tensor x, DType type)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Type == type)
        {
            return x;
        }

        Tensor y = Tensor.Allocate(x.Device, type, x.Shape);
        x.Device.Backend.Copy(x, y);
        return type.IsFloat() && Tape.Wants(x) ? Tape.Attach(y, new CopyNode(x)) : y;
    }

    /// <summary>Another shape of the same number of elements. One extent may be −1: it takes what is left.</summary>
    public static Tensor Reshape(this Tensor x, params ReadOnlySpan<int> extents)
    {
        ArgumentNullException.ThrowIfNull(x);
        Span<int> resolved = stackalloc int[extents.Length];
        extents.CopyTo(resolved);
        int open = resolved.IndexOf(-1);
        if (open >= 0)
        {
            long known = 1;
            for (int i = 0; i < resolved.Length; i++)
            {
                known *= i == open ? 1 : resolved[i];
            }

            resolved[open] = known == 0 ? 0 : (int)(x.Count / known);
        }

        return x.Reshape(new Shape(resolved));
    }

    /// <summary>Another shape of the same number of elements.</summary>
    /// <exception cref="CaldException">The counts differ.</exception>
    public static Tensor Reshape(this Tensor x, Shape shape)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (shape == x.Shape)
        {
            return x;
        }

        if (shape.Count != x.Count)
        {
            throw new CaldException($"Reshape: {x.Shape} has {x.Count} elements, {shape} has {shape.Count}");
        }

        x = x.Contiguous();
        Tensor y = x.View(shape, Strides.Contiguous(shape), x.Offset);
        return Tape.Wants(x) ? Tape.Attach(y, new ReshapeNode(x)) : y;
    }

    /// <summary>Exchanges two dimensions; no elements move.</summary>
    public static Tensor Transpose(this Tensor x, int a, int b)
    {
        ArgumentNullException.ThrowIfNull(x);
        a = x.Shape.Resolve(a);
        b = x.Shape.Resolve(b);
        Tensor y = Exchanged(x, a, b);
        return Tape.Wants(x) ? Tape.Attach(y, new TransposeNode(x, a, b)) : y;
    }

    /// <summary>Elements start … start + length − 1 of one dimension, as a view.</summary>
    /// <exception cref="CaldException">The range is outside the dimension.</exception>
    public static Tensor Narrow(this Tensor x, int dimension, int start, int length)
    {
        ArgumentNullException.ThrowIfNull(x);
        dimension = x.Shape.Resolve(dimension);
        if (start < 0 || length < 0 || start + length > x.Shape[dimension])
        {
            throw new CaldException($"Narrow: {start}..{start + length} is outside dimension {dimension} of {x.Shape}");
        }

        Tensor y = x.View(x.Shape.With(dimension, length), x.Strides, x.Offset + (start * x.Strides[dimension]));
        return Tape.Wants(x) ? Tape.Attach(y, new NarrowNode(x, dimension, start, length)) : y;
    }

    private static Tensor Exchanged(Tensor x, int a, int b)
    {
        Strides strides = x.Strides;
        (strides[a], strides[b]) = (strides[b], strides[a]);
        Shape shape = x.Shape.With(a, x.Shape[b]).With(b, x.Shape[a]);
        return x.View(shape, strides, x.Offset);
    }

    private sealed class CopyNode(Tensor x) : TapeNode
    {
        public override void Backward(Tensor gradient)
        {
            if (gradient.Type == x.Type)
            {
                Gradients.Add(x, gradient);
                return;
            }

            Tensor gx = Tensor.Allocate(x.Device, x.Type, x.Shape);
            x.Device.Backend.Copy(gradient, gx);
            Gradients.Add(x, gx);
        }

        public override Tensor? InputPlace(bool strided) => Output.Type == x.Type ? Gradients.Place(x, strided) : null;
    }

    private sealed class ReshapeNode(Tensor x) : TapeNode
    {
        public override void Backward(Tensor gradient) =>
            Gradients.Add(x, gradient.View(x.Shape, Strides.Contiguous(x.Shape), gradient.Offset));

        public override Tensor? InputPlace(bool strided) =>
            Gradients.Place(x, strided: false) is { } place ? place.View(Output.Shape, Strides.Contiguous(Output.Shape), place.Offset) : null;
    }

    private sealed class TransposeNode(Tensor x, int a, int b) : TapeNode
    {
        public override void Backward(Tensor gradient) => Gradients.Add(x, Exchanged(gradient, a, b));
    }

    private sealed class NarrowNode(Tensor x, int dimension, int start, int length) : TapeNode
    {
        // the rest of x has derivative 0
        public override void Backward(Tensor gradient)
        {
            Backend backend = gradient.Device.Backend;
            Tensor part = Gradients.Part(x, dimension, start, length, out bool accumulate);
            if (accumulate)
            {
                backend.AddInPlace(InRuns(part), gradient);
            }
            else
            {
                backend.Copy(gradient, part);
            }
        }

        public override Tensor? InputPlace(bool strided) => Gradients.PlaceOfPart(x, dimension, start, length, strided);

        // a part of one dimension of a contiguous buffer: [what is outside, the run inside] at one pitch
        private Tensor InRuns(Tensor part)
        {
            int outside = 1;
            for (int i = 0; i < dimension; i++)
            {
                outside *= part.Shape[i];
            }

            Shape shape = new(outside, checked((int)(part.Count / Math.Max(1, outside))));
            Strides strides = Strides.Contiguous(shape);
            strides[0] = part.Strides[dimension] * x.Shape[dimension];
            return part.View(shape, strides, part.Offset);
        }
    }
}
