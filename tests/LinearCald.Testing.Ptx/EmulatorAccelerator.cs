using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;
using LinearCald.Testing.Ptx.Decoding;
using LinearCald.Testing.Ptx.Execution;
using LinearCald.Testing.Ptx.Memory;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx;

/// <summary>
/// A GPU made of software: kernels are compiled to PTX, and the text is parsed and run one warp at a time, with checks that no device has. Device memory is
/// host memory with guard gaps, every byte of it 0xFF at first.
/// </summary>
public sealed class EmulatorAccelerator : Accelerator
{
    /// <summary>The compiler gives the same text for the same input, so that accelerators share what it made.</summary>
    private static readonly ConcurrentDictionary<(Kernel Kernel, Index3 Group, string Constants, PtxTarget Target), CompiledKernel> s_compiled = new();

    private readonly AddressMap _memory = new();
    private readonly Dictionary<string, PtxModule> _modules = [];
    private readonly Dictionary<(PtxModule Module, string Entry, int DynamicBytes), KernelCode> _codes = [];
    private List<Action>? _recording;
    private List<nint> _freedInRecording = [];
    private int _recordedCopies;
    private int _recordedFills;

    /// <param name="options">How kernels run; by default forward, with no jitter.</param>
    public EmulatorAccelerator(EmulatorOptions? options = null) => Options = options ?? new EmulatorOptions();

    /// <summary>How the next launches run.</summary>
    public EmulatorOptions Options { get; set; }

    /// <inheritdoc/>
    public override string Name => "emulator";

    /// <inheritdoc/>
    public override string Description => $"PTX emulator, {Options.Target}, {Options.Schedule} schedule";

    /// <inheritdoc/>
    public override DeviceLimits Limits => new()
    {
        Capability = Options.Target == PtxTarget.Sm80 ? 80 : 90,
        Multiprocessors = 4,
        GroupSharedBytes = Options.Target == PtxTarget.Sm80 ? 166912 : 232448,
        CacheBytes = 1 << 20,
        MemoryBytes = 1L << 32,
    };

    /// <inheritdoc/>
    public override AcceleratorMemory Memory => new(_memory.InUse, 0, _memory.Peak, _memory.Allocations);

    public override void ResetPeak() => _memory.ResetPeak();

    /// <summary>Instructions that threads have run so far, predicated-off ones too.</summary>
    public long ThreadInstructions { get; private set; }

    /// <summary>Blocks that have been allocated and not freed.</summary>
    public int LiveBlocks => _memory.Count;

    /// <inheritdoc/>
    public override nint Allocate(long bytes, string purpose) => _memory.Allocate(bytes, purpose);

    /// <inheritdoc/>
    public override void Free(nint address)
    {
        if (_recording is null)
        {
            _memory.Free(address);
        }
        else
        {
            _freedInRecording.Add(address); // replays use it
        }
    }

    /// <inheritdoc/>
    public override void Trim()
    {
    }

    /// <inheritdoc/>
    public override unsafe void CopyToDevice(ReadOnlySpan<byte> source, nint destination)
    {
        RefuseCapture("a copy from the host");
        source.CopyTo(new Span<byte>(Block(destination, source.Length), source.Length));
    }

    /// <inheritdoc/>
    public override unsafe void CopyToHost(nint source, Span<byte> destination)
    {
        RefuseCapture("a copy to the host");
        new ReadOnlySpan<byte>(Block(source, destination.Length), destination.Length).CopyTo(destination);
    }

    /// <inheritdoc/>
    public override unsafe void CopyOnDevice(nint source, nint destination, long bytes) =>
        Submit(() => Buffer.MemoryCopy(Block(source, bytes), Block(destination, bytes), bytes, bytes), ref _recordedCopies);

    /// <inheritdoc/>
    public override unsafe void Fill(nint address, long bytes, byte value) =>
        Submit(() => NativeMemory.Fill(Block(address, bytes), (nuint)bytes, value), ref _recordedFills);

    /// <inheritdoc/>
    public override void Synchronize() => RefuseCapture("waiting");

    /// <inheritdoc/>
    public override void BeginCapture()
    {
        RefuseCapture("a second capture");
        _recording = [];
        _freedInRecording = [];
        _recordedCopies = 0;
        _recordedFills = 0;
    }

    /// <inheritdoc/>
    public override CapturedGraph EndCapture()
    {
        EmulatedGraph graph = new(_recording ?? throw new CaldException("nothing is being recorded: call BeginCapture first"), _recordedCopies, _recordedFills, this, _freedInRecording);
        _recording = null;
        return graph;
    }

    /// <inheritdoc/>
    public override TimeMark Mark() => new EmulatedMark();

    /// <summary>Runs an entry of PTX text.</summary>
    /// <param name="ptx">A module; parsed once.</param>
    /// <param name="entry">Name of the entry.</param>
    /// <param name="shape">Groups and threads; the threads must be what <c>.reqntid</c> says.</param>
    /// <param name="parameters">The parameters as the entry lays them out: each at the next multiple of its alignment.</param>
    /// <param name="dynamicSharedBytes">Size of the extern shared array.</param>
    /// <exception cref="CaldException">The text or the kernel is wrong: says where, which thread, and what.</exception>
    public void RunPtx(string ptx, string entry, in LaunchShape shape, ReadOnlySpan<byte> parameters, int dynamicSharedBytes = 0)
    {
        PtxModule module = Module(ptx);
        PtxEntry found = module.Entry(entry);
        if (parameters.Length != found.ParameterBytes)
        {
            throw new CaldException($"entry {entry} has {found.ParameterBytes} bytes of parameters; the launch gives {parameters.Length}");
        }

        byte[] bytes = parameters.ToArray();
        LaunchShape copy = shape;
        Submit(() => Run(module, found, copy, bytes, dynamicSharedBytes));
    }

