using System.Globalization;
using System.Text;
using LinearCald.Gpu.Frontend.Il;
using LinearCald.Gpu.Frontend.Intrinsics;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend;

/// <summary>
/// An online partial evaluator of IL: runs a kernel's instructions on values that are known or live in registers, computes the known, issues code for the
/// rest. Calls are always inlined, structs are rows of leaves, and a loop is unrolled by being run. Used for one kernel, once.
/// </summary>
internal sealed partial class Evaluator
{
    private const int MaximumDepth = 100;

    /// <summary>Calls at either end of a chain that a message shows.</summary>
    private const int ShownCalls = 8;

    /// <summary>The name of shared memory in PTX.</summary>
    public const string SharedSymbol = "shared_memory";

    private readonly Kernel _kernel;
    private readonly Emit _emit;
    private readonly Dictionary<(int Path, int Offset, object Method), int> _paths = [];
    private Value[] _stack = new Value[256];
    private int _top;
    private LeafKind[] _kinds = new LeafKind[256];
    private Frame? _frame;

    // The path under evaluation; null once it has ended.
    private Edge? _edge;

    public Evaluator(Kernel kernel, Index3 group, PtxTarget target)
    {
        _kernel = kernel;
        Group = group;
        Target = target;
        Code = new CodeBuilder();
        Arithmetic = new Arithmetic(Code, Refuse);
        _emit = new Emit(this);
    }

    public CodeBuilder Code { get; }

    public Arithmetic Arithmetic { get; }

    public Index3 Group { get; }

    /// <summary>The lowest target that has what was used so far.</summary>
    public PtxTarget Target { get; private set; }

    /// <summary>IL instructions evaluated, trials included.</summary>
    public int Evaluated { get; private set; }

    public void Require(PtxTarget target)
    {
        if (Generation(target) > Generation(Target))
        {
            Target = target;
        }
    }

    /// <summary>Evaluates the kernel. Constant parameters come from packed launch arguments, the others from parameter space, where they have the names given.</summary>
    public void Run(ReadOnlySpan<byte> arguments, IReadOnlyList<string> parameterNames)
    {
        Edge edge = new(Code.Entry, new Value[64], 0);
        _edge = edge;
        MethodPlan plan = MethodPlan.Of(_kernel.Method);
        Frame frame = Enter(plan, 0, null);
        for (int i = 0; i < _kernel.Parameters.Count; i++)
        {
            KernelParameter parameter = _kernel.Parameters[i];
            TypeLayout layout = plan.Arguments[i].Layout;
            for (int j = 0; j < layout.Leaves.Length; j++)
            {
                Leaf leaf = layout.Leaves[j];
                edge.Slots[frame.Base + plan.Arguments[i].Slot + j] = parameter.IsConstant
                    ? ReadConstant(arguments[(parameter.Offset + leaf.Offset)..], leaf.Kind)
                    : parameter.Type == typeof(TensorMap) ? ParameterAddress(parameterNames[i]) : LoadParameter(parameterNames[i], leaf);
            }
        }

        frame.Push(plan.Blocks[0], edge);
        try
        {
            RunBlocks(frame, plan.Blocks, null);
        }
        catch (Refusal refusal)
        {
            throw new CaldException(refusal.Message, refusal);
        }

        foreach (Edge end in frame.Returns)
            end.Block.Exit = Exit.Return;
    }

    /// <summary>The exception that refuses what is being evaluated: kernel, what is wrong, and the chain of calls with source lines.</summary>
    public Refusal Refuse(string message) => new($"kernel {_kernel.Name}: {message}{Chain(_frame, _frame?.Offset ?? 0)}");

    public Site? Site() => _frame is null ? null : new Site(_frame, _frame.Offset);

    /// <summary>The lines of a message that say where.</summary>
    public static string Chain(Frame? frame, int offset)
    {
        StringBuilder text = new();
        int deepest = frame?.Depth ?? 0;
        while (frame is not null)
        {
            if (deepest - frame.Depth < ShownCalls || frame.Depth < ShownCalls)
            {
                text.Append(CultureInfo.InvariantCulture, $"\n   at {SourceLines.Describe(frame.Method, offset)}");
            }
            else if (frame.Depth == ShownCalls)
            {
                text.Append("\n   …");
            }

            offset = frame.CallOffset;
            frame = frame.Caller;
        }

        return text.ToString();
    }

    /// <summary>A variable or part of one.</summary>
    public Value ReadSlot(int slot, TypeLayout layout)
    {
        Value[] slots = _edge!.Slots;
        return layout.IsStruct ? new Aggregate(layout, slots.AsSpan(slot, layout.Leaves.Length).ToArray()) : slots[slot];
    }

    /// <summary>Assigns a variable or part of one; small integers wrap to its size.</summary>
    public void WriteSlot(int slot, TypeLayout layout, Value value)
    {
        Value[] slots = _edge!.Slots;
        if (value is Aggregate aggregate)
        {
            if (aggregate.Leaves.Length != layout.Leaves.Length)
            {
                throw Refuse($"a {aggregate.Layout.Type.Name} is stored as a {layout.Type.Name}");
            }

            aggregate.Leaves.CopyTo(slots, slot);
            return;
        }

        if (layout.Leaves.Length != 1)
        {
            throw value is Poison or Undefined ? Refuse($"a {layout.Type.Name} is read that {(value is Poison p ? p.Reason : "was never written")}") : Refuse($"a {Arithmetic.Describe(value)} is stored as a {layout.Type.Name}");
        }

        slots[slot] = Stored(value, layout.Leaves[0].Kind);
    }

