using FsCheck.Fluent;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Tests.Convolution;

/// <summary>Group norms, and rows and features that are replaced, cleared or averaged, on any device against the CPU.</summary>
internal static class RowOperationChecks
{
    private static readonly DType[] s_types = [DType.Float32, DType.BFloat16, DType.Float16];

    /// <summary>Beside x itself and with a large ε: the gradient of the norm of few elements vanishes. Used twice, so that parameter gradients are added.</summary>
    public static void GroupNorms(GpuDevice device, int cases, int longest) => Prop.ForAll(
        (from batch in Gen.Choose(1, 3)
         from length in Gen.Frequency((2, Gen.Choose(1, 9)), (3, Gen.Choose(60, longest)))
         from groups in Gen.Elements(1, 2, 5, 8, 24)
         from width in Gen.Elements(1, 3, 8, 40)
         from flags in Gen.Choose(0, 3)
         from type in Gen.Elements(s_types)
         select (batch, length, groups, width, flags, type)).ToArbitrary(),
        p => Compare(device, p.type, c =>
        {
            int channels = p.groups * p.width;
            Tensor x = c.Data("x", p.batch, p.length, channels).Affine(1, 2);
            Tensor? w = (p.flags & 1) == 0 ? null : c.Parameter("w", channels), b = (p.flags & 2) == 0 ? null : c.Parameter("b", channels);
            return x.GroupNorm(p.groups, w, b, 1e-1).Add(x.GroupNorm(1, w, b, 1e-1)).Add(x);
        })).Holds(cases);

    public static void Masks(GpuDevice device, int cases, int longest) => Prop.ForAll(
        (from batch in Gen.Choose(1, 4)
         from length in Gen.Frequency((2, Gen.Choose(1, 5)), (2, Gen.Choose(6, longest)))
         from channels in Gen.Elements(1, 5, 8, 24, 264)
         from type in Gen.Elements(s_types)
         select (batch, length, channels, type)).ToArbitrary(),
        p =>
        {
            Tensor X(DeviceCase c) => c.Data("x", p.batch, p.length, p.channels);
            Tensor Lengths(DeviceCase c) => c.Ids(-1, p.length + 2, p.batch);
            Compare(device, p.type, c => X(c).ReplaceRows(c.Ids(0, 2, p.batch, p.length), c.Parameter("row", p.channels)));
            Compare(device, p.type, c => X(c).MaskRows(Lengths(c)));
            Compare(device, p.type, c => X(c).MaskFeatures(c.Ids(0, 2, p.batch, p.channels)));
            Compare(device, p.type, c => X(c).MeanRows(Lengths(c)));
            Compare(device, p.type, c => X(c).MeanRows(null));
        }).Holds(cases);

    private static void Compare(GpuDevice device, DType type, Func<DeviceCase, Tensor> body) =>
        DeviceCase.Compare(device, type, type == DType.Float32 ? 1e-5 : type == DType.BFloat16 ? 1e-2 : 2e-3, body);
}
