using FsCheck.Fluent;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Tests.Ops;

/// <summary>Inside a part with a gradient scale gradients have one norm; its parameters' are those without the scale.</summary>
public sealed class GradientScaleTests
{
    private static readonly Device s_cpu = Device.Parse("cpu");

    [Fact]
    public void Gradients_have_norm_8_inside_and_their_own_size_outside()
    {
        Prop.ForAll(Gen.Choose(0, 10_000).ToArbitrary(), Gen.Choose(-15, 15).ToArbitrary(), (seed, exponent) =>
        {
            using MemoryScope scope = MemoryScope.Begin();
            Random random = new(seed);
            Shape shape = new(1 + random.Next(5), 1 + random.Next(30));
            Tensor x = Leaf(shape, random, 1), w = Leaf(shape, random, 1), same = Leaf(shape, random, 1);
            same.Set<float>(w.ToArray<float>());
            float[] gradient = Values(shape, random, Math.Pow(10, exponent));
            float[] y = Pass(w, gradient, new GradientScale(s_cpu));

            // d/dx = g / unit · (1 − y²) w: what arrived inside had norm 8
            double[] arrived = [.. x.Gradient!.ToArray<float>().Zip(y, w.ToArray<float>()).Select(t => t.First / ((1 - ((double)t.Second * t.Second)) * t.Third))];
            Assert.Equal(8, Math.Sqrt(arrived.Sum(v => v * v)), 1e-2);
            Assert.Equal(y, Pass(same, gradient, null));
            Pass(w, gradient, new GradientScale(s_cpu)); // adds
            Pass(same, gradient, null);
            float[] expected = same.Gradient!.ToArray<float>(), actual = w.Gradient!.ToArray<float>();
            double error = Math.Sqrt(expected.Zip(actual, (a, b) => ((double)a - b) * ((double)a - b)).Sum()), norm = Math.Sqrt(expected.Sum(v => (double)v * v));
            Assert.True(error <= 1e-6 * norm, $"error {error / norm:G3}");

            float[] Pass(Tensor parameter, float[] gradient, GradientScale? scale)
            {
                using Tape tape = Tape.Record();
                Tensor y = x.Multiply(scale?.Parameter(parameter) ?? parameter).Apply(Activation.Tanh);
                y = scale?.Leave(y) ?? y;
                float[] values = y.ToArray<float>();
                tape.Backward(y, Tensor.From(s_cpu, shape, gradient));
                return values;
            }
        }).Holds(50);
    }

    [Fact]
    public void A_gradient_of_zeros_stays_one()
    {
        using MemoryScope scope = MemoryScope.Begin();
        Random random = new(1);
        Shape shape = new(2, 3);
        Tensor w = Leaf(shape, random, 1);
        using Tape tape = Tape.Record();
        GradientScale scale = new(s_cpu);
        tape.Backward(scale.Leave(scale.Parameter(w).Multiply(w.Detach())), Tensor.Zeros(s_cpu, DType.Float32, shape));
        Assert.Equal(new float[6], w.Gradient!.ToArray<float>());
    }

    [Fact]
    public void Gradients_of_any_size_pass_through_float16()
    {
        Prop.ForAll(Gen.Choose(0, 10_000).ToArbitrary(), Gen.Choose(-47, 12).ToArbitrary(), (seed, exponent) =>
            Assert.InRange(GradientScaleCheck.WorstError(s_cpu, seed, exponent), 0, 1)).Holds(200);
    }

    [Fact]
    public void Without_a_tape_parameters_are_themselves()
    {
        using MemoryScope scope = MemoryScope.Begin();
        Tensor w = Leaf(new Shape(3), new Random(1), 1);
        Assert.Same(w, new GradientScale(s_cpu).Parameter(w));
    }

    private static Tensor Leaf(in Shape shape, Random random, double size)
    {
        Tensor x = Tensor.From(s_cpu, shape, Values(shape, random, size));
        x.RequiresGradient = true;
        return x;
    }

    // away from 0, where the test divides
    private static float[] Values(in Shape shape, Random random, double size) =>
        [.. Enumerable.Range(0, (int)shape.Count).Select(_ => (float)(size * (0.2 + random.NextDouble()) * (random.Next(2) == 0 ? 1 : -1)))];
}
