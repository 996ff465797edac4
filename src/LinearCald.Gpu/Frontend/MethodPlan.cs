using System.Collections.Concurrent;
using System.Reflection;
using LinearCald.Gpu.Frontend.Il;

namespace LinearCald.Gpu.Frontend;

/// <summary>What every evaluation of a method needs: places of its variables, and its loops.</summary>
internal sealed class MethodPlan
{
    private static readonly ConcurrentDictionary<MethodBase, MethodPlan> s_plans = new();
    private readonly Dictionary<IlLoop, LoopPlan> _loops = [];

    private MethodPlan(IlMethod method)
    {
        Method = method;
        Blocks = [.. method.Blocks];
        int slot = 0;
        Arguments = [.. method.Arguments.Select(t => Place(t, ref slot))];
        Locals = [.. method.Locals.Select(t => Place(t, ref slot))];
        Leaves = slot;
        Kinds = [.. Arguments.Concat(Locals).SelectMany(v => v.Layout.Leaves.Select(l => l.Kind))];
        foreach (IlLoop loop in Blocks.Where(b => b.IsLoopHeader).Select(b => b.Loop!))
            _loops.Add(loop, new LoopPlan(loop, Blocks));
    }

    public IlMethod Method { get; }

    public IlBlock[] Blocks { get; }

    public Variable[] Arguments { get; }

    public Variable[] Locals { get; }

    /// <summary>Leaves of all arguments and locals.</summary>
    public int Leaves { get; }

    public LeafKind[] Kinds { get; }

    public static MethodPlan Of(MethodBase method) => s_plans.TryGetValue(method, out MethodPlan? plan) ? plan : s_plans.GetOrAdd(method, new MethodPlan(IlMethod.Of(method)));

    public LoopPlan Loop(IlLoop loop) => _loops[loop];

    private static Variable Place(Type type, ref int slot)
    {
        TypeLayout layout = TypeLayout.Of(type);
        Variable variable = new(slot, layout);
        slot += layout.Leaves.Length;
        return variable;
    }

    /// <summary>An argument or local.</summary>
    /// <param name="Slot">Its first leaf, from the first of the call.</param>
    /// <param name="Layout">Of its type.</param>
    internal readonly record struct Variable(int Slot, TypeLayout Layout);
}

/// <summary>What every evaluation of a loop needs.</summary>
internal sealed class LoopPlan
{
    public LoopPlan(IlLoop loop, IlBlock[] blocks)
    {
        Loop = loop;
        Blocks = [.. blocks.Where(loop.Blocks.Contains)];
        SortedSet<int> stored = [];
        foreach (IlBlock block in Blocks)
        {
            foreach (IlInstruction instruction in block.Instructions)
            {
                if (instruction.OpCode == System.Reflection.Emit.OpCodes.Stloc)
                {
                    stored.Add((int)instruction.Operand!);
                }

                if (block.Loop == loop && instruction.Operand is MethodInfo { DeclaringType: { } type } method && type == typeof(Gpu.Loop))
                {
                    Unroll |= method.Name == nameof(Gpu.Loop.Unroll);
                    Keep |= method.Name == nameof(Gpu.Loop.Keep);
                }
            }
        }

        StoredLocals = [.. stored.Where(l => loop.Header.LiveLocalsIn[l])];
    }

    public IlLoop Loop { get; }

    /// <summary>The loop's blocks, header first, inner loops in one piece each.</summary>
    public IlBlock[] Blocks { get; }

    /// <summary>The author asks to unroll whatever the size.</summary>
    public bool Unroll { get; }

    /// <summary>The author asks not to unroll.</summary>
    public bool Keep { get; }

    /// <summary>Locals that the loop assigns and that are live at its header: they surely change.</summary>
    public int[] StoredLocals { get; }
}
