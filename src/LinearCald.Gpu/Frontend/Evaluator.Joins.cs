using LinearCald.Gpu.Frontend.Il;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend;

internal sealed partial class Evaluator
{
    /// <summary>Most instructions that are run on both paths rather than branched around.</summary>
    private const int MaximumConverted = 6;
    private const int MaximumSelects = 8;

    /// <summary>
    /// One path from several. Where they agree, values stay as they are; where they differ, a register is chosen by the path taken. The two arms of a
    /// branch that hold only cheap arithmetic are both run, and selects choose.
    /// </summary>
    private Edge Merge(List<Edge> edges, IlBlock? target, Frame frame)
    {
        if (edges.Count == 1)
        {
            return edges[0];
        }

        if (target is not null)
        {
            foreach (Edge edge in edges)
                ClearDead(frame, target, edge);
        }

        List<Edge> rest = [.. edges];
        while (rest.Count > 1 && ConvertPair(rest))
        {
        }

        return rest.Count == 1 ? rest[0] : Join(rest);
    }

    private static void ClearDead(Frame frame, IlBlock target, Edge edge)
    {
        bool[] live = target.LiveLocalsIn;
        for (int i = 0; i < live.Length; i++)
        {
            if (!live[i])
            {
                MethodPlan.Variable local = frame.Plan.Locals[i];
                edge.Slots.AsSpan(frame.Base + local.Slot, local.Layout.Leaves.Length).Fill(Undefined.Instance);
            }
        }
    }

    /// <summary>Turns one pair of paths that come from one branch into selects, if there is such a pair.</summary>
    private bool ConvertPair(List<Edge> edges)
    {
        for (int i = 1; i < edges.Count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                if (edges[i].Block.ForkedFrom is { Exit: Exit.Branch } fork && fork == edges[j].Block.ForkedFrom
                    && edges[i].Block != edges[j].Block && Convertible(edges[i], edges[j]))
                {
                    edges[j] = Convert(fork, edges[i], edges[j]);
                    edges.RemoveAt(i);
                    return true;
                }
            }
        }

