using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LinearCald.Gpu.Driver;

/// <content>Kernels.</content>
public sealed unsafe partial class CudaAccelerator
{
    /// <summary>Loads hand-written PTX, for tests.</summary>
    /// <param name="ptx">The module's text.</param>
    /// <param name="entry">The function's name within it.</param>
    /// <param name="dynamicSharedBytes">Shared memory that each launch asks for.</param>
    internal CudaFunction LoadPtx(string ptx, string entry, int dynamicSharedBytes = 0)
    {
        Enter();
        return Load(entry, ptx, entry, 1, dynamicSharedBytes, [], 0);
    }

    /// <summary>Launches hand-written PTX; each parameter is the low bytes of a word.</summary>
    [SkipLocalsInit]
    internal void Launch(CudaFunction function, in LaunchShape shape, params ReadOnlySpan<long> arguments)
    {
        Enter();
        LaunchRules.CheckShape(function.Name, shape, Name, Limits);
        fixed (long* p = arguments)
        {
            void** parameters = stackalloc void*[arguments.Length];
            for (int i = 0; i < arguments.Length; i++)
            {
                parameters[i] = p + i;
            }

            Launch(function, shape, parameters);
        }
    }

    /// <summary>What the assembler made of a kernel for a group size and constant arguments; compiles it if need be.</summary>
    internal KernelStatistics Examine(Kernel kernel, Index3 group, ReadOnlySpan<byte> arguments)
    {
        Enter();
        return (_functions.Find(kernel, group, arguments) ?? Build(kernel, group, arguments)).Statistics;
    }

    [SkipLocalsInit]
    internal override void LaunchPacked(Kernel kernel, in LaunchShape shape, ReadOnlySpan<byte> arguments)
    {
        Enter();
        LaunchRules.CheckShape(kernel.Name, shape, Name, Limits);
        CudaFunction function = _functions.Find(kernel, shape.Group, arguments) ?? Build(kernel, shape.Group, arguments);
        fixed (byte* p = arguments)
        {
            int[] offsets = function.Offsets;
            void** parameters = stackalloc void*[offsets.Length];
            for (int i = 0; i < offsets.Length; i++)
            {
                parameters[i] = p + offsets[i];
            }

            Launch(function, shape, parameters);
        }
    }

    /// <inheritdoc/>
    internal override TensorMap Encode(in TensorMapDescription description)
    {
        Enter();
        if (Limits.Capability < 90)
        {
            throw new CaldException($"tensor map: {Name} has compute capability {Limits.Capability / 10}.{Limits.Capability % 10}; the copy engine of 9.0 (Hopper) or later is needed");
        }

        if (_maps.TryFind(description, out TensorMap found))
        {
            return found;
        }

        void* map = NativeMemory.AlignedAlloc((nuint)sizeof(TensorMap), TensorMap.Alignment);
        try
        {
            _stream.Check(_stream.Driver.EncodeTensorMap(map, description), "describing a tensor to the copy engine");
            _maps.Add(description, *(TensorMap*)map);
            return *(TensorMap*)map;
        }
        finally
        {
            NativeMemory.AlignedFree(map);
        }
    }

    private void Launch(CudaFunction function, in LaunchShape shape, void** parameters)
    {
        LaunchOption cluster = default;
        LaunchConfiguration configuration = new()
        {
            GridX = (uint)shape.Grid.X,
            GridY = (uint)shape.Grid.Y,
            GridZ = (uint)shape.Grid.Z,
            GroupX = (uint)shape.Group.X,
            GroupY = (uint)shape.Group.Y,
            GroupZ = (uint)shape.Group.Z,
            SharedBytes = (uint)function.DynamicSharedBytes,
            Stream = _stream.Handle,
        };
        if (shape.Cluster != 1)
        {
            cluster = new LaunchOption { Id = LaunchOption.ClusterDimension, X = (uint)shape.Cluster, Y = 1, Z = 1 };
            configuration.Options = &cluster;
            configuration.OptionCount = 1;
        }

        _stream.Launched(function.Name, shape);
        CudaResult result = _stream.Driver.Launch(&configuration, function.Handle, parameters);
        if (result != CudaResult.Success)
        {
            throw _stream.Failure(result, $"launching kernel {function.Name} with grid {shape.Grid}, group {shape.Group}, {function.Statistics.Registers} registers a thread and {function.Statistics.SharedBytes:N0} bytes of shared memory");
        }
    }

    /// <summary>Compiles, checks and loads: what the first launch of a kernel costs.</summary>
    private CudaFunction Build(Kernel kernel, Index3 group, ReadOnlySpan<byte> arguments)
    {
        long start = Stopwatch.GetTimestamp();
        // The compiler goes up from there if the kernel needs it; what it writes for less runs on every newer device.
        CompiledKernel compiled = _compile(kernel, group, arguments, PtxTarget.Sm80);
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        LaunchRules.CheckNeeds(kernel.Name, compiled, Name, Limits);
        CudaFunction function = Load(
            kernel.Name, compiled.Ptx, compiled.Entry, group, compiled.DynamicSharedBytes, [.. compiled.Parameters.Select(p => p.Offset)], milliseconds);
        LaunchRules.CheckRegisters(kernel.Name, group, function.Statistics.Registers, function.Statistics.MaximumThreads, Name);
        _functions.Add(kernel, group, arguments, function);
        return function;
    }

    private CudaFunction Load(string name, string ptx, string entry, Index3 group, int dynamicSharedBytes, int[] offsets, double compileMilliseconds)
    {
        long start = Stopwatch.GetTimestamp();
        nint handle = _loader.Load(name, ptx, entry, out bool fromCache);
        if (dynamicSharedBytes > 0)
        {
            _stream.Check(
                _stream.Driver.SetFunctionAttribute(handle, FunctionProperty.DynamicSharedBytes, dynamicSharedBytes),
                $"asking for {dynamicSharedBytes:N0} bytes of shared memory for kernel {name}");
        }

        _stream.Check(_stream.Driver.ActiveGroups(handle, (int)group.Count, (nuint)dynamicSharedBytes, out int groups), $"examining kernel {name}");
        return new CudaFunction
        {
            Handle = handle,
            Name = name,
            DynamicSharedBytes = dynamicSharedBytes,
            Offsets = offsets,
            Statistics = new KernelStatistics
            {
                Name = name,
                Group = group,
                Registers = Property(FunctionProperty.Registers),
                LocalBytes = Property(FunctionProperty.LocalBytes),
                SharedBytes = Property(FunctionProperty.StaticSharedBytes) + dynamicSharedBytes,
                MaximumThreads = Property(FunctionProperty.MaximumThreads),
                GroupsPerMultiprocessor = groups,
                FromCache = fromCache,
                CompileMilliseconds = compileMilliseconds,
                LoadMilliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds,
            },
        };

        int Property(FunctionProperty property)
        {
            _stream.Check(_stream.Driver.FunctionAttribute(handle, property, out int value), $"examining kernel {name}");
            return value;
        }
    }
}
