using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Tests.Ssd;

/// <summary>The scan of Mamba-2 with rows cut into segments, on any accelerator against the CPU.</summary>
internal static class SsdChecks
{
    /// <summary>Random sizes and rules, two to five segments.</summary>
    public static void Segments(Accelerator accelerator, DType type, int cases, int longest) => Prop.ForAll(
        (from batch in Gen.Choose(1, 2)
         from length in Gen.Frequency((1, Gen.Constant(1)), (1, Gen.Constant(128)), (4, Gen.Choose(65, longest)))
         from heads in Gen.Choose(1, 2)
         from headSize in Gen.Elements(5, 8, 16)
         from stateSize in Gen.Elements(3, 8, 16)
         from gap in Gen.Elements(0, 1)
         from flags in Gen.Choose(0, 127)
         from segments in Gen.Choose(2, 5)
         from seed in Gen.Choose(0, 100_000)
         select (Case: SsdCase.Of(batch, length, heads, headSize, stateSize, gap, flags, seed), Segments: segments)).ToArbitrary(),
        p =>
        {
            GpuDevice device = new(accelerator) { PoisonMemory = true, ScanSegments = p.Segments };
            p.Case.Compare(device, type, Budget(type));
        }).Holds(cases);

    /// <summary>Rows long enough to be cut on a GPU: states that fade within a segment, and such that last over all of them.</summary>
    public static void Long(Accelerator accelerator, DType type, int length)
    {
        GpuDevice device = new(accelerator) { PoisonMemory = true };
        SsdCase fading = SsdCase.Of(2, length, 3, 64, 128, 8, 0b0101110, 1), backwards = SsdCase.Of(2, length, 3, 64, 128, 8, 0b1011111, 2);
        SsdShape slow = new(2, length, 3, 1, 64, 128, 64, false, true, 1e-4, 2e-4);
        fading.Compare(device, type, Budget(type));
        backwards.Compare(device, type, Budget(type));
        new SsdCase(slow, 8, true, true, false, false, true, 3).Compare(device, type, Budget(type));
        backwards.Repeat(device, type);
    }

    public static double Budget(DType type) => type switch
    {
        DType.Float32 => 1e-5,
        DType.Float16 => 2e-3,
        _ => 1e-2,
    };
}