    /// <summary>A new buffer of shared memory: its 32-bit address.</summary>
    public Value AllocateShared(long bytes, int alignment)
    {
        if (_residualLoops > 0)
        {
            throw Refuse("Shared.Allocate inside a loop that runs on the device: every call is a buffer of its own; call it before the loop");
        }

        long offset = (Code.SharedBytes + alignment - 1L) / alignment * alignment;
        if (offset + bytes > MaximumShared)
        {
            throw Refuse($"{offset + bytes:N0} bytes of shared memory; a group can have at most {MaximumShared:N0}");
        }

        Code.SharedBytes = (int)(offset + bytes);
        Code.SharedAlignment = Math.Max(Code.SharedAlignment, alignment);
        int symbol = Code.Issue("mov.u32", RegisterKind.B32, InstructionFlags.Arithmetic, [Operand.Named(SharedSymbol)], 0, 1 << 24);
        return new Linear32(symbol, (int)offset);
    }

    /// <summary>What a group of any device that we know can have; the launch checks the device's own limit.</summary>
    private const int MaximumShared = 227 * 1024;

    private static int Generation(PtxTarget target) => target == PtxTarget.Sm90a ? 90 * 2 + 1 : (int)target * 2;

    public static Known ReadConstant(ReadOnlySpan<byte> bytes, LeafKind kind) => kind switch
    {
        LeafKind.Bool => Known.Of(bytes[0] != 0),
        LeafKind.UInt8 => Known.Of((int)bytes[0]),
        LeafKind.Int8 => Known.Of((int)(sbyte)bytes[0]),
        LeafKind.Int16 => Known.Of((int)BitConverter.ToInt16(bytes)),
        LeafKind.UInt16 => Known.Of((int)BitConverter.ToUInt16(bytes)),
        LeafKind.Int32 or LeafKind.UInt32 => Known.Of(BitConverter.ToInt32(bytes)),
        LeafKind.Float32 => Known.Of(BitConverter.ToSingle(bytes)),
        LeafKind.Float64 => Known.Of(BitConverter.ToDouble(bytes)),
        _ => Known.Of(BitConverter.ToInt64(bytes)),
    };

    private Scalar LoadParameter(string name, Leaf leaf)
    {
        RegisterKind kind = TypeLayout.KindOf(leaf.Kind);
        (int low, int high) = Emit.Range(leaf.Kind);
        int register = Code.Issue($"ld.param.{TypeLayout.Suffix(leaf.Kind)}", kind, InstructionFlags.Arithmetic, [Operand.Address(name, leaf.Offset)], low, high);
        if (leaf.Kind == LeafKind.Pointer)
        {
            register = Code.Issue("cvta.to.global.u64", kind, InstructionFlags.Arithmetic, [Operand.Of(register)]);
        }

        return Arithmetic.OfRegister(kind, register);
    }

    /// <summary>The generic address of a parameter, which instructions for the copy engine take.</summary>
    private Scalar ParameterAddress(string name)
    {
        Require(PtxTarget.Sm90);
        int register = Code.Issue("mov.b64", RegisterKind.B64, InstructionFlags.Arithmetic, [Operand.Named(name)]);
        return Arithmetic.OfRegister(RegisterKind.B64, Code.Issue("cvta.param.u64", RegisterKind.B64, InstructionFlags.Arithmetic, [Operand.Of(register)]));
    }

    /// <summary>A value as a leaf holds it.</summary>
    private Value Stored(Value value, LeafKind kind) => kind switch
    {
        LeafKind.Bool or LeafKind.Int8 or LeafKind.UInt8 or LeafKind.Int16 or LeafKind.UInt16 when value is Scalar => Arithmetic.Narrow(value, kind),
        LeafKind.Float32 when value is Scalar { Kind: RegisterKind.F64 } => Arithmetic.ToFloat32(value, false),
        LeafKind.Float64 when value is Scalar { Kind: RegisterKind.F32 } => Arithmetic.ToFloat64(value, false),
        LeafKind.Int64 or LeafKind.UInt64 or LeafKind.Pointer when value is Scalar { Kind: RegisterKind.B32 } => Arithmetic.Widen(value, false),
        _ => value,
    };

    private Frame Enter(MethodPlan plan, int offset, Frame? caller)
    {
        int path = 0;
        if (caller is not null)
        {
            (int, int, object) key = (caller.Path, offset, plan);
            if (!_paths.TryGetValue(key, out path))
            {
                _paths[key] = path = _paths.Count + 1;
            }
        }

        int first = Reserve(plan.Kinds);
        Frame frame = new(plan, caller, offset, first, path);
        _frame = frame;
        return frame;
    }

    /// <summary>Room for leaves at the end of the state.</summary>
    private int Reserve(ReadOnlySpan<LeafKind> kinds)
    {
        int first = _edge!.Push(kinds.Length);
        if (_edge.Count > _kinds.Length)
        {
            Array.Resize(ref _kinds, Math.Max(_edge.Count, _kinds.Length * 2));
        }

        kinds.CopyTo(_kinds.AsSpan(first));
        return first;
    }
}
