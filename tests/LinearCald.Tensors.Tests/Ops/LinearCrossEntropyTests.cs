using FsCheck;
using FsCheck.Fluent;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Tests.Ops;

/// <summary>The loss of a head in chunks against the head's product and the cross-entropy of all its logits.</summary>
public sealed class LinearCrossEntropyTests
{
    private const int Ignore = -7;

    private static Device Cpu => Device.Parse("cpu");

    private static Arbitrary<Case> Cases() => (
        from rows in Gen.Choose(1, 23)
        from classes in Gen.Choose(1, 19)
        from features in Gen.Choose(1, 11)
        from chunk in Gen.Choose(1, 25)
        from ignored in Gen.Choose(0, 100)
        from reduction in Gen.Elements(Reduction.Mean, Reduction.Sum)
        from seed in Gen.Choose(1, 100_000)
        select new Case(rows, classes, features, chunk, ignored, reduction, (ulong)seed)).ToArbitrary();

    [Fact]
    public void Equals_the_loss_of_all_logits_at_once() => Prop.ForAll(Cases(), c =>
    {
        using MemoryScope scope = MemoryScope.Begin();
        Results expected = Run(c, (h, w, y) => h.Linear(w).CrossEntropy(y, Ignore, c.Reduction));
        Results actual = Run(c, (h, w, y) => LinearCrossEntropyOperation.LinearCrossEntropy(h, w, y, Ignore, c.Reduction, c.Chunk));
        AssertClose(expected.Loss, actual.Loss, c);
        AssertClose(expected.Hidden, actual.Hidden, c);
        AssertClose(expected.Weight, actual.Weight, c);
    }).Holds(100);

    [Fact]
    public void Gradients_are_those_of_central_differences() => Prop.ForAll(Cases(), c =>
    {
        using MemoryScope scope = MemoryScope.Begin();
        Tensor labels = Labels(c with { Ignored = 30 });
        double error = GradientCheck.WorstError(
            t => LinearCrossEntropyOperation.LinearCrossEntropy(t[0], t[1], labels, Ignore, Reduction.Sum, c.Chunk),
            GradientCheck.Random(c.Seed, c.Rows, c.Features), GradientCheck.Random(c.Seed + 1, c.Classes, c.Features));
        Assert.True(error <= 1e-6, $"error {error:G3} for {c}");
    }).Holds(15);

    [Fact]
    public void A_weight_that_is_used_elsewhere_too_gets_both_gradients()
    {
        using MemoryScope scope = MemoryScope.Begin();
        Tensor labels = Tensor.From(Cpu, new Shape(4), [0, 5, Ignore, 2]);
        Tensor ids = Tensor.From(Cpu, new Shape(4), [1, 0, 5, 5]);
        double error = GradientCheck.WorstError(
            t => LinearCrossEntropyOperation.LinearCrossEntropy(t[0].Embedding(ids).Apply(Activation.Tanh), t[0], labels, Ignore, Reduction.Mean, 3), GradientCheck.Random(3, 6, 5));
        Assert.True(error <= 1e-6, $"error {error:G3}");
    }

    [Fact]
    public void Rows_that_are_all_ignored_have_no_mean_and_no_gradient()
    {
        using MemoryScope scope = MemoryScope.Begin();
        Case c = new(5, 4, 3, 2, 100, Reduction.Mean, 1);
        Results mean = Run(c, (h, w, y) => h.LinearCrossEntropy(w, y, Ignore));
        Assert.Equal([double.NaN], mean.Loss);
        Assert.All(mean.Hidden.Concat(mean.Weight), g => Assert.Equal(0, g));
        Results sum = Run(c, (h, w, y) => h.LinearCrossEntropy(w, y, Ignore, Reduction.Sum));
        Assert.Equal([0.0], sum.Loss);
        Assert.All(sum.Hidden.Concat(sum.Weight), g => Assert.Equal(0, g));
        Results none = Run(c with { Rows = 0 }, (h, w, y) => h.LinearCrossEntropy(w, y, Ignore, Reduction.Sum));
        Assert.Equal([0.0], none.Loss);
        Assert.All(none.Weight, g => Assert.Equal(0, g));
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        using MemoryScope scope = MemoryScope.Begin();
        Tensor hidden = Tensor.Zeros(Cpu, DType.Float32, new Shape(2, 3)), weight = Tensor.Zeros(Cpu, DType.Float32, new Shape(4, 3));
        Tensor labels = Tensor.From(Cpu, new Shape(2), [1, 4]);
        Assert.Contains("label of row 1 is 4", Assert.Throws<CaldException>(() => hidden.LinearCrossEntropy(weight, labels)).Message);
        Assert.Contains("[2, 3] do not fit weight [4, 2]", Assert.Throws<CaldException>(() => hidden.LinearCrossEntropy(weight.Narrow(1, 0, 2), labels)).Message);
        Assert.Contains("Float64", Assert.Throws<CaldException>(() => hidden.LinearCrossEntropy(weight.To(DType.Float64), labels)).Message);
        Assert.Contains("labels must have shape [2]", Assert.Throws<CaldException>(() => hidden.LinearCrossEntropy(weight, labels.Narrow(0, 0, 1))).Message);
    }

    [Fact]
    public void Views_are_taken_as_they_are()
    {
        using MemoryScope scope = MemoryScope.Begin();
        Tensor labels = Tensor.From(Cpu, new Shape(4), [0, 1, 2, 0]);
        double error = GradientCheck.WorstError(
            t => t[0].Narrow(1, 1, 4).LinearCrossEntropy(t[1].Transpose(0, 1), labels), GradientCheck.Random(5, 4, 6), GradientCheck.Random(6, 4, 3));
        Assert.True(error <= 1e-6, $"error {error:G3}");
    }

    private static Tensor Labels(Case c)
    {
        Random random = new((int)c.Seed);
        int[] labels = new int[c.Rows];
        for (int i = 0; i < labels.Length; i++)
        {
            labels[i] = random.Next(100) < c.Ignored ? Ignore : random.Next(c.Classes);
        }

        return Tensor.From(Cpu, new Shape(c.Rows), labels);
    }

    private static Results Run(Case c, Func<Tensor, Tensor, Tensor, Tensor> loss)
    {
        Tensor hidden = GradientCheck.Random(c.Seed, c.Rows, c.Features), weight = GradientCheck.Random(c.Seed + 1, c.Classes, c.Features);
        hidden.RequiresGradient = weight.RequiresGradient = true;
        using Tape tape = Tape.Record();
        Tensor y = loss(hidden, weight, Labels(c));
        double[] value = y.ToArray<double>();
        tape.Backward(y, Tensor.Full(Cpu, DType.Float64, default, -0.75));
        return new Results(value, hidden.Gradient!.ToArray<double>(), weight.Gradient!.ToArray<double>());
    }

    private static void AssertClose(double[] expected, double[] actual, Case c)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(double.IsNaN(expected[i]) ? double.IsNaN(actual[i]) : Math.Abs(expected[i] - actual[i]) <= 1e-12 * (1 + Math.Abs(expected[i])), $"{actual[i]} instead of {expected[i]} for {c}");
        }
    }

    private sealed record Case(int Rows, int Classes, int Features, int Chunk, int Ignored, Reduction Reduction, ulong Seed);

    private sealed record Results(double[] Loss, double[] Hidden, double[] Weight);
}
