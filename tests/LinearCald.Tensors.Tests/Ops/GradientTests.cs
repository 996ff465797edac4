using FsCheck;
using FsCheck.Fluent;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Tests.Ops;

/// <summary>Every operation's gradient against central differences in float64, over random shapes.</summary>
public sealed class GradientTests
{
    private const double Budget = 1e-6;

    /// <summary>Three extents from 1 to 6 and a seed.</summary>
    private static Arbitrary<(int A, int B, int C, ulong Seed)> Cases() => (
        from a in Gen.Choose(1, 5)
        from b in Gen.Choose(1, 6)
        from c in Gen.Choose(1, 6)
        from seed in Gen.Choose(1, 100_000)
        select (a, b, c, (ulong)seed)).ToArbitrary();

    private static void Check(Func<(int A, int B, int C, ulong Seed), double> worst, int runs = 25)
    {
        Prop.ForAll(Cases(), x =>
        {
            using MemoryScope scope = MemoryScope.Begin();
            double error = worst(x);
            Assert.True(error <= Budget, $"error {error:G3} for {x}");
        }).Holds(runs);
    }

    private static Tensor R(ulong seed, params ReadOnlySpan<int> shape) => GradientCheck.Random(seed, shape);

    private static Tensor Lengths(int batch, int length, ulong seed)
    {
        int[] lengths = new int[batch];
        for (int i = 0; i < batch; i++)
        {
            lengths[i] = 1 + (int)((seed + (ulong)(i * 7)) % (ulong)length);
        }

        return Tensor.From(Device.Parse("cpu"), new Shape(batch), lengths);
    }

    private static Tensor Ids(int count, int below, ulong seed)
    {
        int[] ids = new int[count];
        for (int i = 0; i < count; i++)
        {
            ids[i] = (int)((seed * 31 + (ulong)(i * i * 13)) % (ulong)below);
        }

        return Tensor.From(Device.Parse("cpu"), new Shape(count), ids);
    }

    [Fact]
    public void Concatenate() => Check(x =>
    {
        int dimension = (int)(x.Seed % 3);
        Shape wider = new Shape(x.A, x.B, x.C);
        wider = wider.With(dimension, wider[dimension] + 2);
        Tensor second = R(x.Seed + 1, wider.ToArray());
        Tensor joined = ConcatenationOperation.Concatenate([R(x.Seed, x.A, x.B, x.C), second], dimension);
        Assert.Equal(second.ToArray<double>(), joined.Narrow(dimension, wider[dimension] - 2, wider[dimension]).ToArray<double>());
        return GradientCheck.WorstError(t => ConcatenationOperation.Concatenate([t[0], t[1], t[0]], dimension), R(x.Seed, x.A, x.B, x.C), second);
    });

    [Theory]
    [InlineData(Activation.GeluErf)]
    [InlineData(Activation.GeluTanh)]
    [InlineData(Activation.Silu)]
    [InlineData(Activation.Tanh)]
    [InlineData(Activation.Sigmoid)]
    [InlineData(Activation.Exp)]
    [InlineData(Activation.Square)]
    [InlineData(Activation.Softplus)]
    public void Activations(Activation f) => Check(x => GradientCheck.WorstError(t => t[0].Apply(f), R(x.Seed, x.A, x.B)), 8);

    [Fact]
    public void LogAndSqrtOfPositiveNumbers() => Check(
        x => GradientCheck.WorstError(t => t[0].Apply(Activation.Square).Affine(1, 0.5).Apply(Activation.Log).Add(t[0].Apply(Activation.Exp).Apply(Activation.Sqrt)), R(x.Seed, x.A, x.B)), 8);

    [Fact]
    public void ArithmeticOfEqualShapes() => Check(x => GradientCheck.WorstError(
        t => t[0].Add(t[1]).Multiply(t[0]).Subtract(t[1]).Divide(t[1].Apply(Activation.Exp)), R(x.Seed, x.A, x.B), R(x.Seed + 1, x.A, x.B)));

    [Fact]
    public void ArithmeticWithARow() => Check(x => GradientCheck.WorstError(
        t => t[0].Add(t[1]).Multiply(t[1]).Subtract(t[1]).Divide(t[1].Apply(Activation.Exp)), R(x.Seed, x.A, x.B, x.C), R(x.Seed + 1, x.C)));

