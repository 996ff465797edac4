using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests.Elementwise;

public class CopyTests
{
    public static TheoryData<string> Devices => TestAccelerators.Names;

    [Theory]
    [MemberData(nameof(Devices))]
    public void Conversions_give_the_CPUs_bits(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        foreach (DType from in Enum.GetValues<DType>())
        {
            foreach (DType to in Enum.GetValues<DType>())
            {
                CopyChecks.Cast(accelerator, from, to);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void Strided_copies_give_the_CPUs_bits(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        CopyChecks.Strided(accelerator, TestAccelerators.IsSlow(device) ? 10 : 40);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void Transpositions_go_through_tiles(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        DType[] types = device switch
        {
            "debug" => [DType.UInt8, DType.Float32],
            "debug shuffled" => [DType.BFloat16, DType.Int64],
            _ => [DType.UInt8, DType.BFloat16, DType.Float32, DType.Int64],
        };
        foreach (DType type in types)
        {
            CopyChecks.Transposed(accelerator, type);
        }
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void Repeated_rows_and_columns(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        CopyChecks.Broadcast(accelerator);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void Fills_write_every_element_and_no_other(string device)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        foreach (DType type in Enum.GetValues<DType>())
        {
            CopyChecks.Fill(accelerator, type);
        }

        CopyChecks.FillBytes(accelerator);
    }

    [Fact]
    public void Division_by_a_product_is_division()
    {
        Random random = new(3);
        foreach (int divisor in new[] { 1, 2, 3, 5, 7, 12, 255, 768, 50265, (1 << 30) - 1, 1 << 30, int.MaxValue })
        {
            FastDivisor fast = new(divisor);
            for (int i = 0; i < 1000; i++)
            {
                int n = i < 3 ? int.MaxValue - i : i < 500 ? random.Next() : (int)Math.Min(int.MaxValue, (random.Next() / divisor * (long)divisor) + (i % 3) - 1);
                n = Math.Max(0, n);
                Assert.Equal(n / divisor, fast.Divide(n));
            }
        }
    }

    [Fact]
    public void Plans_join_dimensions_and_widen_words()
    {
        // [2, 3, 4, 8] bfloat16 read as [2, 4, 3, 8]: rows of 8 stay together as one word of 16 bytes.
        Shape shape = new(2, 4, 3, 8);
        Strides source = default;
        source[0] = 96;
        source[1] = 8;
        source[2] = 32;
        source[3] = 1;
        CopyPlan plan = CopyPlan.Of(shape, source, Strides.Contiguous(shape));
        Assert.Equal(4, plan.Rank);
        CopyPlan words = plan.Widened(512, 1024, 2, out int size);
        Assert.Equal(16, size);
        Assert.Equal(24, words.Count);
        Assert.Equal(2, plan.Widened(514, 1024, 2, out int odd).Extents[0]);
        Assert.Equal(2, odd);

        Assert.True(CopyPlan.Of(shape, Strides.Contiguous(shape), Strides.Contiguous(shape)).IsContiguous);
        Assert.Equal([96L, 96L], plan.Parts(100).Select(p => p.Part.Count));
    }
}
