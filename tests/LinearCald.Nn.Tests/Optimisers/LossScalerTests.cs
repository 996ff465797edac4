using LinearCald.Nn.Optimisers;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Nn.Tests.Optimisers;

/// <summary>Loss scaling, and updates that do not take place.</summary>
public sealed class LossScalerTests
{
    private static Device Cpu => Device.Parse("cpu");

    [Fact]
    public void The_scale_halves_with_every_overflow_down_to_its_floor_and_doubles_after_a_while()
    {
        using LossScaler scaler = new(Cpu, new LossScalerOptions(Initial: 8, Interval: 3, Least: 2, Most: 16));
        Assert.False(scaler.Adapt(double.NaN));
        Assert.Equal(4, scaler.Scale);
        Assert.False(scaler.Adapt(double.PositiveInfinity));
        Assert.False(scaler.Adapt(double.PositiveInfinity));
        Assert.Equal(2, scaler.Scale);
        Assert.True(scaler.IsExhausted);
        double[] scales = [.. Enumerable.Range(0, 12).Select(_ => scaler.Adapt(1) ? scaler.Scale : 0)];
        Assert.Equal([2, 2, 4, 4, 4, 8, 8, 8, 16, 16, 16, 16], scales);
        scaler.Adapt(1);
        scaler.Adapt(double.NaN);
        Assert.Equal(new LossScalerState(8, 0), scaler.State);
    }

    [Fact]
    public void A_saved_state_goes_on_as_if_it_had_never_stopped()
    {
        using LossScaler whole = new(Cpu, new LossScalerOptions(Interval: 5)), resumed = new(Cpu, new LossScalerOptions(Interval: 5));
        double[] norms = [1, double.NaN, 1, 1, 1];
        Array.ForEach(norms, n => whole.Adapt(n));
        resumed.State = whole.State;
        using MemoryScope scope = MemoryScope.Begin();
        foreach (double norm in (double[])[1, 1, double.NaN, 1])
        {
            Assert.Equal(whole.Adapt(norm), resumed.Adapt(norm));
            Assert.Equal(whole.State, resumed.State);
            Assert.Equal(whole.Scale / 4, resumed.Seed(Tensor.Zeros(Cpu, DType.Float32, default), Tensor.From(Cpu, default, [0.25f])).Item());
        }

        Assert.Throws<CaldException>(() => resumed.State = new LossScalerState(0, 0));
        Assert.Throws<CaldException>(() => new LossScaler(Cpu, new LossScalerOptions(Initial: 0.5)));
    }

    [Fact]
    public void Updates_with_a_scale_are_those_without()
    {
        using LossScaler scaler = new(Cpu, new LossScalerOptions(Interval: 2));
        using Linear plain = new(), scaled = new();
        using AdamW one = new(plain.NamedParameters(), new AdamWOptions()), other = new(scaled.NamedParameters(), new AdamWOptions());
        for (int step = 0; step < 5; step++)
        {
            plain.Learn(loss => Tensor.Full(Cpu, DType.Float32, loss.Shape, 0.5));
            scaled.Learn(loss => scaler.Seed(loss, Tensor.From(Cpu, default, [0.5f])));
            double norm = one.Update(1e-2, clipNorm: 0.1);
            double same = other.Update(1e-2, clipNorm: 0.1, 1 / scaler.Scale);
            Assert.Equal(norm, same, 1e-9);
            Assert.True(scaler.Adapt(same));
            plain.ClearGradients();
            scaled.ClearGradients();
        }

        Assert.Equal(plain.Values(), scaled.Values(), (a, b) => Math.Abs(a - b) <= 1e-7);
        Assert.NotEqual(new Linear().Values(), plain.Values());
    }

    [Fact]
    public void What_is_not_finite_changes_nothing_and_does_not_count()
    {
        using MemoryScope scope = MemoryScope.Begin();
        using Linear model = new();
        using AdamW optimiser = new(model.NamedParameters(), new AdamWOptions());
        float[] before = model.Values();
        model.Learn(loss => Tensor.Full(Cpu, DType.Float32, loss.Shape, double.PositiveInfinity));
        Assert.False(double.IsFinite(optimiser.Update(1e-2)));
        model.ClearGradients();
        model.Learn(loss => Tensor.Full(Cpu, DType.Float32, loss.Shape, 1));
        Tensor total = Tensor.Empty(Cpu, DType.Float64, new Shape(1));
        optimiser.Update(1e-2, 0, 0.5, total, Tensor.From(Cpu, new Shape(2), [1f, float.PositiveInfinity]));
        Assert.Equal(1, optimiser.Step);
        Assert.Equal(double.NaN, optimiser.Wait(total, 0.5));
        Assert.Equal(before, model.Values());
        Assert.Equal(0, optimiser.Step);
        optimiser.Update(1e-2, 0, 0.5, total, Tensor.From(Cpu, new Shape(2), [1f, 1e30f]));
        double norm = optimiser.Wait(total, 0.5) * 2;
        Assert.Equal(1, optimiser.Step);
        Assert.NotEqual(before, model.Values());
        Assert.Equal(norm, Math.Sqrt(model.NamedParameters().Sum(p => p.Parameter.Value.Gradient!.ToArray<float>().Sum(g => (double)g * g))), 1e-5);
    }

    private sealed class Linear : Module
    {
        private readonly Parameter _weight;

        public Linear()
        {
            BuildContext context = BuildContext.For(Cpu, 3);
            _weight = AddParameter("weight", context, new Shape(4, 6), Initialisers.Normal(0.5));
        }

        public float[] Values() => _weight.Value.ToArray<float>();

        public void Learn(Func<Tensor, Tensor> seed)
        {
            using MemoryScope scope = MemoryScope.Begin();
            using Tape tape = Tape.Record();
            Tensor x = Tensor.From(Cpu, new Shape(2, 6), [.. Enumerable.Range(0, 12).Select(i => MathF.Sin(i))]);
            Tensor loss = x.Linear(_weight.Value, null, Activation.Tanh).CrossEntropy(Tensor.From(Cpu, new Shape(2), [1, 3]));
            tape.Backward(loss, seed(loss));
        }
    }
}
