using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Group normalisation (Wu and He 2018) of sequences with channels last.</summary>
public static class GroupNormOperation
{
    /// <summary>(x − mean) / √(var + eps) · weight + bias, the statistics taken for each sample and group over all T rows and the group's C/groups channels.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="groups">Equal parts of the channels; with C of them every channel is normalised over time.</param>
    /// <param name="weight">[C] or null. Float32 where x has 16 bits; so is bias.</param>
    /// <param name="bias">[C] or null.</param>
    /// <param name="eps">Added to the population variance.</param>
    /// <returns>[B, T, C].</returns>
    /// <exception cref="CaldException">Shapes or types do not fit.</exception>
    public static Tensor GroupNorm(this Tensor x, int groups, Tensor? weight, Tensor? bias, double eps = 1e-5)
    {
        const string Name = "GroupNorm";
        ArgumentNullException.ThrowIfNull(x);
        Check.Float(Name, x);
        Check.Rank(Name, "x", x, 3);
        if (groups < 1 || x.Shape[2] % groups != 0)
        {
            throw new CaldException($"{Name}: the channels of {x.Shape} do not divide into {groups} groups");
        }

        Check.Parameter(Name, "weight", weight, x);
        Check.Parameter(Name, "bias", bias, x);
        x = x.Contiguous();
        weight = weight?.Contiguous();
        bias = bias?.Contiguous();
        Tensor y = Tensor.Allocate(x.Device, x.Type, x.Shape);
        Shape statistics = new(checked(x.Shape[0] * groups));
        Tensor mean = Tensor.Allocate(x.Device, x.Type.Statistics(), statistics);
        Tensor rstd = Tensor.Allocate(x.Device, x.Type.Statistics(), statistics);
        x.Device.Backend.GroupNorm(x, groups, weight, bias, eps, y, mean, rstd);
        return Tape.Wants(x, weight, bias) ? Tape.Attach(y, new Node(x, groups, weight, bias, mean, rstd)) : y;
    }

    private sealed class Node : TapeNode
    {
        private readonly Tensor _x;
        private readonly int _groups;
        private readonly Tensor? _weight;
        private readonly Tensor? _bias;
        private readonly Tensor _mean;
        private readonly Tensor _rstd;

        public Node(Tensor x, int groups, Tensor? weight, Tensor? bias, Tensor mean, Tensor rstd)
        {
            _x = Save(x);
            _groups = groups;
            _weight = SaveOptional(weight);
            _bias = bias;
            _mean = Save(mean);
            _rstd = Save(rstd);
        }

        // x̂ = (x − μ) r: dw = Σ g x̂, db = Σ g over samples and rows; dx = r (g w − mean(g w) − x̂ mean(g w x̂)), the means over the group
        public override void Backward(Tensor gradient)
        {
            bool accumulateW = false;
            bool accumulateB = false;
            Tensor? gw = _weight is { NeedsGradient: true } ? Gradients.Target(_weight, out accumulateW) : null;
            Tensor? gb = _bias is { NeedsGradient: true } ? Gradients.Target(_bias, out accumulateB) : null;
            InputGradient gx = Gradients.For(_x, strided: false);
            gradient.Device.Backend.GroupNormGradient(gradient, _x, _groups, _weight, _mean, _rstd, gx.Buffer, gw, accumulateW, gb, accumulateB);
            gx.Done();
        }
    }
}
