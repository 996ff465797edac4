using LinearCald.Gpu.Driver;

namespace LinearCald.Gpu.Tests.Driver;

/// <summary>The accelerator over an imagined driver: everything but the GPU itself.</summary>
public sealed class CudaAcceleratorTests : IDisposable
{
    private static readonly Kernel s_scale = Kernel.Of(Scale);
    private readonly string _folder = Directory.CreateTempSubdirectory("cubins").FullName;
    private readonly FakeCudaDriver _driver = new();
    private int _compiled;
    private int _shared;
    private PtxTarget _target = PtxTarget.Sm80;

    [Fact]
    public void It_describes_itself()
    {
        using CudaAccelerator gpu = Open();
        Assert.Equal("cuda:0", gpu.Name);
        Assert.StartsWith("Imagined GPU, 1.0 GiB, sm_90, 132 multiprocessors, driver ", gpu.Description);
        Assert.Equal(232448, gpu.Limits.GroupSharedBytes);
    }

    [Fact]
    public void A_kernel_is_compiled_once_for_a_group_size_and_its_constants()
    {
        using CudaAccelerator gpu = Open();
        View<float> x = default;
        for (int i = 0; i < 3; i++)
        {
            gpu.Launch(s_scale, new LaunchShape(7 + i, 32), x, 4, i * 1.5f);
        }

        Assert.Equal(1, _compiled);
        gpu.Launch(s_scale, new LaunchShape(1, 64), x, 4, 1f);
        gpu.Launch(s_scale, new LaunchShape(1, 32), x, 5, 1f);
        Assert.Equal(3, _compiled);
        Assert.Equal(3, gpu.Kernels.Count);
        Assert.Equal(new Index3(9), _driver.Launches[2].Grid);
    }

    [Fact]
    public void Arguments_reach_the_driver_without_the_constants()
    {
        using CudaAccelerator gpu = Open();
        _driver.ParameterCount = 2;
        using DeviceBuffer<float> buffer = gpu.Allocate<float>(10);
        gpu.Launch(s_scale, new LaunchShape(new Index3(3, 2, 1), new Index3(8, 4, 2)) { Cluster = 3 }, buffer.View, 4, 2f);
        (_, Index3 grid, Index3 group, int shared, int cluster, long[] words) = _driver.Launches.Single();
        Assert.Equal((new Index3(3, 2), new Index3(8, 4, 2), 0, 3), (grid, group, shared, cluster));
        Assert.Equal(buffer.Address, (nint)words[0]);
        Assert.Equal(2f, BitConverter.Int32BitsToSingle((int)words[1]));
    }

    [Fact]
    public void Finding_a_loaded_kernel_allocates_nothing()
    {
        using CudaAccelerator gpu = Open();
        KernelTable<CudaFunction> table = new();
        byte[] arguments = new byte[s_scale.PackedBytes];
        CudaFunction function = gpu.LoadPtx("text", "entry");
        table.Add(s_scale, 32, arguments, function);
        CudaFunction? found = null;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            found = table.Find(s_scale, 32, arguments);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Same(function, found);
    }