    [Fact]
    public void ArithmeticWithOneElement() => Check(x => GradientCheck.WorstError(
        t => t[0].Add(t[1]).Multiply(t[1]).Divide(t[1].Apply(Activation.Exp)), R(x.Seed, x.A, x.B), R(x.Seed + 1, 1)));

    [Fact]
    public void SumAndMean() => Check(x => GradientCheck.WorstError(t => t[0].Multiply(t[0]).Sum().Add(t[0].Mean()), R(x.Seed, x.A, x.B)));

    [Fact]
    public void Views() => Check(x => GradientCheck.WorstError(
        t => t[0].Transpose(0, 2).Narrow(0, 0, Math.Max(1, x.C - 1)).Reshape(-1).Multiply(t[0].Transpose(0, 2).Narrow(0, x.C - Math.Max(1, x.C - 1), Math.Max(1, x.C - 1)).Contiguous().Reshape(-1)),
        R(x.Seed, x.A, x.B, x.C)));

    [Fact]
    public void MatrixProducts() => Check(x =>
    {
        double worst = 0;
        for (int i = 0; i < 4; i++)
        {
            (bool ta, bool tb) = (i % 2 == 1, i / 2 == 1);
            Tensor a = ta ? R(x.Seed, x.B, x.A) : R(x.Seed, x.A, x.B);
            Tensor b = tb ? R(x.Seed + 1, x.C, x.B) : R(x.Seed + 1, x.B, x.C);
            worst = Math.Max(worst, GradientCheck.WorstError(t => t[0].MatMul(t[1], ta, tb), a, b));
        }

        return worst;
    });

    [Fact]
    public void StackedMatrixProducts() => Check(x => GradientCheck.WorstError(
        t => t[0].MatMul(t[1], false, true), R(x.Seed, 3, x.A, x.B), R(x.Seed + 1, 3, x.C, x.B)));

    [Fact]
    public void LinearMaps() => Check(x => GradientCheck.WorstError(
        t => t[0].Linear(t[1], t[2], Activation.GeluErf).Add(t[0].Linear(t[1], t[2], Activation.Tanh)).Add(t[0].Linear(t[1])),
        R(x.Seed, 2, x.A, x.B), R(x.Seed + 1, x.C, x.B), R(x.Seed + 2, x.C)));

    [Fact]
    public void Softmaxes() => Check(x => GradientCheck.WorstError(t => t[0].Softmax().Add(t[0].LogSoftmax()), R(x.Seed, x.A, x.C)));

    [Fact]
    public void LayerNorms() => Check(x => GradientCheck.WorstError(
        t => t[0].LayerNorm(t[1], t[2], 1e-2).Add(t[0].LayerNorm(null, null, 1e-2)), R(x.Seed, x.A, x.B, x.C), R(x.Seed + 1, x.C), R(x.Seed + 2, x.C)));

    [Fact]
    public void ResidualLayerNorms() => Check(x => GradientCheck.WorstError(
        t => t[0].ResidualLayerNorm(t[1], t[2], t[3], 1e-2).Add(t[0].ResidualLayerNorm(t[1], t[2], t[3], 1e-2, 0.3, new RandomKey(x.Seed, 5))),
        R(x.Seed, x.A, x.B, x.C), R(x.Seed + 1, x.A, x.B, x.C), R(x.Seed + 2, x.C), R(x.Seed + 3, x.C)));

    [Fact]
    public void Dropouts() => Check(x => GradientCheck.WorstError(t => t[0].Dropout(0.4, new RandomKey(x.Seed, 3)).Multiply(t[0]), R(x.Seed, x.A, x.B, x.C)));

    [Fact]
    public void Embeddings() => Check(x =>
    {
        Tensor ids = Ids(x.A * x.B, 4, x.Seed);
        return GradientCheck.WorstError(t => t[0].Embedding(ids).Multiply(t[0].Embedding(ids)), R(x.Seed, 4, x.C));
    });

