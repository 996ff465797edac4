using System.Reflection;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>Grid, Group and Warp indices and sizes. Group sizes are constants; every index carries its range.</summary>
internal static class IndexIntrinsics
{
    /// <summary>Most groups of a grid along y and z.</summary>
    private const int MaximumGrid = 65535;

    public static void Register(IntrinsicTable.Registry registry)
    {
        registry.Add(typeof(Grid), "get_IndexX", static (e, _, _) => Special(e, "%ctaid.x", 0, int.MaxValue - 1));
        registry.Add(typeof(Grid), "get_IndexY", static (e, _, _) => Special(e, "%ctaid.y", 0, MaximumGrid - 1));
        registry.Add(typeof(Grid), "get_IndexZ", static (e, _, _) => Special(e, "%ctaid.z", 0, MaximumGrid - 1));
        registry.Add(typeof(Grid), "get_SizeX", static (e, _, _) => Special(e, "%nctaid.x", 1, int.MaxValue));
        registry.Add(typeof(Grid), "get_SizeY", static (e, _, _) => Special(e, "%nctaid.y", 1, MaximumGrid));
        registry.Add(typeof(Grid), "get_SizeZ", static (e, _, _) => Special(e, "%nctaid.z", 1, MaximumGrid));
        registry.Add(typeof(Grid), "get_ThreadX", GridThread);
        registry.Add(typeof(Group), "get_IndexX", static (e, _, _) => Thread(e, "%tid.x", e.Group.X));
        registry.Add(typeof(Group), "get_IndexY", static (e, _, _) => Thread(e, "%tid.y", e.Group.Y));
        registry.Add(typeof(Group), "get_IndexZ", static (e, _, _) => Thread(e, "%tid.z", e.Group.Z));
        registry.Add(typeof(Group), "get_SizeX", static (e, _, _) => Known.Of(e.Group.X));
        registry.Add(typeof(Group), "get_SizeY", static (e, _, _) => Known.Of(e.Group.Y));
        registry.Add(typeof(Group), "get_SizeZ", static (e, _, _) => Known.Of(e.Group.Z));
        registry.Add(typeof(Group), "get_Thread", static (e, _, _) => Thread(e));
        registry.Add(typeof(Warp), "get_Lane", static (e, _, _) => e.Arithmetic.And(Thread(e), Known.Of(Warp.Size - 1)));
        registry.Add(typeof(Warp), "get_Index", static (e, _, _) => e.Arithmetic.ShiftRight(Thread(e), Known.Of(5), false));
    }

    private static Value Special(Emit emit, string name, int minimum, int maximum) =>
        emit.IssueInRange("mov.u32", minimum, maximum, InstructionFlags.Arithmetic, Operand.Named(name));

    private static Value Thread(Emit emit, string name, int size) => size == 1
        ? Known.Of(0)
        : emit.IssueInRange("mov.u32", 0, size - 1, InstructionFlags.Arithmetic | InstructionFlags.Divergent, Operand.Named(name));

    /// <summary>As its C# body says, but known not to be negative: a grid whose thread index passes an int cannot use it.</summary>
    private static Value GridThread(Emit emit, MethodBase method, ReadOnlySpan<Value> arguments)
    {
        int size = emit.Group.X;
        Operand group = emit.Use(Special(emit, "%ctaid.x", 0, int.MaxValue - 1));
        Value first = emit.IssueInRange("mul.lo.s32", 0, int.MaxValue - size + 1, InstructionFlags.Arithmetic, group, Operand.Integer(size));
        return emit.Arithmetic.Add(first, Thread(emit, "%tid.x", size));
    }

    private static Value Thread(Emit emit)
    {
        Arithmetic a = emit.Arithmetic;
        Value plane = a.Add(Thread(emit, "%tid.y", emit.Group.Y), a.Multiply(Thread(emit, "%tid.z", emit.Group.Z), Known.Of(emit.Group.Y)));
        return a.Add(Thread(emit, "%tid.x", emit.Group.X), a.Multiply(plane, Known.Of(emit.Group.X)));
    }
}