    [Fact]
    public unsafe void A_tensor_is_described_to_the_driver_once()
    {
        using CudaAccelerator gpu = Open();
        Describe(0, 64);
        Describe(0, 64);
        Assert.Single(_driver.Calls, nameof(FakeCudaDriver.EncodeTensorMap));

        // More tensors than there are places: every map is of what was asked for, and nothing is allocated.
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < 2 * TensorMapCache.Places; i++)
            {
                Describe(i % 7 * 4096, 64 + i);
            }
        }

        _driver.Calls.Capacity = _driver.Calls.Count + 10_000;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            TensorMap.Create(gpu, 0, TensorElement.Float32, [64, 32], [256], [32, 32], TensorSwizzle.Bytes128);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        unsafe void Describe(nint address, int extent)
        {
            TensorMap map = TensorMap.Create(gpu, address, TensorElement.Float32, [extent, 32], [4 * extent / 16 * 16], [32, 32], TensorSwizzle.Bytes128);
            TensorMapDescription description = TensorMapDescription.Of(map);
            Assert.Equal((address, (long)extent), (description.Address, description.Extents[0]));
        }
    }

    [Fact]
    public void Machine_code_is_kept_on_disk()
    {
        for (int run = 0; run < 2; run++)
        {
            using CudaAccelerator gpu = Open();
            gpu.Launch(s_scale, new LaunchShape(1, 32), default(View<float>), 4, 1f);
            Assert.Equal(run == 1, gpu.Kernels.Single().FromCache);
        }

        Assert.Single(_driver.Calls, "CompleteLink");
        Assert.Equal(2, _driver.Calls.Count(c => c == "LoadImage"));
    }

    [Fact]
    public void Machine_code_that_the_driver_refuses_is_made_anew()
    {
        for (int run = 0; run < 2; run++)
        {
            if (run == 1)
            {
                _driver.Failing["LoadImage"] = CudaResult.InvalidImage;
            }

            using CudaAccelerator gpu = Open();
            gpu.Launch(s_scale, new LaunchShape(1, 32), default(View<float>), 4, 1f);
            Assert.False(gpu.Kernels.Single().FromCache);
        }

        Assert.Equal(2, _driver.Calls.Count(c => c == "CompleteLink"));
    }

    [Fact]
    public void A_text_that_does_not_assemble_is_an_error_with_the_log()
    {
        using CudaAccelerator gpu = Open();
        _driver.Failing["AddPtx"] = CudaResult.InvalidPtx;
        _driver.Failing["LoadText"] = CudaResult.InvalidPtx;
        string message = Assert.Throws<CaldException>(() => gpu.LoadPtx("text", "entry")).Message;
        Assert.Contains("kernel entry", message);
        Assert.Contains("CUDA_ERROR_INVALIDPTX", message);
        Assert.Contains("error log: line 7: unknown instruction", message);
    }

    [Fact]
    public void A_linker_that_fails_leaves_the_driver_to_load_the_text()
    {
        using CudaAccelerator gpu = Open();
        _driver.Failing["CompleteLink"] = CudaResult.NoBinaryForGpu;
        gpu.Launch(s_scale, new LaunchShape(1, 32), default(View<float>), 4, 1f);
        Assert.Contains("LoadText", _driver.Calls);
    }

    [Fact]
    public void Launches_out_of_range_are_refused_by_name()
    {
        using CudaAccelerator gpu = Open();
        Refused("an empty extent", new LaunchShape(0, 32));
        Refused("at most 65,535 along y and z", new LaunchShape(new Index3(1, 65536), 32));
        Refused("at most 1024 in all and 64 along z", new LaunchShape(1, new Index3(32, 33)));
        Refused("at most 1024 in all and 64 along z", new LaunchShape(1, new Index3(1, 1, 65)));
        Refused("divides the grid", new LaunchShape(7, 32) { Cluster = 2 });
        Assert.Empty(_driver.Launches);

        _shared = 300_000;
        Refused("needs 300,000 bytes of shared memory; cuda:0 has 232,448", new LaunchShape(1, 32));
        _shared = 100_000;
        _driver.MaximumThreads = 256;
        _driver.Registers = 255;
        Refused("255 registers a thread leave room for groups of 256 threads on cuda:0; the launch asks for 512×1×1", new LaunchShape(1, 512));

        void Refused(string expected, LaunchShape shape)
        {
            string message = Assert.Throws<CaldException>(() => gpu.Launch(s_scale, shape, default(View<float>), 4, 1f)).Message;
            Assert.StartsWith("kernel Scale: ", message);
            Assert.Contains(expected, message);
        }
    }

    [Theory]
    [InlineData(80, PtxTarget.Sm90, "9.0 or later")]
    [InlineData(89, PtxTarget.Sm90a, "9.0 exactly")]
    [InlineData(120, PtxTarget.Sm90a, "9.0 exactly")]
    public void A_kernel_for_another_device_is_refused(int capability, PtxTarget target, string expected)
    {
        _driver.Capability = capability;
        _target = target;
        using CudaAccelerator gpu = Open();
        Assert.Contains(expected, Assert.Throws<CaldException>(() => gpu.Launch(s_scale, new LaunchShape(1, 32), default(View<float>), 4, 1f)).Message);
    }

    [Fact]
    public void Much_shared_memory_is_asked_for_and_given_at_each_launch()
    {
        _shared = 100_000;
        using CudaAccelerator gpu = Open();
        gpu.Launch(s_scale, new LaunchShape(1, 32), default(View<float>), 4, 1f);
        Assert.Contains("SetFunctionAttribute DynamicSharedBytes 100000", _driver.Calls);
        Assert.Equal(100_000, _driver.Launches.Single().Shared);
    }

    [Fact]
    public void Host_copies_of_any_length_keep_every_byte()
    {
        using CudaAccelerator gpu = Open();
        foreach (int length in new[] { 0, 1, 255, 4 << 20, (4 << 20) + 1, 21_000_001 })
        {
            byte[] values = new byte[length];
            new Random(length).NextBytes(values);
            using DeviceBuffer<byte> a = gpu.Allocate<byte>(values);
            using DeviceBuffer<byte> b = gpu.Allocate<byte>(length);
            gpu.CopyOnDevice(a.Address, b.Address, length);
            Assert.Equal(values, b.ToArray());
        }

        Assert.Equal(6, _driver.LiveHostBlocks);
    }

    [Fact]
    public void A_chunk_of_the_ring_is_waited_for_before_it_is_written_again()
    {
        using CudaStream stream = new(_driver, 0, "cuda:0");
        using HostStaging staging = new(stream, chunkBytes: 1024, chunks: 2);
        _driver.Allocate(1 << 20, out nint device);
        byte[] values = new byte[1024];
        for (int i = 0; i < 5; i++)
        {
            staging.Upload(values, device);
        }

        Assert.Equal(4, _driver.Calls.Count(c => c == "RecordEvent"));
        Assert.Equal(3, _driver.Calls.Count(c => c == "WaitForEvent"));
        _driver.Free(device);
    }

    [Fact]
    public void A_recording_refuses_what_needs_the_host_and_allows_new_kernels_and_memory()
    {
        using CudaAccelerator gpu = Open();
        using DeviceBuffer<float> buffer = gpu.Allocate<float>(10);
        gpu.BeginCapture();
        foreach (Action refused in new Action[] { gpu.Synchronize, () => buffer.ToArray(), () => buffer.CopyFrom([1]), () => gpu.Mark(), gpu.BeginCapture, gpu.Trim })
        {
            Assert.Contains("while a graph is recorded", Assert.Throws<CaldException>(refused).Message);
        }

        using DeviceBuffer<float> inside = gpu.Allocate<float>(10_000_000);
        gpu.Launch(s_scale, new LaunchShape(1, 32), inside.View, 4, 1f);
        gpu.Fill(buffer.Address, 40, 0);
        using (CapturedGraph graph = gpu.EndCapture())
        {
            Assert.Equal(new GraphContents(1, 0, 1, 0, true), graph.Contents);
            Assert.Equal("1 kernels, 1 fills, straight", graph.Contents.ToString());
            graph.Launch();
            graph.Launch();
            Assert.Equal(2, _driver.Calls.Count(c => c == "LaunchGraph"));
        }

        gpu.Synchronize();
        Assert.Contains("EndCapture without BeginCapture", Assert.Throws<CaldException>(() => gpu.EndCapture()).Message);
    }

    [Fact]
    public void A_recording_that_forks_says_so_and_one_that_cannot_be_sent_is_given_back()
    {
        using CudaAccelerator gpu = Open();
        using DeviceBuffer<float> buffer = gpu.Allocate<float>(10);
        _driver.MoreEdges.Add((0, 2));
        using (CapturedGraph forked = Record())
        {
            Assert.Equal("3 fills, forked", forked.Contents.ToString());
        }

        _driver.Failing["GraphEdges"] = CudaResult.Unknown;
        using (CapturedGraph unknown = Record())
        {
            Assert.Equal("3 fills, order unknown", unknown.Contents.ToString());
        }

        int destroyed = _driver.Calls.Count(c => c == "DestroyExecutable");
        _driver.Failing["UploadGraph"] = CudaResult.OutOfMemory;
        Assert.Contains("sending a graph of 3 nodes to the device", Assert.Throws<CaldException>(Record).Message);
        Assert.Equal(destroyed + 1, _driver.Calls.Count(c => c == "DestroyExecutable"));

        CapturedGraph Record()
        {
            gpu.BeginCapture();
            for (int i = 0; i < 3; i++)
            {
                gpu.Fill(buffer.Address, 40, 0);
            }

            return gpu.EndCapture();
        }
    }

    [Fact]
    public void A_fault_names_the_last_launches_and_ends_the_device()
    {
        using CudaAccelerator gpu = Open();
        DeviceBuffer<float> buffer = gpu.Allocate<float>(10);
        gpu.Launch(s_scale, new LaunchShape(5, 32), buffer.View, 4, 1f);
        gpu.Launch(s_scale, new LaunchShape(6, 64), buffer.View, 4, 1f);
        _driver.Failing["Synchronize"] = CudaResult.IllegalAddress;
        string message = Assert.Throws<CaldException>(gpu.Synchronize).Message;
        Assert.Contains("CUDA_ERROR_ILLEGALADDRESS", message);
        Assert.Contains("latest first: Scale (grid 6×1×1, group 64×1×1), Scale (grid 5×1×1, group 32×1×1)", message);
        Assert.Contains("--device debug", message);
        Assert.Contains("cannot be used any more in this process, since a kernel failed", Assert.Throws<CaldException>(gpu.Synchronize).Message);

        // What is closed on the way out must not hide the first error.
        buffer.Dispose();
    }

    [Fact]
    public void A_device_that_disappears_says_so()
    {
        using CudaAccelerator gpu = Open();
        _driver.Failing["Fill"] = CudaResult.DeviceUnavailable;
        string message = Assert.Throws<CaldException>(() => gpu.Fill(0x1000, 1, 0)).Message;
        Assert.Contains("the device was lost", message);
        Assert.Contains("last checkpoint", message);
    }

    [Fact]
    public void Closing_leaves_nothing_behind()
    {
        using (CudaAccelerator gpu = Open())
        {
            DeviceBuffer<float> leaked = gpu.Allocate<float>(1000);
            leaked.CopyFrom(new float[1000]);
            gpu.Launch(s_scale, new LaunchShape(1, 32), leaked.View, 4, 1f);
        }

        Assert.Equal(0, _driver.Allocated);
        Assert.Equal(0, _driver.LiveHostBlocks);
        Assert.Equal(0, _driver.LiveEvents);
        Assert.Contains("UnloadModule", _driver.Calls);
        Assert.Contains("ReleaseContext", _driver.Calls);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void Scale(View<float> x, [Constant] int unrolled, float factor)
    {
        for (int i = 0; i < unrolled; i++)
        {
            x[i] *= factor;
        }
    }

    private CudaAccelerator Open() => new(_driver, 0, Compile, new CubinCache(_folder));

    private CompiledKernel Compile(Kernel kernel, Index3 group, ReadOnlySpan<byte> arguments, PtxTarget target)
    {
        _compiled++;
        return new CompiledKernel
        {
            Entry = kernel.Name,
            Ptx = $"{kernel.Name} {group} {arguments[16]}",
            Target = _target,
            Group = group,
            SharedBytes = _shared,
            DynamicSharedBytes = _shared > 49152 ? _shared : 0,
            Parameters = [.. kernel.Parameters.Where(p => !p.IsConstant)],
            Evaluated = 1,
        };
    }
}