    [Fact]
    public void CrossEntropies() => Check(x =>
    {
        Tensor labels = Ids(x.A, x.C, x.Seed);
        return Math.Max(
            GradientCheck.WorstError(t => t[0].CrossEntropy(labels), R(x.Seed, x.A, x.C)),
            GradientCheck.WorstError(t => t[0].CrossEntropy(labels, reduction: Reduction.Sum), R(x.Seed, x.A, x.C)));
    });

    [Fact]
    public void KlDivergences() => Check(x =>
    {
        Tensor teacher = R(x.Seed + 9, x.A, x.C);
        return GradientCheck.WorstError(t => t[0].KlDivergence(teacher, 2, 0.7), R(x.Seed, x.A, x.C));
    });

    [Fact]
    public void LayerLosses() => Check(x =>
    {
        Tensor teacher = R(x.Seed + 9, x.A, x.B, x.C + 3);
        Tensor lengths = Lengths(x.A, x.B, x.Seed);
        double worst = 0;
        foreach (bool normalise in (ReadOnlySpan<bool>)[false, true])
        {
            worst = Math.Max(worst, GradientCheck.WorstError(t => t[0].LayerLoss(teacher, lengths, normalise, 0.3), R(x.Seed, x.A, x.B, x.C + 3)));
            worst = Math.Max(worst, GradientCheck.WorstError(t => t[0].LayerLoss(teacher, null, normalise, 0.3), R(x.Seed, x.A, x.B, x.C + 3)));
        }

        return worst;
    });

    [Fact]
    public void Attentions() => Check(x =>
    {
        Tensor lengths = Lengths(x.A, x.B, x.Seed);
        AttentionOptions plain = new(2, Causal: false, 0.6);
        AttentionOptions causal = new(2, Causal: true, 0.6, 0.2, new RandomKey(x.Seed, 1));
        return GradientCheck.WorstError(
            t => t[0].Attention(t[1], t[2], lengths, plain).Add(t[0].Attention(t[1], t[2], null, causal)),
            R(x.Seed, x.A, x.B, 2 * x.C), R(x.Seed + 1, x.A, x.B, 2 * x.C), R(x.Seed + 2, x.A, x.B, 2 * x.C));
    }, 12);

    [Fact]
    public void LinformerAttentions() => Check(x =>
    {
        Tensor lengths = Lengths(x.A, x.B, x.Seed);
        AttentionOptions options = new(2, Causal: false, 0.6, 0.2, new RandomKey(x.Seed, 1));
        return GradientCheck.WorstError(
            t => t[0].LinformerAttention(t[1], t[2], t[3], t[4], lengths, options).Add(t[0].LinformerAttention(t[1], t[2], t[3], t[3], null, options)),
            R(x.Seed, x.A, x.B, 2 * x.C), R(x.Seed + 1, x.A, x.B, 2 * x.C), R(x.Seed + 2, x.A, x.B, 2 * x.C), R(x.Seed + 3, 7, 3), R(x.Seed + 4, 7, 3));
    }, 12);

    [Fact]
    public void CausalConvolutions() => Check(x =>
    {
        Tensor lengths = Lengths(x.A, x.B, x.Seed);
        Tensor sequences = Ids(x.A * x.B, 2, x.Seed).Reshape(x.A, x.B);
        int taps = 1 + (int)(x.Seed % 8);
        return GradientCheck.WorstError(
            t => t[0].Narrow(2, 1, x.C).CausalConv1d(t[1], t[2], Activation.Silu, sequences).Add(t[0].Narrow(2, 0, x.C).CausalConv1d(t[1], null, Activation.None, null, lengths))
                .Add(t[0].Narrow(2, 1, x.C).CausalConv1d(t[1], t[2], Activation.Silu, sequences, lengths, null, reverse: true)),
            R(x.Seed, x.A, x.B, x.C + 1), R(x.Seed + 1, x.C, 1, taps), R(x.Seed + 2, x.C));
    });

