using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Layer normalisation over the last dimension (Ba, Kiros and Hinton 2016), alone and behind a residual connection.</summary>
public static class LayerNormOperation
{
    /// <summary>(x − mean) / √(var + eps) · w + b, per row; x [..., d], w and b [d] or null.</summary>
    public static Tensor LayerNorm(this Tensor x, Tensor? w, Tensor? b, double eps = 1e-5)
    {
        ArgumentNullException.ThrowIfNull(x);
        Check.Float("LayerNorm", x);
        Check.Vector("LayerNorm", "weight", w, x.Shape.Last);
        Check.Vector("LayerNorm", "bias", b, x.Shape.Last);
        x = x.Contiguous();
        Tensor y = Tensor.Allocate(x.Device, x.Type, x.Shape);
        Tensor mean = RowStatistic(x);
        Tensor rstd = RowStatistic(x);
        x.Device.Backend.LayerNorm(x, w, b, eps, y, mean, rstd);
        return Tape.Wants(x, w, b) ? Tape.Attach(y, new Node(x, w, b, mean, rstd)) : y;
    }

    /// <summary>
    /// LN(x + dropout(h)) in one pass: the end of every sub-layer of a post-norm transformer. x and h [..., d].
    /// </summary>
    /// <param name="p">Dropout probability on h; 0 for none.</param>
    /// <param name="key">Names the dropout mask; unused when <paramref name="p"/> is 0.</param>
    public static Tensor ResidualLayerNorm(this Tensor x, Tensor h, Tensor w, Tensor b, double eps = 1e-5, double p = 0, RandomKey key = default)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(h);
        ArgumentNullException.ThrowIfNull(w);
        ArgumentNullException.ThrowIfNull(b);
        Check.Float("ResidualLayerNorm", x);
        Check.SameShape("ResidualLayerNorm", x, h);
        Check.Vector("ResidualLayerNorm", "weight", w, x.Shape.Last);
        Check.Vector("ResidualLayerNorm", "bias", b, x.Shape.Last);
        Check.Probability("ResidualLayerNorm", p);
        x = x.Contiguous();
        h = h.Contiguous();
        Tensor sum = Tensor.Allocate(x.Device, x.Type, x.Shape);
        Tensor y = Tensor.Allocate(x.Device, x.Type, x.Shape);
        Tensor mean = RowStatistic(x);
        Tensor rstd = RowStatistic(x);
        x.Device.Backend.ResidualLayerNorm(x, h, w, b, eps, p, key, sum, y, mean, rstd);
        return Tape.Wants(x, h, w) || Tape.Wants(b) ? Tape.Attach(y, new ResidualNode(x, h, w, b, sum, mean, rstd, p, key)) : y;
    }

    private static Tensor RowStatistic(Tensor x) => Tensor.Allocate(x.Device, x.Type.Statistics(), new Shape((int)x.Shape.Rows));

    // x̂ = (x − μ) r: dw = Σ g x̂, db = Σ g, dx = r (g w − mean(g w) − x̂ mean(g w x̂))
    private static Tensor? Propagate(Tensor gradient, Tensor x, Tensor? w, Tensor? b, Tensor mean, Tensor rstd, Tensor? gx)
    {
        bool accumulateW = false;
        bool accumulateB = false;
        Tensor? gw = w is { NeedsGradient: true } ? Gradients.Target(w, out accumulateW) : null;
        Tensor? gb = b is { NeedsGradient: true } ? Gradients.Target(b, out accumulateB) : null;
        gradient.Device.Backend.LayerNormGradient(gradient, x, w, mean, rstd, gx, gw, accumulateW, gb, accumulateB);
        return gx;
    }

    private sealed class Node : TapeNode
    {
        private readonly Tensor _x;
        private readonly Tensor? _w;
        private readonly Tensor? _b;
        private readonly Tensor _mean;
        private readonly Tensor _rstd;

        public Node(Tensor x, Tensor? w, Tensor? b, Tensor mean, Tensor rstd)
        {
            _x = Save(x);
            _w = SaveOptional(w);
            _b = b;
            _mean = Save(mean);
            _rstd = Save(rstd);
        }

        public override void Backward(Tensor gradient)
        {
            if (Propagate(gradient, _x, _w, _b, _mean, _rstd, _x.NeedsGradient ? Gradients.Buffer(_x) : null) is { } gx)
            {
                Gradients.Add(_x, gx);
            }
        }
    }

    private sealed class ResidualNode : TapeNode
    {
        private readonly Tensor _x;
        private readonly Tensor _h;
        private readonly Tensor _w;
        private readonly Tensor _b;
        private readonly Tensor _sum;
        private readonly Tensor _mean;
        private readonly Tensor _rstd;
        private readonly double _p;
        private readonly RandomKey _key;

        public ResidualNode(Tensor x, Tensor h, Tensor w, Tensor b, Tensor sum, Tensor mean, Tensor rstd, double p, RandomKey key)
        {
            _x = x;
            _h = h;
            _w = Save(w);
            _b = b;
            _sum = Save(sum);
            _mean = Save(mean);
            _rstd = Save(rstd);
            _p = p;
            _key = key;
        }

        // both x and h receive the gradient of the sum, h through the same dropout mask
        public override void Backward(Tensor gradient)
        {
            Tensor? gsum = _x.NeedsGradient || _h.NeedsGradient ? Tensor.Allocate(gradient.Device, gradient.Type, gradient.Shape) : null;
            Propagate(gradient, _sum, _w, _b, _mean, _rstd, gsum);
            if (gsum is null)
            {
                return;
            }

            if (_h.NeedsGradient)
            {
                Tensor gh = gsum;
                if (_p > 0)
                {
                    gh = Tensor.Allocate(gsum.Device, gsum.Type, gsum.Shape);
                    gsum.Device.Backend.Dropout(gsum, gh, _p, _key);
                }

                Gradients.Add(_h, gh);
            }

            Gradients.Add(_x, gsum);
        }
    }
}
