using FsCheck;
using FsCheck.Fluent;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;
using LinearCald.Testing;

namespace LinearCald.Tensors.Tests.Ops;

/// <summary>Parts of a tensor: the elements, and one gradient for the whole whatever of it was used.</summary>
public sealed class SplitTests
{
    [Fact]
    public void PartsSideBySideAreTheWhole()
    {
        using MemoryScope scope = MemoryScope.Begin();
        Tensor x = GradientCheck.Random(3, 2, 7, 3);
        Tensor[] parts = x.Split(1, 4, 1, 2);
        Assert.Equal(x.Narrow(1, 0, 4).ToArray<double>(), parts[0].ToArray<double>());
        Assert.Equal(x.Narrow(1, 4, 1).ToArray<double>(), parts[1].ToArray<double>());
        Assert.Equal(x.Narrow(1, 5, 2).ToArray<double>(), parts[2].ToArray<double>());
    }

    [Fact]
    public void TheGradientIsThatOfEveryUse()
    {
        // Which parts are used, how often, and whether the whole has another use: every path of the rule, also where a gradient is already there.
        Prop.ForAll(
            Gen.Choose(-3, 2).ToArbitrary(),
            Gen.Choose(0, 3).ListOf(3).ToArbitrary(),
            Gen.Elements(0, 1, 2).ToArbitrary(),
            (dimension, uses, others) =>
            {
                using MemoryScope scope = MemoryScope.Begin();
                double error = GradientCheck.WorstError(
                    inputs =>
                    {
                        Tensor x = others == 2 ? inputs[0] : inputs[0].Apply(Activation.Tanh);
                        Tensor sum = x.Apply(Activation.Sigmoid).Affine(others == 0 ? 0 : 1).Reshape(-1).Sum();
                        Tensor[] parts = x.Split(dimension, 1, 3, 2);
                        for (int i = 0; i < parts.Length; i++)
                        {
                            for (int use = 0; use < uses.ElementAt(i); use++)
                            {
                                sum = sum.Add(parts[i].Apply(Activation.Square).Affine(1 + i + use).Sum());
                            }
                        }

                        return sum.Add(x.Apply(Activation.Silu).Sum());
                    },
                    GradientCheck.Random(5, 6, 6, 6));
                Assert.True(error < 1e-6, $"{error}");
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(15));
    }

    [Fact]
    public void PartsMustAddUp()
    {
        using MemoryScope scope = MemoryScope.Begin();
        Assert.Contains("parts of 2 + 3", Assert.Throws<CaldException>(() => GradientCheck.Random(1, 4, 6).Split(1, 2, 3)).Message, StringComparison.Ordinal);
    }
}
