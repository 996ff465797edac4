using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Rows and features of sequences [B, T, C] that are replaced, cleared or averaged: masks for SpecAugment (Park et al. 2019), padding, pooling.</summary>
public static class RowOperation
{
    /// <summary><paramref name="row"/> where <paramref name="mask"/> is not 0, else x.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="mask">int32 [B, T].</param>
    /// <param name="row">[C]; Float32 where x has 16 bits.</param>
    /// <returns>[B, T, C].</returns>
    /// <exception cref="CaldException">Shapes or types do not fit.</exception>
    public static Tensor ReplaceRows(this Tensor x, Tensor mask, Tensor row)
    {
        ArgumentNullException.ThrowIfNull(mask);
        ArgumentNullException.ThrowIfNull(row);
        Sequence("ReplaceRows", x);
        Integers("ReplaceRows", "mask", mask, new Shape(x.Shape[0], x.Shape[1]), x);
        Check.Parameter("ReplaceRows", "row", row, x);
        x = x.Contiguous();
        mask = mask.Contiguous();
        row = row.Contiguous();
        Tensor y = Tensor.Allocate(x.Device, x.Type, x.Shape);
        x.Device.Backend.ReplaceRows(x, mask, row, y);
        return Tape.Wants(x, row) ? Tape.Attach(y, new ReplaceNode(x, mask, row)) : y;
    }

    /// <summary>x with its rows from <paramref name="lengths"/>[b] on set to 0, whatever they hold; x itself without lengths.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="lengths">int32 [B], or null.</param>
    /// <returns>[B, T, C].</returns>
    /// <exception cref="CaldException">Shapes or types do not fit.</exception>
    public static Tensor MaskRows(this Tensor x, Tensor? lengths)
    {
        Sequence("MaskRows", x);
        if (lengths is null)
        {
            return x;
        }

        Integers("MaskRows", "lengths", lengths, new Shape(x.Shape[0]), x);
        x = x.Contiguous();
        lengths = lengths.Contiguous();
        Tensor y = Tensor.Allocate(x.Device, x.Type, x.Shape);
        x.Device.Backend.MaskRows(x, lengths, y);
        return Tape.Wants(x) ? Tape.Attach(y, new MaskNode(x, lengths, features: false)) : y;
    }

    /// <summary>x with the features of a sample set to 0 where <paramref name="mask"/> is not 0.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="mask">int32 [B, C].</param>
    /// <returns>[B, T, C].</returns>
    /// <exception cref="CaldException">Shapes or types do not fit.</exception>
    public static Tensor MaskFeatures(this Tensor x, Tensor mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        Sequence("MaskFeatures", x);
        Integers("MaskFeatures", "mask", mask, new Shape(x.Shape[0], x.Shape[2]), x);
        x = x.Contiguous();
        mask = mask.Contiguous();
        Tensor y = Tensor.Allocate(x.Device, x.Type, x.Shape);
        x.Device.Backend.MaskFeatures(x, mask, y);
        return Tape.Wants(x) ? Tape.Attach(y, new MaskNode(x, mask, features: true)) : y;
    }

    /// <summary>The mean of a sample's first <paramref name="lengths"/>[b] rows, or of all without lengths; 0 where there are none.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="lengths">int32 [B], or null.</param>
    /// <returns>[B, C].</returns>
    /// <exception cref="CaldException">Shapes or types do not fit.</exception>
    public static Tensor MeanRows(this Tensor x, Tensor? lengths)
    {
        Sequence("MeanRows", x);
        if (lengths is not null)
        {
            Integers("MeanRows", "lengths", lengths, new Shape(x.Shape[0]), x);
            lengths = lengths.Contiguous();
        }

        x = x.Contiguous();
        Tensor y = Tensor.Allocate(x.Device, x.Type, new Shape(x.Shape[0], x.Shape[2]));
        x.Device.Backend.MeanRows(x, lengths, y);
        return Tape.Wants(x) ? Tape.Attach(y, new MeanNode(x, lengths)) : y;
    }

    private static void Sequence(string name, Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        Check.Float(name, x);
        Check.Rank(name, "x", x, 3);
    }

    private static void Integers(string name, string argument, Tensor values, Shape expected, Tensor x)
    {
        Check.Int32(name, argument, values);
        if (values.Shape != expected)
        {
            throw new CaldException($"{name}: {argument} must have shape {expected} for x {x.Shape}, not {values.Shape}");
        }
    }

    private sealed class ReplaceNode : TapeNode
    {
        private readonly Tensor _x;
        private readonly Tensor _mask;
        private readonly Tensor _row;

        public ReplaceNode(Tensor x, Tensor mask, Tensor row)
        {
            _x = x;
            _mask = Save(mask);
            _row = row;
        }

        // y = m row + (1 − m) x: dx = (1 − m) gy, drow = Σ m gy
        public override void Backward(Tensor gradient)
        {
            bool accumulate = false;
            Tensor? grow = _row.NeedsGradient ? Gradients.Target(_row, out accumulate) : null;
            InputGradient gx = Gradients.For(_x, strided: false);
            gradient.Device.Backend.ReplaceRowsGradient(gradient, _mask, gx.Buffer, grow, accumulate);
            gx.Done();
        }
    }

    private sealed class MaskNode : TapeNode
    {
        private readonly Tensor _x;
        private readonly Tensor _where;
        private readonly bool _features;

        public MaskNode(Tensor x, Tensor where, bool features)
        {
            _x = x;
            _where = Save(where);
            _features = features;
        }

        // y = m x: dx = m gy
        public override void Backward(Tensor gradient)
        {
            InputGradient gx = Gradients.For(_x, strided: false);
            if (_features)
            {
                gradient.Device.Backend.MaskFeatures(gradient, _where, gx.Buffer!);
            }
            else
            {
                gradient.Device.Backend.MaskRows(gradient, _where, gx.Buffer!);
            }

            gx.Done();
        }
    }

    private sealed class MeanNode : TapeNode
    {
        private readonly Tensor _x;
        private readonly Tensor? _lengths;

        public MeanNode(Tensor x, Tensor? lengths)
        {
            _x = x;
            _lengths = SaveOptional(lengths);
        }

        // y = Σ x / n over the n valid rows: dx = gy / n there, 0 elsewhere
        public override void Backward(Tensor gradient)
        {
            InputGradient gx = Gradients.For(_x, strided: false);
            gradient.Device.Backend.MeanRowsGradient(gradient, _lengths, gx.Buffer!);
            gx.Done();
        }
    }
}
