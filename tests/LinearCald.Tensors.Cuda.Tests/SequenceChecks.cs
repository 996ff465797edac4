using FsCheck.Fluent;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>Operations along a sequence on any device against the CPU: random shapes, types, layouts.</summary>
internal static class SequenceChecks
{
    private static readonly DType[] s_types = [DType.Float32, DType.BFloat16, DType.Float16];

    public static void Convolutions(GpuDevice device, int cases, int longest) => Prop.ForAll(
        (from batch in Gen.Choose(1, 3)
         from length in Gen.Frequency((3, Gen.Choose(1, 9)), (3, Gen.Choose(17, longest)))
         from channels in Gen.Elements(1, 5, 8, 16, 24, 136)
         from taps in Gen.Choose(1, 8)
         from flags in Gen.Choose(0, 63)
         from type in Gen.Elements(s_types)
         select (batch, length, channels, taps, flags, type)).ToArbitrary(),
        p => Compare(device, p.type, c =>
        {
            // A part of a wider tensor, at an offset that keeps vectors or not.
            int gap = (p.flags & 1) == 0 ? 0 : 8 + (p.flags & 2);
            Tensor x = c.Data("x", p.batch, p.length, p.channels + gap).Affine(1).Narrow(2, gap, p.channels);
            Tensor? sequences = (p.flags & 4) == 0 ? null : c.Ids(0, 2, p.batch, p.length), lengths = (p.flags & 8) == 0 ? null : c.Ids(0, p.length + 1, p.batch);
            Tensor? bias = (p.flags & 16) == 0 ? null : c.Parameter("bias", p.channels);
            return x.CausalConv1d(c.Parameter("w", p.channels, 1, p.taps), bias, p.flags % 3 == 0 ? Activation.None : Activation.Silu, sequences, lengths, reverse: (p.flags & 32) != 0);
        })).Holds(cases);

    public static void ConvolutionsInChunks(GpuDevice device, int cases, int longest) => Prop.ForAll(
        Arb.From(Gen.Choose(1, longest)), Arb.From(Gen.Choose(1, 8)), Arb.From(Gen.Elements(s_types)), (length, taps, type) =>
        {
            using MemoryScope scope = MemoryScope.Begin();
            (float[] y, float[] state) Run(Device on)
            {
                DType data = ReferenceEquals(on, device) ? type : DType.Float32;
                Tensor x = Numbers(on, 2, length + 3, 8).To(data), w = Numbers(on, 8, 1, taps), state = Numbers(on, 2, taps - 1, 8);
                Tensor lengths = Tensor.From(on, new Shape(2), [length, length / 2]);
                Tensor first = x.Narrow(1, 0, length).Contiguous().CausalConv1d(w, null, Activation.Silu, null, lengths, state);
                Tensor sequences = Tensor.From(on, new Shape(2, 3), [7, 7, 7, 1, 2, 2]);
                Tensor next = x.Narrow(1, length, 3).Contiguous().CausalConv1d(w, null, Activation.Silu, sequences, null, state);
                return ([.. first.To(DType.Float32).ToArray<float>(), .. next.To(DType.Float32).ToArray<float>()], state.ToArray<float>());
            }

            (float[] y, float[] state) expected = Run(Device.Parse("cpu")), actual = Run(device);
            Assert.Equal(expected.state, actual.state);
            double error = Math.Sqrt(expected.y.Zip(actual.y, (a, b) => ((double)a - b) * (a - b)).Sum() / expected.y.Sum(v => (double)v * v));
            Assert.True(error <= Budget(type), $"length {length}, {taps} taps, {type}: {error:G3}");
        }).Holds(cases);

    public static void Rotations(GpuDevice device, int cases) => Prop.ForAll(
        (from batch in Gen.Choose(1, 2)
         from length in Gen.Choose(1, 6)
         from heads in Gen.Choose(1, 9)
         from half in Gen.Elements(0, 1, 4, 5, 8, 16)
         from rest in Gen.Elements(0, 3, 8, 16)
         from first in Gen.Elements(0, 1, 131_072)
         from type in Gen.Elements(s_types)
         where half + rest > 0
         select (batch, length, heads, half, rest, first, type)).ToArbitrary(),
        p => Compare(device, p.type, c =>
            c.Data("qkv", p.batch, p.length, p.heads * 3 * ((2 * p.half) + p.rest)).SplitHeadsRotary(p.heads, 2 * p.half, 10_000, p.first)))
        .Holds(cases);

    public static void RmsNorms(GpuDevice device, int cases, int widest) => Prop.ForAll(
        (from rows in Gen.Choose(1, 9)
         from groups in Gen.Choose(1, 3)
         from size in Gen.Elements(Array.FindAll([1, 7, 8, 32, 40, 256, 1000, 1032, 2049, 8200, 17000], w => w <= widest))
         from gated in Gen.Elements(true, false)
         from gap in Gen.Elements(0, 3, 8)
         from type in Gen.Elements(s_types)
         select (rows: size > 2000 ? Math.Min(rows, 2) : rows, groups: size > 2000 ? 1 : groups, size, gated, gap, type)).ToArbitrary(),
        p => Compare(device, p.type, c =>
        {
            int width = p.groups * p.size;
            Tensor all = c.Data("all", p.rows, (2 * width) + p.gap).Affine(1), x = all.Narrow(1, p.gap, width), w = c.Parameter("w", width);
            return p.gated ? x.GatedRmsNorm(all.Narrow(1, p.gap + width, width), w, 1e-2, p.groups) : x.RmsNorm(w, 1e-2);
        })).Holds(cases);

    /// <summary>Parts that cover a tensor, overlap, and leave gaps: gradients go to rows at a pitch, and are added there.</summary>
    public static void GradientsOfParts(GpuDevice device, DType type)
    {
        foreach (int width in (int[])[8, 5])
        {
            Compare(device, type, c =>
            {
                Tensor all = c.Data("x", 3, 4, 4 * width).Affine(2);
                Tensor left = all.Narrow(2, 0, width), middle = all.Narrow(2, width, width), again = all.Narrow(2, 0, 2 * width).Narrow(2, width, width);
                return left.Contiguous().Apply(Activation.Silu).Add(middle.Contiguous().Apply(Activation.Tanh)).Add(again.Contiguous());
            });
        }
    }

    private static Tensor Numbers(Device device, params ReadOnlySpan<int> extents)
    {
        Shape shape = new(extents);
        float[] values = new float[shape.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = ((i * 37 % 129) - 64) / 32f; // every type holds them
        }

        return Tensor.From(device, shape, values);
    }

    private static double Budget(DType type) => type == DType.Float32 ? 1e-5 : type == DType.BFloat16 ? 1e-2 : 2e-3;

    private static void Compare(GpuDevice device, DType type, Func<DeviceCase, Tensor> body) => DeviceCase.Compare(device, type, Budget(type), body);
}