    internal override void LaunchPacked(Kernel kernel, in LaunchShape shape, ReadOnlySpan<byte> arguments)
    {
        CompiledKernel compiled = Compiled(kernel, shape.Group, arguments);
        PtxModule module = Module(compiled.Ptx);
        PtxEntry entry = module.Entry(compiled.Entry);
        if (entry.Parameters.Count != compiled.Parameters.Count)
        {
            throw new CaldException($"kernel {kernel.Name}: its PTX has {entry.Parameters.Count} parameters; {compiled.Parameters.Count} are announced");
        }

        byte[] bytes = new byte[entry.ParameterBytes];
        for (int i = 0; i < entry.Parameters.Count; i++)
        {
            PtxVariable declared = entry.Parameters[i];
            KernelParameter parameter = compiled.Parameters[i];
            if (declared.Size != parameter.Size)
            {
                throw new CaldException($"kernel {kernel.Name}: parameter '{parameter.Name}' has {parameter.Size} bytes; its PTX has {declared.Size}");
            }

            arguments.Slice(parameter.Offset, parameter.Size).CopyTo(bytes.AsSpan((int)declared.Address));
        }

        LaunchShape copy = shape;
        Submit(() => Run(module, entry, copy, bytes, compiled.DynamicSharedBytes));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _memory.Dispose();

    private CompiledKernel Compiled(Kernel kernel, Index3 group, ReadOnlySpan<byte> arguments)
    {
        StringBuilder constants = new();
        foreach (KernelParameter parameter in kernel.Parameters)
        {
            if (parameter.IsConstant)
            {
                constants.Append(Convert.ToHexString(arguments.Slice(parameter.Offset, parameter.Size))).Append(',');
            }
        }

        (Kernel, Index3, string, PtxTarget) key = (kernel, group, constants.ToString(), Options.Target);
        if (!s_compiled.TryGetValue(key, out CompiledKernel? compiled))
        {
            compiled = s_compiled.GetOrAdd(key, KernelCompiler.Compile(kernel, group, arguments, Options.Target));
        }

        return compiled;
    }

    private PtxModule Module(string ptx)
    {
        if (!_modules.TryGetValue(ptx, out PtxModule? module))
        {
            module = PtxModule.Parse(ptx);
            foreach (PtxVariable variable in module.Variables.Concat(module.Entries.Values.SelectMany(static e => e.Variables)))
            {
                PlaceGlobal(variable);
            }

            _modules.Add(ptx, module);
        }

        return module;
    }

    private unsafe void PlaceGlobal(PtxVariable variable)
    {
        if (variable.Space != StateSpace.Global)
        {
            return;
        }

        nint address = _memory.Allocate(variable.Size, $"global variable {variable.Name}");
        variable.Address = (ulong)address;

        // PTX ISA, "Initializers": global variables without one are zero.
        Span<byte> bytes = new((void*)address, (int)variable.Size);
        bytes.Clear();
        variable.Initial?.CopyTo(bytes);
    }

    private void Run(PtxModule module, PtxEntry entry, in LaunchShape shape, byte[] parameters, int dynamicBytes)
    {
        Index3 group = shape.Group;
        if (entry.RequiredGroup is { } required ? required != group : entry.MaximumGroup is { } maximum && group.Count > maximum.Count)
        {
            throw new CaldException($"entry {entry.Name} is for groups of {entry.RequiredGroup ?? entry.MaximumGroup} threads; the launch has {group}");
        }

        if (group.Count is < 1 or > 1024 || shape.Grid.Count < 1 || shape.Grid.Y > 65535 || shape.Grid.Z > 65535)
        {
            throw new CaldException($"entry {entry.Name}: a launch of {shape.Grid} groups of {group} threads is more than a device allows, or none");
        }

        if (!_codes.TryGetValue((module, entry.Name, dynamicBytes), out KernelCode? code))
        {
            code = CodeBuilder.Build(module, entry, dynamicBytes);
            _codes.Add((module, entry.Name, dynamicBytes), code);
        }

        PtxRun run = new(code, shape, parameters, _memory, Options);
        run.Run();
        ThreadInstructions += run.ThreadInstructions;
    }

    private void Submit(Action work, ref int recorded)
    {
        recorded += _recording is null ? 0 : 1;
        Submit(work);
    }

    private void Submit(Action work)
    {
        if (_recording is null)
        {
            work();
        }
        else
        {
            _recording.Add(work);
        }
    }

    private void RefuseCapture(string what)
    {
        if (_recording is not null)
        {
            throw new CaldException($"{what} is not allowed while work is being recorded");
        }
    }

    private unsafe void* Block(nint address, long bytes)
    {
        // Blocks of more than 2 GiB are checked by their ends.
        bool isInside = bytes == 0 || (_memory.Find((ulong)address, 1) is { } block && block.End - (ulong)address >= (ulong)bytes);
        return isInside ? (void*)address : throw new CaldException($"{bytes:N0} bytes at 0x{address:x} lie outside every live allocation: {_memory.Nearest((ulong)address)}");
    }
}
