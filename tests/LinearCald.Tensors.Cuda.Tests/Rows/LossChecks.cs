using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Cuda.Tests.Elementwise;

namespace LinearCald.Tensors.Cuda.Tests.Rows;

/// <summary>Loss kernels against the plain twins of the CPU, on any device.</summary>
internal static unsafe class LossChecks
{
    private const int Ignore = -100;

    public static void CrossEntropy(Accelerator accelerator, int cases, int columns) =>
        Properties.Check(cases, Prop.ForAll(RowCase.UpTo(columns), c =>
        {
            double[] x = c.Normal(1, 3);
            Random random = new(c.Seed);
            int[] classes = [.. Enumerable.Range(0, c.Rows).Select(r => r > 0 && random.Next(4) == 0 ? Ignore : random.Next(c.Columns))];
            bool mean = c.Seed % 2 == 0;
            using DeviceArray logits = c.Put(accelerator, x);
            using DeviceArray labels = DeviceArray.Of<int>(accelerator, DType.Int32, classes);
            using DeviceArray loss = new(accelerator, DType.Float32, 1);
            using DeviceArray lse = new(accelerator, DType.Float32, c.Rows);
            Cuda.Kernels.CrossEntropy.Forward(accelerator, c.Type, logits.Address, labels.Address, Ignore, mean, loss.Address, lse.Address, c.Rows, c.Columns);
            fixed (double* p = x)
            fixed (int* l = classes)
            {
                double expected = CrossEntropyReference.Forward(p, l, c.Rows, c.Columns, Ignore, mean);
                Assert.Equal(expected, loss.Read()[0], 3e-6 * Math.Max(1, Math.Abs(expected)));
                using DeviceArray gloss = DeviceArray.Of(accelerator, DType.Float32, [0.75]);
                if (c.Type == DType.Float32 && c.Columns > 1)
                {
                    Rounded(accelerator, c, logits, labels, mean, lse, gloss, CrossEntropyReference.Gradient(p, l, c.Rows, c.Columns, Ignore, mean, 0.75));
                }

                Cuda.Kernels.CrossEntropy.Backward(
                    accelerator, c.Type, logits.Address, labels.Address, Ignore, mean, lse.Address, gloss.Address, logits.Address, c.Rows, c.Columns);
                double[] gradient = CrossEntropyReference.Gradient(p, l, c.Rows, c.Columns, Ignore, mean, 0.75);
                if (c.Columns > 1)
                {
                    c.Close(gradient, logits.Read(), 10);
                }
            }
        }));

    private static void Rounded(
        Accelerator accelerator, RowCase c, DeviceArray logits, DeviceArray labels, bool mean, DeviceArray lse, DeviceArray gloss, double[] expected)
    {
        foreach (DType type in (DType[])[DType.BFloat16, DType.Float16])
        {
            RowCase rounded = c with { Type = type };
            using DeviceArray gradient = rounded.Result(accelerator);
            Cuda.Kernels.CrossEntropy.BackwardRounded(
                accelerator, type, logits.Address, labels.Address, Ignore, mean, lse.Address, gloss.Address, gradient.Address, c.Rows, c.Columns);
            rounded.Close(expected, gradient.Read());
        }
    }

    public static void LabelScores(Accelerator accelerator, int cases, int columns) =>
        Properties.Check(cases, Prop.ForAll(RowCase.UpTo(columns), c =>
        {
            // Few different values, so that several elements share the maximum.
            double[] x = Array.ConvertAll(c.Normal(1, 3), v => c.Seed % 2 == 0 ? Math.Round(v) : v);
            Random random = new(c.Seed);
            int[] classes = [.. Enumerable.Range(0, c.Rows).Select(_ => random.Next(c.Columns))];
            using DeviceArray logits = c.Put(accelerator, x);
            using DeviceArray labels = DeviceArray.Of<int>(accelerator, DType.Int32, classes);
            using DeviceArray likelihoods = new(accelerator, DType.Float32, c.Rows);
            using DeviceArray best = new(accelerator, DType.Int32, c.Rows);
            Cuda.Kernels.LabelScores.Forward(accelerator, c.Type, logits.Address, labels.Address, likelihoods.Address, best.Address, c.Rows, c.Columns);
            double[] expected = new double[c.Rows];
            int[] expectedBest = new int[c.Rows];
            fixed (double* p = x, e = expected)
            fixed (int* l = classes, b = expectedBest)
            {
                LabelScoreReference.Forward(p, l, c.Rows, c.Columns, e, b);
            }

            Assert.Equal(expectedBest, best.ToArray<int>());
            Assert.All(expected.Zip(likelihoods.Read()), pair => Assert.Equal(pair.First, pair.Second, 3e-6 * Math.Max(1, Math.Abs(pair.First))));
        }));