    [Fact]
    public void Convolutions() => Check(x =>
    {
        int groups = 1 + (int)(x.Seed % 3), taps = 1 + (int)(x.Seed % 7), stride = 1 + (int)(x.Seed % 4), padding = (int)(x.Seed % 5);
        Activation f = (Activation)(x.Seed % 7); // none, fused ones, and one that is not
        return GradientCheck.WorstError(
            t => t[0].Conv1d(t[1], t[2], stride, padding, groups, f).Add(t[0].Conv1d(t[1], null, stride, padding, groups)),
            R(x.Seed, x.A, x.B + taps, x.C * groups), R(x.Seed + 1, 2 * groups, x.C, taps), R(x.Seed + 2, 2 * groups));
    });

    [Fact]
    public void NormalisedWeights() => Check(x => GradientCheck.WorstError(
        t => t[2].Conv1d(t[0].WeightNorm(t[1]), null, 1, x.B), R(x.Seed, 3, x.A, x.B), R(x.Seed + 1, 1, 1, x.B), R(x.Seed + 2, 1, 4, x.A)));

    [Fact]
    public void GroupNorms() => Check(x => GradientCheck.WorstError(
        t => t[0].GroupNorm(x.C, t[1], t[2], 0.1).Multiply(t[0].GroupNorm(1, null, null, 0.1)), R(x.Seed, x.A, x.B, 2 * x.C), R(x.Seed + 1, 2 * x.C), R(x.Seed + 2, 2 * x.C)));

    [Fact]
    public void RowsReplacedMaskedAndAveraged() => Check(x =>
    {
        Tensor lengths = Lengths(x.A, x.B, x.Seed), rows = Ids(x.A * x.B, 2, x.Seed).Reshape(x.A, x.B), features = Ids(x.A * x.C, 2, x.Seed + 1).Reshape(x.A, x.C);
        return GradientCheck.WorstError(
            t => t[0].ReplaceRows(rows, t[1]).MaskFeatures(features).MaskRows(lengths).Add(t[0].MaskRows(null).Multiply(t[0])).MeanRows(x.Seed % 2 == 0 ? lengths : null),
            R(x.Seed, x.A, x.B, x.C), R(x.Seed + 1, x.C));
    });

    [Fact]
    public void RmsNorms() => Check(x =>
    {
        int width = 2 * x.C;
        return GradientCheck.WorstError(
            t => t[0].Narrow(2, 0, width).RmsNorm(t[1], 1e-2).Add(t[0].Narrow(2, width, width).GatedRmsNorm(t[0].Narrow(2, 1, width), t[1], 1e-2, 2)),
            R(x.Seed, x.A, x.B, 2 * width), R(x.Seed + 1, width));
    });

    [Fact]
    public void PartsOfOneTensor() => Check(x =>
    {
        // parts that cover it, overlap, leave gaps, along two dimensions, through reshapes and copies
        int width = x.C + 2;
        return GradientCheck.WorstError(
            t =>
            {
                Tensor whole = t[0].Multiply(t[0]);
                Tensor left = whole.Narrow(2, 0, 2).RmsNorm(t[1], 1e-2);
                Tensor right = whole.Narrow(2, x.C, 2).CausalConv1d(t[2], null, Activation.Silu);
                Tensor first = whole.Narrow(0, 0, 1).Reshape(x.B, width).Apply(Activation.Tanh).Sum();
                Tensor middle = whole.Narrow(2, 1, x.C).Contiguous().Apply(Activation.Silu).Sum();
                Tensor sum = left.Add(right).Sum().Add(middle);
                return x.Seed % 3 == 0 ? sum.Add(first) : x.Seed % 3 == 1 ? sum.Add(whole.Sum()) : sum;
            },
            R(x.Seed, x.A, x.B, width), R(x.Seed + 1, 2), R(x.Seed + 2, 2, 1, 3));
    });

    [Fact]
    public void Rotations() => Check(x => GradientCheck.WorstError(
        t => t[0].SplitHeadsRotary(2, 2 * (x.C / 2), 100, (int)(x.Seed % 50)).Multiply(t[1]), R(x.Seed, x.A, x.B, 2 * 3 * x.C), R(x.Seed + 1, 3, x.A, x.B, 2 * x.C)), 12);

    [Fact]
    public void ChangesOfType() => Check(x => GradientCheck.WorstError(t => t[0].Multiply(t[0]).To(DType.Float64), R(x.Seed, x.A, x.B)), 5);
}
