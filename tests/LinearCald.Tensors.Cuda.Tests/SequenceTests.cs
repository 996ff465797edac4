using FsCheck;
using FsCheck.Fluent;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;
using LinearCald.Testing.Ptx;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>Operations along a sequence as PTX, in the emulator, against the CPU: random shapes, types, layouts.</summary>
public sealed class SequenceTests : IDisposable
{
    private static readonly DType[] s_types = [DType.Float32, DType.BFloat16, DType.Float16];
    private readonly EmulatorAccelerator _accelerator = new();
    private readonly GpuDevice _device;

    public SequenceTests() => _device = new GpuDevice(_accelerator) { PoisonMemory = true };

    [Fact]
    public void Causal_convolutions() => Prop.ForAll(
        (from batch in Gen.Choose(1, 3)
         from length in Gen.Frequency((3, Gen.Choose(1, 9)), (3, Gen.Choose(17, 70)))
         from channels in Gen.Elements(1, 5, 8, 16, 24, 136)
         from taps in Gen.Choose(1, 8)
         from flags in Gen.Choose(0, 31)
         from type in Gen.Elements(s_types)
         select (batch, length, channels, taps, flags, type)).ToArbitrary(),
        p => Compare(p.type, c =>
        {
            // A part of a wider tensor, at an offset that keeps vectors or not.
            int gap = (p.flags & 1) == 0 ? 0 : 8 + (p.flags & 2);
            Tensor x = c.Data("x", p.batch, p.length, p.channels + gap).Affine(1).Narrow(2, gap, p.channels);
            Tensor? sequences = (p.flags & 4) == 0 ? null : c.Ids(0, 2, p.batch, p.length), lengths = (p.flags & 8) == 0 ? null : c.Ids(0, p.length + 1, p.batch);
            Tensor? bias = (p.flags & 16) == 0 ? null : c.Parameter("bias", p.channels);
            return x.CausalConv1d(c.Parameter("w", p.channels, 1, p.taps), bias, p.flags % 3 == 0 ? Activation.None : Activation.Silu, sequences, lengths);
        })).Check(Config.QuickThrowOnFailure.WithMaxTest(40));

    [Fact]
    public void Causal_convolutions_in_chunks() => Prop.ForAll(
        Arb.From(Gen.Choose(1, 80)), Arb.From(Gen.Choose(1, 8)), Arb.From(Gen.Elements(s_types)), (length, taps, type) =>
        {
            using MemoryScope scope = MemoryScope.Begin();
            (float[] y, float[] state) Run(Device device)
            {
                DType data = device is GpuDevice ? type : DType.Float32;
                Tensor x = Numbers(device, 2, length + 3, 8).To(data), w = Numbers(device, 8, 1, taps), state = Numbers(device, 2, taps - 1, 8);
                Tensor lengths = Tensor.From(device, new Shape(2), [length, length / 2]);
                Tensor first = x.Narrow(1, 0, length).Contiguous().CausalConv1d(w, null, Activation.Silu, null, lengths, state);
                Tensor sequences = Tensor.From(device, new Shape(2, 3), [7, 7, 7, 1, 2, 2]);
                Tensor next = x.Narrow(1, length, 3).Contiguous().CausalConv1d(w, null, Activation.Silu, sequences, null, state);
                return ([.. first.To(DType.Float32).ToArray<float>(), .. next.To(DType.Float32).ToArray<float>()], state.ToArray<float>());
            }

            (float[] y, float[] state) expected = Run(Device.Parse("cpu")), actual = Run(_device);
            Assert.Equal(expected.state, actual.state);
            double error = Math.Sqrt(expected.y.Zip(actual.y, (a, b) => ((double)a - b) * (a - b)).Sum() / expected.y.Sum(v => (double)v * v));
            Assert.True(error <= Budget(type), $"length {length}, {taps} taps, {type}: {error:G3}");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(20));

    public void Dispose() => _accelerator.Dispose();

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

    private void Compare(DType type, Func<DeviceCase, Tensor> body) => DeviceCase.Compare(_device, type, Budget(type), body);
}
