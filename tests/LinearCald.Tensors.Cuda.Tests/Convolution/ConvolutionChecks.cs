using FsCheck.Fluent;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Tests.Convolution;

/// <summary>
/// Convolutions over all channels, and weight norms, on any device against the CPU. Numbers are sixty-fourths, so that sums without an activation are exact and may cancel.
/// </summary>
internal static class ConvolutionChecks
{
    private static readonly DType[] s_types = [DType.Float32, DType.BFloat16, DType.Float16];

    /// <summary>Every path: patches in place, groups, padding, strides above and below the taps, few and odd channels.</summary>
    public static void Convolutions(GpuDevice device, int cases, int longest) => Prop.ForAll(
        (from batch in Gen.Choose(1, 3)
         from groups in Gen.Elements(1, 1, 2, 3)
         from inputs in Gen.Elements(1, 2, 3, 8, 16)
         from outputs in Gen.Elements(1, 4, 5, 8)
         from taps in Gen.Choose(1, 7)
         from stride in Gen.Choose(1, 4)
         from padding in Gen.Elements(0, 0, 1, 3)
         from more in Gen.Choose(0, longest)
         from flags in Gen.Choose(0, 3)
         from type in Gen.Elements(s_types)
         select (batch, groups, inputs, outputs, taps, stride, padding, more, flags, type)).ToArbitrary(),
        p => Compare(device, p.type, tf32: p.more % 2 == 1, c =>
        {
            Tensor x = c.Data("x", p.batch, Math.Max(p.taps - (2 * p.padding), 1) + p.more, p.groups * p.inputs);
            Tensor w = c.Parameter("w", p.groups * p.outputs, p.inputs, p.taps);
            Tensor? bias = (p.flags & 1) == 0 ? null : c.Parameter("bias", p.groups * p.outputs);
            return x.Conv1d(w, bias, p.stride, p.padding, p.groups, (p.flags & 2) == 0 || p.outputs < 8 ? Activation.None : Activation.GeluErf);
        })).Holds(cases);

    /// <summary>One input channel, tiles of rows.</summary>
    public static void Waves(GpuDevice device, int cases, int longest) => Prop.ForAll(
        (from batch in Gen.Choose(1, 2)
         from outputs in Gen.Elements(1, 6, 8, 136, 516)
         from taps in Gen.Choose(1, 17)
         from stride in Gen.Choose(1, 6)
         from padding in Gen.Elements(0, 0, 2)
         from more in Gen.Choose(0, longest)
         from flags in Gen.Choose(0, 3)
         from type in Gen.Elements(s_types)
         select (batch, outputs, taps, stride, padding, more, flags, type)).ToArbitrary(),
        p => Compare(device, p.type, tf32: false, c =>
        {
            // without a gradient, as waves have none
            Tensor x = c.Data("x", p.batch, p.taps + p.more, 1).Detach(), w = c.Parameter("w", p.outputs, 1, p.taps);
            Tensor? bias = (p.flags & 1) == 0 ? null : c.Parameter("bias", p.outputs);
            return x.Conv1d(w, bias, p.stride, p.padding, 1, (p.flags & 2) == 0 || p.outputs < 8 ? Activation.None : Activation.GeluErf);
        })).Holds(cases);

    /// <summary>
    /// Where products are in tf32, operands of two terms leave an error a hundredth as large. All numbers are positive, so that nothing cancels, and none is one of 8 digits.
    /// Weights, of all sizes, get no gradient, which is in tf32. In the gradient of the input nothing cancels either, for that of the result is the same everywhere.
    /// </summary>
    public static void TwoTerms(GpuDevice device, int cases, int longest) => Prop.ForAll(
        (from channels in Gen.Elements((1, 2), (1, 3), (2, 4), (1, 16), (1, 33))
         from taps in Gen.Choose(1, 5)
         from more in Gen.Choose(0, longest)
         from exponent in Gen.Choose(-12, 12)
         select (channels, taps, more, exponent)).ToArbitrary(),
        p =>
        {
            ((int groups, int inputs), int taps, int more, int exponent) = p;
            double size = Math.Pow(10, exponent);
            device.TensorFloat32 = true;
            DeviceCase.Compare(device, DType.Float32, 1e-5, c =>
            {
                Tensor x = c.Data("x", 2, taps + more, groups * inputs).Detach().Affine(1.0 / 3, 1.7);
                Tensor w = c.Parameter("w", groups * 5, inputs, taps).Detach().Affine(size / 3, size);
                return x.Conv1d(w, c.Parameter("bias", groups * 5).Affine(1e-30), stride: 2, groups: groups, digits: ProductDigits.Sixteen);
            });
            DeviceCase.Compare(device, DType.Float32, 1e-5, c =>
            {
                Tensor w = c.Parameter("w", groups * 5, inputs, taps).Detach().Affine(size / 3, size);
                return c.Data("x", 2, taps + more, groups * inputs).Affine(1.0 / 3, 1.7)
                    .Conv1d(w, null, stride: 2, groups: groups, digits: ProductDigits.Sixteen, gradientDigits: ProductDigits.Sixteen).Sum();
            });
            device.TensorFloat32 = false;
        }).Holds(cases);

    /// <summary>The least kernels: one channel, one tap. What a trial of a loop takes back leaves nothing behind.</summary>
    public static void WavesOfOneTap(GpuDevice device)
    {
        foreach (DType type in s_types)
        {
            Compare(device, type, tf32: false, c => c.Data("x", 2, 9, 1).Detach().Conv1d(c.Parameter("w", 1, 1, 1), null, 5));
        }
    }

    /// <summary>A direction used twice, so that its gradients are added; and beside itself, since the gradient of the norm alone may vanish.</summary>
    public static void WeightNorms(GpuDevice device, int cases) => Prop.ForAll(
        Arb.From(Gen.Choose(2, 70)), Arb.From(Gen.Choose(1, 5)), Arb.From(Gen.Elements(1, 3, 4, 8, 33, 128, 132)), (outputs, inputs, taps) =>
            Compare(device, DType.Float32, tf32: false, c =>
            {
                Tensor v = c.Parameter("v", outputs, inputs, taps);
                return v.WeightNorm(c.Parameter("g", 1, 1, taps)).Add(v.WeightNorm(c.Parameter("h", 1, 1, taps))).Add(v);
            })).Holds(cases);

    private static void Compare(GpuDevice device, DType type, bool tf32, Func<DeviceCase, Tensor> body)
    {
        device.TensorFloat32 = tf32;
        DeviceCase.Compare(device, type, type == DType.Float32 ? tf32 ? 1e-3 : 1e-5 : type == DType.BFloat16 ? 1e-2 : 2e-3, body);
        device.TensorFloat32 = false;
    }
}