        return false;
    }

    private static bool Convertible(Edge a, Edge b)
    {
        if (a.Block.Code.Count + b.Block.Code.Count > MaximumConverted || !Cheap(a.Block) || !Cheap(b.Block))
        {
            return false;
        }

        int selects = 0;
        for (int i = 0; i < a.Count && selects <= MaximumSelects; i++)
            selects += Selects(a.Slots[i], b.Slots[i]);

        for (int i = 0; i < a.Stack.Length; i++)
            selects += Selects(a.Stack[i], b.Stack[i]);

        return selects <= MaximumSelects;
    }

    private static bool Cheap(Block block)
    {
        foreach (Instruction instruction in block.Code)
        {
            if ((instruction.Flags & InstructionFlags.Cheap) == 0)
            {
                return false;
            }
        }

        return block.Exit == Exit.Open && block.Parameters.Count == 0;
    }

    private static int Selects(Value a, Value b)
    {
        if (Values.Same(a, b))
        {
            return 0;
        }

        if (a is Aggregate x && b is Aggregate y && x.Leaves.Length == y.Leaves.Length)
        {
            int sum = 0;
            for (int i = 0; i < x.Leaves.Length; i++)
                sum += Selects(x.Leaves[i], y.Leaves[i]);

            return sum;
        }

        return a is Scalar && b is Scalar ? 1 : 0;
    }

    private Edge Convert(Block fork, Edge a, Edge b)
    {
        Operand predicate = fork.Condition;
        (Edge then, Edge otherwise) = fork.Target == a.Block ? (a, b) : (b, a);
        fork.Reopen();
        Code.Current = fork;
        Code.Adopt(then.Block);
        Code.Adopt(otherwise.Block);
        Condition condition = new(predicate.Register, false);
        for (int i = 0; i < then.Count; i++)
            then.Slots[i] = Select(condition, then.Slots[i], otherwise.Slots[i]);

        if (then.Stack.Length > 0)
        {
            Value[] stack = new Value[then.Stack.Length];
            for (int i = 0; i < stack.Length; i++)
                stack[i] = Select(condition, then.Stack[i], otherwise.Stack[i]);

            then.Stack = stack;
        }

        then.Block = fork;
        return then;
    }

    private Value Select(Condition condition, Value a, Value b)
    {
        if (Values.Same(a, b) || b is Undefined)
        {
            return a;
        }

        if (a is Undefined)
        {
            return b;
        }

        if (a is Scalar x && b is Scalar y && Compatible(x, y))
        {
            return Arithmetic.Select(condition, x, y);
        }

        if (a is Aggregate p && b is Aggregate q && p.Leaves.Length == q.Leaves.Length)
        {
            Value[] leaves = new Value[p.Leaves.Length];
            for (int i = 0; i < leaves.Length; i++)
                leaves[i] = Select(condition, p.Leaves[i], q.Leaves[i]);

            return new Aggregate(p.Layout, leaves);
        }

        return Disagreement(a, b);
    }

    private static bool Compatible(Scalar a, Scalar b) => Number(a) == Number(b);

    private static RegisterKind Number(Scalar a) => a.Kind == RegisterKind.Predicate ? RegisterKind.B32 : a.Kind;

    private static Poison Disagreement(Value a, Value b) =>
        a as Poison ?? b as Poison ?? new Poison($"it is a {Arithmetic.Describe(a)} on one path and another {Arithmetic.Describe(b)} on the other");

    private Edge Join(List<Edge> edges)
    {
        Block dominator = edges[0].Block;
        for (int i = 1; i < edges.Count; i++)
            dominator = Block.Common(dominator, edges[i].Block);

        Block join = Code.NewBlock(dominator);
        Edge first = edges[0];
        Value[] values = new Value[edges.Count];
        Value[] merged = new Value[first.Count];
        for (int slot = 0; slot < merged.Length; slot++)
        {
            for (int e = 0; e < values.Length; e++)
                values[e] = edges[e].Slots[slot];

            merged[slot] = Choose(join, edges, values);
        }

        Value[] stack = new Value[first.Stack.Length];
        for (int i = 0; i < stack.Length; i++)
        {
            for (int e = 0; e < values.Length; e++)
                values[e] = edges[e].Stack[i];

            stack[i] = Choose(join, edges, values);
        }

        foreach (Edge edge in edges)
            edge.Block.Jump(join);

        return new Edge(join, merged, merged.Length) { Stack = stack };
    }

    /// <summary>One value from those of several paths: theirs if they agree, else a parameter of the join.</summary>
    private Value Choose(Block join, List<Edge> edges, Value[] values)
    {
        Value? common = null;
        bool differ = false;
        foreach (Value value in values)
        {
            if (value is Undefined)
            {
                continue;
            }

            if (common is null)
            {
                common = value;
            }
            else if (!Values.Same(common, value))
            {
                differ = true;
                if (common is not Scalar x || value is not Scalar y || !Compatible(x, y))
                {
                    return common is Aggregate && value is Aggregate ? ChooseLeaves(join, edges, values) : Disagreement(common, value);
                }
            }
        }

        if (!differ)
        {
            return common ?? Undefined.Instance;
        }

        RegisterKind kind = Number((Scalar)common!);
        (int low, int high) = (int.MaxValue, int.MinValue);
        for (int e = 0; e < values.Length; e++)
        {
            Operand argument = Operand.None;
            if (values[e] is not Undefined)
            {
                Code.Current = edges[e].Block;
                argument = Arithmetic.Use(Arithmetic.Number(values[e], "join"));
                if (kind == RegisterKind.B32)
                {
                    (int l, int h) = Arithmetic.RangeOf(values[e]);
                    (low, high) = (Math.Min(low, l), Math.Max(high, h));
                }
            }

            edges[e].Block.Arguments.Add(argument);
        }

        int register = kind == RegisterKind.B32 ? Code.NewRegister(kind, low, high) : Code.NewRegister(kind);
        join.Parameters.Add(register);
        return Arithmetic.OfRegister(kind, register);
    }

    private Aggregate ChooseLeaves(Block join, List<Edge> edges, Value[] values)
    {
        TypeLayout layout = ((Aggregate)Array.Find(values, v => v is Aggregate)!).Layout;
        Value[] leaves = new Value[layout.Leaves.Length];
        for (int i = 0; i < leaves.Length; i++)
            leaves[i] = Choose(join, edges, Array.ConvertAll(values, v => v is Aggregate a ? a.Leaves[i] : v));

        return new Aggregate(layout, leaves);
    }
}