    public static void KlDivergence(Accelerator accelerator, int cases, int columns) =>
        Properties.Check(cases, Prop.ForAll(RowCase.UpTo(columns), c =>
        {
            double[] s = c.Normal(1, 2);
            double[] t = c.Normal(2, 2);
            if (c.Columns > 2)
            {
                // A class that cannot be, for the teacher or for both.
                t[1] = double.NegativeInfinity;
                s[1] = c.Seed % 2 == 0 ? double.NegativeInfinity : s[1];
            }

            double temperature = 1 + (c.Seed % 3);
            using DeviceArray student = c.Put(accelerator, s);
            using DeviceArray teacher = c.Put(accelerator, t);
            using DeviceArray loss = new(accelerator, DType.Float32, 1);
            using DeviceArray gloss = DeviceArray.Of(accelerator, DType.Float32, [1.5]);
            Cuda.Kernels.KlDivergence.Forward(accelerator, c.Type, student.Address, teacher.Address, temperature, 0.5, loss.Address, c.Rows, c.Columns);
            Cuda.Kernels.KlDivergence.Backward(accelerator, c.Type, student.Address, teacher.Address, temperature, 0.5, gloss.Address, student.Address, c.Rows, c.Columns);
            fixed (double* ps = s, pt = t)
            {
                double expected = KlDivergenceReference.Forward(ps, pt, c.Rows, c.Columns, temperature, 0.5);
                Assert.Equal(expected, loss.Read()[0], 1e-5 * Math.Max(1, expected));
                double[] gradient = KlDivergenceReference.Gradient(ps, pt, c.Rows, c.Columns, temperature, 0.5, 1.5);
                if (c.Columns > 1)
                {
                    c.Close(gradient, student.Read(), 10);
                }
            }
        }));

    /// <summary>A class that only the student rules out is infinitely far away.</summary>
    public static void KlDivergenceOfImpossibleClasses(Accelerator accelerator)
    {
        RowCase c = new(DType.Float32, 1, 40, 0, 1);
        double[] s = c.Normal(1);
        s[7] = double.NegativeInfinity;
        using DeviceArray student = c.Put(accelerator, s);
        using DeviceArray teacher = c.Put(accelerator, c.Normal(2));
        using DeviceArray loss = new(accelerator, DType.Float32, 1);
        Cuda.Kernels.KlDivergence.Forward(accelerator, c.Type, student.Address, teacher.Address, 2, 1, loss.Address, 1, 40);
        Assert.Equal(double.PositiveInfinity, loss.Read()[0]);
    }

    public static void LayerMse(Accelerator accelerator, int cases, int columns) =>
        Properties.Check(cases, Prop.ForAll(RowCase.UpTo(columns), shape =>
        {
            int samples = (shape.Seed % 2) + 1;
            RowCase c = shape with { Rows = Math.Max(1, shape.Rows / samples) * samples };
            int positions = c.Rows / samples;
            double[] s = c.Normal(1, 2, 1);
            double[] t = c.Normal(2, 1, -1);
            bool normalise = c.Seed % 3 > 0;
            int[]? valid = c.Seed % 5 < 3 ? null : [.. Enumerable.Range(0, samples).Select(b => Math.Max(0, positions - b))];
            using DeviceArray student = c.Put(accelerator, s);
            using DeviceArray teacher = c.Put(accelerator, t);
            using DeviceArray? lengths = valid is null ? null : DeviceArray.Of<int>(accelerator, DType.Int32, valid);
            using DeviceArray loss = new(accelerator, DType.Float32, 1);
            using DeviceArray gloss = DeviceArray.Of(accelerator, DType.Float32, [1.5]);
            Cuda.Kernels.LayerMse.Forward(
                accelerator, c.Type, student.Address, teacher.Address, lengths?.Address ?? 0, normalise, 0.25, loss.Address, samples, positions, c.Columns);
            Cuda.Kernels.LayerMse.Backward(
                accelerator, c.Type, student.Address, teacher.Address, lengths?.Address ?? 0, normalise, 0.25, gloss.Address, student.Address, samples, positions, c.Columns);
            fixed (double* ps = s, pt = t)
            fixed (int* pl = valid)
            {
                double expected = LayerMseReference.Forward(ps, pt, samples, positions, c.Columns, pl, normalise, 0.25);
                double[] gradient = LayerMseReference.Gradient(ps, pt, samples, positions, c.Columns, pl, normalise, 0.25, 1.5);

                // With two or three columns a row can be all but constant: then the norm magnifies what its mean rounds off.
                bool tame = !normalise || c.Columns > 3;
                Assert.Equal(expected, loss.Read()[0], (tame ? 3e-6 : 1e-2) * Math.Max(1e-3, expected));
                if (tame)
                {
                    c.Close(gradient, student.Read(), 20);
                }
            }
        }));

    /// <summary>No row counts: the mean is NaN, the sum 0, the gradient 0. A label that is no class gives NaN.</summary>
    public static void LabelsThatDoNotCount(Accelerator accelerator)
    {
        RowCase c = new(DType.Float32, 2, 10, 0, 1);
        using DeviceArray logits = c.Put(accelerator, c.Normal(1));
        using DeviceArray loss = new(accelerator, DType.Float32, 1);
        using DeviceArray lse = new(accelerator, DType.Float32, 2);
        using DeviceArray gloss = DeviceArray.Of(accelerator, DType.Float32, [1.0]);
        using DeviceArray result = c.Result(accelerator);
        using DeviceArray ignored = DeviceArray.Of<int>(accelerator, DType.Int32, [Ignore, Ignore]);
        using DeviceArray wrong = DeviceArray.Of<int>(accelerator, DType.Int32, [10, 3]);
        Assert.True(double.IsNaN(Loss(ignored, true)));
        Assert.Equal(0, Loss(ignored, false));
        Assert.Equal([0, 0], lse.Read());
        Cuda.Kernels.CrossEntropy.Backward(accelerator, c.Type, logits.Address, ignored.Address, Ignore, true, lse.Address, gloss.Address, result.Address, 2, 10);
        Assert.All(result.Read(), v => Assert.Equal(0, v));
        Assert.True(double.IsNaN(Loss(wrong, true)));

        double Loss(DeviceArray labels, bool mean)
        {
            Cuda.Kernels.CrossEntropy.Forward(accelerator, c.Type, logits.Address, labels.Address, Ignore, mean, loss.Address, lse.Address, 2, 10);
            return loss.Read()[0];
        }
    }
}
