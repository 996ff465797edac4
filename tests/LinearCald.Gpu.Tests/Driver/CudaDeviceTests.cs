using LinearCald.Gpu.Driver;

namespace LinearCald.Gpu.Tests.Driver;

/// <summary>The driver's interface against a GPU, with hand-written PTX.</summary>
public class CudaDeviceTests
{
    /// <summary>y[i] = x[i] · factor over one element a thread.</summary>
    private const string Scale = """
        .version 8.0
        .target sm_80
        .address_size 64
        .visible .entry scale(.param .u64 x, .param .u64 y, .param .u32 n, .param .f32 factor)
        {
            .reg .b32 %r<6>;
            .reg .b64 %rd<6>;
            .reg .f32 %f<4>;
            .reg .pred %p;
            ld.param.u64 %rd0, [x];
            ld.param.u64 %rd1, [y];
            ld.param.u32 %r0, [n];
            ld.param.f32 %f0, [factor];
            mov.u32 %r1, %ctaid.x;
            mov.u32 %r2, %ntid.x;
            mov.u32 %r3, %tid.x;
            mad.lo.s32 %r4, %r1, %r2, %r3;
            setp.ge.s32 %p, %r4, %r0;
            @%p ret;
            mul.wide.s32 %rd2, %r4, 4;
            add.s64 %rd3, %rd0, %rd2;
            add.s64 %rd4, %rd1, %rd2;
            ld.global.f32 %f1, [%rd3];
            mul.f32 %f2, %f1, %f0;
            st.global.f32 [%rd4], %f2;
            ret;
        }
        """;

    [CudaFact]
    public void A_kernel_runs_with_its_parameters()
    {
        using CudaAccelerator gpu = new();
        float[] values = [.. Enumerable.Range(0, 100_000).Select(i => (float)i)];
        using DeviceBuffer<float> x = gpu.Allocate<float>(values);
        using DeviceBuffer<float> y = gpu.Allocate<float>(values.Length);
        CudaFunction scale = gpu.LoadPtx(Scale, "scale");
        gpu.Launch(scale, LaunchShape.For(values.Length), x.Address, y.Address, values.Length, BitConverter.SingleToInt32Bits(3));
        Assert.Equal(values.Select(v => v * 3), y.ToArray());
        Assert.Equal(0, scale.Statistics.LocalBytes);
        Assert.InRange(scale.Statistics.Registers, 1, 64);
    }

    [CudaFact]
    public void A_graph_does_the_recorded_work_at_each_replay()
    {
        using CudaAccelerator gpu = new();
        using DeviceBuffer<float> x = gpu.Allocate<float>([1, 2, 3]);
        CudaFunction scale = gpu.LoadPtx(Scale, "scale");
        gpu.BeginCapture();
        gpu.Launch(scale, LaunchShape.For(3), x.Address, x.Address, 3, BitConverter.SingleToInt32Bits(2));
        using DeviceBuffer<float> inside = gpu.Allocate<float>(3_000_000);
        gpu.CopyOnDevice(x.Address, inside.Address, 12);
        using CapturedGraph graph = gpu.EndCapture();
        Assert.Equal([1, 2, 3], x.ToArray());
        graph.Launch();
        graph.Launch();
        Assert.Equal([4, 8, 12], x.ToArray());
        Assert.Equal(new GraphContents(1, 1, 0, 0, true), graph.Contents);
    }

    [CudaFact]
    public void Large_copies_and_fills_keep_every_byte()
    {
        using CudaAccelerator gpu = new();
        byte[] values = new byte[50_000_001];
        new Random(1).NextBytes(values);
        using DeviceBuffer<byte> x = gpu.Allocate<byte>(values);
        Assert.Equal(values, x.ToArray());
        gpu.Fill(x.Address + 1, values.Length - 2, 0xAB);
        byte[] filled = x.ToArray();
        Assert.Equal(values[0], filled[0]);
        Assert.Equal(values[^1], filled[^1]);
        Assert.All(filled[1..^1], b => Assert.Equal(0xAB, b));
    }

    [CudaFact]
    public void Marks_measure_time()
    {
        using CudaAccelerator gpu = new();
        using DeviceBuffer<byte> x = gpu.Allocate<byte>(256 << 20);
        using TimeMark start = gpu.Mark();
        gpu.Fill(x.Address, x.Length, 1);
        using TimeMark end = gpu.Mark();
        Assert.InRange(end.MillisecondsSince(start), 0.01, 1000);
    }

    [CudaFact]
    public void Text_that_does_not_assemble_brings_the_assemblers_log()
    {
        using CudaAccelerator gpu = new();
        string message = Assert.Throws<CaldException>(() => gpu.LoadPtx(Scale.Replace("mul.f32", "mul.f33", StringComparison.Ordinal), "scale")).Message;
        Assert.Contains("error log", message);
    }

    [CudaFact]
    public void More_memory_than_the_device_has_is_refused_in_one_sentence()
    {
        using CudaAccelerator gpu = new();
        Assert.Contains("bytes asked for too much", Assert.Throws<CaldException>(() => gpu.Allocate(gpu.Limits.MemoryBytes * 2, "too much")).Message);
        using DeviceBuffer<float> x = gpu.Allocate<float>([1]);
        Assert.Equal([1], x.ToArray());
    }

    [CudaFact]
    public void It_works_from_any_thread()
    {
        using CudaAccelerator gpu = new();
        using DeviceBuffer<float> x = gpu.Allocate<float>([1, 2]);
        float[]? seen = null;
        Thread thread = new(() => seen = x.ToArray());
        thread.Start();
        thread.Join();
        Assert.Equal<float[]>([1, 2], seen!);
    }
}
