using FsCheck.Fluent;
using LinearCald.Nn.Optimisers;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Nn.Tests.Optimisers;

/// <summary>An update whose gradient is not finite might as well never have been asked for.</summary>
public sealed class AdamWTests
{
    private const int Count = 20;
    private static readonly Device Cpu = Device.Parse("cpu");

    [Fact]
    public void Updates_that_are_left_out_leave_no_trace()
    {
        Prop.ForAll(Gen.Choose(0, 10_000).ToArbitrary(), Gen.Elements(float.NaN, float.PositiveInfinity, float.NegativeInfinity).ToArbitrary(), (seed, bad) =>
        {
            using MemoryScope scope = MemoryScope.Begin();
            Random random = new(seed);
            using Vector broken = new(), plain = new();
            using AdamW one = new(broken.NamedParameters(), new AdamWOptions(WeightDecay: 0.1)), other = new(plain.NamedParameters(), new AdamWOptions(WeightDecay: 0.1));
            Tensor total = Tensor.Empty(Cpu, DType.Float64, new Shape(1));
            int good = 0;
            for (int update = 0; update < 12; update++)
            {
                float[] gradient = [.. Enumerable.Range(0, Count).Select(_ => (float)(random.NextDouble() - 0.5))];
                bool leftOut = random.Next(3) == 0;
                if (leftOut)
                {
                    gradient[random.Next(Count)] = bad;
                }
                else
                {
                    plain.Take(gradient);
                    other.Update(1e-2, 1, 1, total);
                    good++;
                }

                broken.Take(gradient);
                one.Update(1e-2, 1, 1, total);
                if (random.Next(4) == 0)
                {
                    one.Settle();
                    Assert.Equal(good, one.Step);
                }
            }

            Assert.Equal(plain.Values(), broken.Values());
            Assert.Equal(other.State().Select(s => s.Value.ToArray<float>()), one.State().Select(s => s.Value.ToArray<float>()));
            one.Settle();
            Assert.Equal((long)good, one.Step);
            Assert.Equal(other.Step, one.Step);
        }).Holds(50);
    }

    private sealed class Vector : Module
    {
        private readonly Parameter _weight;

        public Vector()
        {
            _weight = AddParameter("weight", BuildContext.For(Cpu, 3), new Shape(Count), Initialisers.Normal(0.5));
        }

        public float[] Values() => _weight.Value.ToArray<float>();

        /// <summary>Takes a gradient instead of an earlier one.</summary>
        public void Take(float[] gradient)
        {
            using MemoryScope scope = MemoryScope.Begin();
            ClearGradients();
            using Tape tape = Tape.Record();
            tape.Backward(_weight.Value.Affine(1), Tensor.From(Cpu, new Shape(Count), gradient));
        }
    }
}
