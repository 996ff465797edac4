using FsCheck;
using FsCheck.Fluent;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Tests.Cpu;

[Collection("CPU kernels")]
public unsafe class LabelScoreTests
{
    [Fact]
    public void Scores_agree_with_the_reference()
    {
        ForAllBatches<float>(2e-6);
        ForAllBatches<double>(1e-13);
    }

    [Fact]
    public void The_first_of_equal_logits_is_the_best()
    {
        using KernelBuffer<float> x = new([1, 3, 3, 2, 0, 0, 0, 0, float.NegativeInfinity, -5, -5, float.NegativeInfinity]), likelihoods = new(3);
        using KernelBuffer<int> labels = new([1, 3, 0]), best = new(3);
        LabelScoreKernel.Forward<float>(x, labels, 3, 4, likelihoods, best);
        Assert.Equal([1, 0, 1], best.ToArray());
        Assert.Equal(-Math.Log(4), likelihoods.Span[1], 1e-6);
        Assert.Equal(float.NegativeInfinity, likelihoods.Span[2]);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(-100)]
    public void A_label_outside_the_classes_is_named(int label)
    {
        using Tensor logits = Tensor.Zeros(CpuDevice.Instance, DType.Float32, new Shape(3, 4));
        using Tensor labels = Tensor.From(CpuDevice.Instance, new Shape(3), [0, 3, label]);
        Assert.Contains($"the label of row 2 is {label}", Assert.Throws<CaldException>(() => logits.LabelScores(labels)).Message, StringComparison.Ordinal);
    }

    private static void ForAllBatches<T>(double budget)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        Arbitrary<(int Rows, int Classes, int Seed)> shapes = (from rows in Gen.Choose(1, 40)
                                                               from classes in Gen.Elements(1, 2, 7, 16, 33, 1000)
                                                               from seed in Gen.Choose(0, 1 << 20)
                                                               select (rows, classes, seed)).ToArbitrary();
        Prop.ForAll(shapes, shape =>
        {
            (int rows, int classes, int seed) = shape;
            Random random = new(seed);
            using KernelBuffer<T> x = new(KernelData.Normal<T>(rows * classes, seed, 3)), likelihoods = new(rows);
            using KernelBuffer<int> labels = new([.. Enumerable.Range(0, rows).Select(_ => random.Next(classes))]), best = new(rows), expectedBest = new(rows);
            using KernelBuffer<double> expected = new(rows);
            LabelScoreKernel.Forward<T>(x, labels, rows, classes, likelihoods, best);
            LabelScoreReference.Forward<T>(x, labels, rows, classes, expected, expectedBest);
            Assert.Equal(expectedBest.ToArray(), best.ToArray());
            for (int i = 0; i < rows; i++)
            {
                Assert.Equal(expected.Span[i], double.CreateTruncating(likelihoods.Span[i]), budget * Math.Max(1, Math.Abs(expected.Span[i])));
            }
        }).Holds();
    }
}
