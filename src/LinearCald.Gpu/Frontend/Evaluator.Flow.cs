using LinearCald.Gpu.Frontend.Il;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend;

internal sealed partial class Evaluator
{
    /// <summary>Runs the blocks of a method or of a loop in their order, each with all paths that have reached it.</summary>
    private void RunBlocks(Frame frame, IlBlock[] blocks, IlLoop? loop)
    {
        for (int i = 0; i < blocks.Length && frame.Aborted is null;)
        {
            IlBlock block = blocks[i];
            if (block.IsLoopHeader && block.Loop != loop)
            {
                LoopPlan inner = frame.Plan.Loop(block.Loop!);
                if (frame.Take(block) is { } entries)
                {
                    RunLoop(frame, inner, Merge(entries, block, frame));
                }

                i += inner.Blocks.Length;
                continue;
            }

            if (frame.Take(block) is { } edges)
            {
                Resume(Merge(edges, block, frame));
                RunBlock(frame, block);
            }

            i++;
        }
    }

    /// <summary>Goes on with a path.</summary>
    private void Resume(Edge edge)
    {
        _edge = edge;
        Code.Current = edge.Block;
    }

    /// <summary>What is on the stack from <paramref name="bottom"/> on moves to the path.</summary>
    private void SaveStack(int bottom)
    {
        _edge!.Stack = _top == bottom ? [] : _stack.AsSpan(bottom, _top - bottom).ToArray();
        _top = bottom;
    }

    private void Go(Frame frame, IlBlock target)
    {
        if (target.OnlyThrows)
        {
            Code.Current.Exit = Exit.Trap;
        }
        else
        {
            frame.Push(target, _edge!);
        }

        _edge = null;
    }

    /// <summary>A two-way branch.</summary>
    private void Branch(Frame frame, Value value, IlBlock whenTrue, IlBlock whenFalse)
    {
        Value condition = Arithmetic.ToCondition(value);
        if (condition is Known known)
        {
            Decided(frame, known, whenTrue, whenFalse);
            Go(frame, known.Bits != 0 ? whenTrue : whenFalse);
            return;
        }

        if (whenTrue == whenFalse)
        {
            Go(frame, whenTrue);
            return;
        }

        Condition c = (Condition)condition;
        if (whenTrue.OnlyThrows || whenFalse.OnlyThrows)
        {
            // A check: traps where it fails, and the path goes on undivided.
            Operand fails = whenTrue.OnlyThrows ? Operand.Of(c.Register, c.Negated) : Operand.Of(c.Register, !c.Negated);
            Code.Issue("@$0 trap", RegisterKind.Predicate, InstructionFlags.None, [fails], count: 0);
            Go(frame, whenTrue.OnlyThrows ? whenFalse : whenTrue);
            return;
        }

        if (Leaves(frame, whenTrue, whenFalse))
        {
            return;
        }

        (Block then, Block otherwise) = Code.Fork(Operand.Of(c.Register));
        (Block forTrue, Block forFalse) = c.Negated ? (otherwise, then) : (then, otherwise);
        Edge edge = _edge!;
        Edge other = edge.Fork(forFalse);
        edge.Block = forTrue;
        frame.Push(whenTrue, edge);
        frame.Push(whenFalse, other);
        _edge = null;
    }

    /// <summary>A switch on an unknown value: comparisons one by one.</summary>
    private void Switch(Frame frame, Value value, IlBlock[] cases, IlBlock next)
    {
        Scalar number = Arithmetic.Number(value, "switch");
        if (number is Known known)
        {
            Go(frame, (ulong)known.Bits < (ulong)cases.Length ? cases[known.Int] : next);
            return;
        }

        for (int i = 0; i < cases.Length; i++)
        {
            if (cases[i] == next)
            {
                continue;
            }

            Value hit = Arithmetic.Compare(Comparison.Equal, number, Known.Of(i), false);
            if (hit is Known k)
            {
                if (k.Bits != 0)
                {
                    Go(frame, cases[i]);
                    return;
                }

                continue;
            }

            Condition c = (Condition)hit;
            if (Leaves(frame, cases[i], next))
            {
                return;
            }

            (Block then, Block otherwise) = Code.Fork(Operand.Of(c.Register));
            Edge edge = _edge!;
            Edge taken = edge.Fork(then);
            if (cases[i].OnlyThrows)
            {
                then.Exit = Exit.Trap;
            }
            else
            {
                frame.Push(cases[i], taken);
            }

            edge.Block = otherwise;
            Code.Current = otherwise;
        }

        Go(frame, next);
    }

    /// <summary>Ends the trial of a loop that would be left, or not, on an unknown condition. Whether any was ended.</summary>
    private static bool Leaves(Frame frame, IlBlock a, IlBlock b)
    {
        for (LoopRun? run = frame.Loop; run is not null; run = run.Outer)
        {
            IReadOnlySet<IlBlock> blocks = run.Plan.Loop.Blocks;
            if (run.Unrolling && !run.Plan.Unroll && (!blocks.Contains(a) || !blocks.Contains(b)))
            {
                frame.Aborted = run;
            }
        }

        return frame.Aborted is not null;
    }

    /// <summary>Notes a known condition that decides whether loops go on.</summary>
    private static void Decided(Frame frame, Known condition, IlBlock a, IlBlock b)
    {
        for (LoopRun? run = frame.Loop; run is not null; run = run.Outer)
        {
            IReadOnlySet<IlBlock> blocks = run.Plan.Loop.Blocks;
            if (run.Unrolling && blocks.Contains(a) != blocks.Contains(b) && !a.OnlyThrows && !b.OnlyThrows)
            {
                if (condition.Comparison is { } comparison)
                {
                    run.Tests.Add(comparison);
                }
                else
                {
                    run.Unexplained = true;
                }
            }
        }
    }
}
