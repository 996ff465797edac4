using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend;

internal sealed partial class Evaluator
{
    /// <summary>Most instructions that a loop may unroll to, most iterations, and the larger limit for loops that cannot stay loops.</summary>
    private const int UnrollBudget = 4000;
    private const int UnrollIterations = 128;
    private const int ForcedIterations = 4096;
    private const int ForcedBudget = 200_000;

    // Loops that were decided to stay loops, with the variables that changed in them when last run: later trials of the loops around need no second guess.
    private readonly Dictionary<(int Path, int Header), HashSet<int>> _residual = [];
    private int _residualLoops;

    private void RunLoop(Frame frame, LoopPlan plan, Edge entry)
    {
        if (entry.Stack.Length > 0)
        {
            throw Refuse("a loop starts inside an expression");
        }

        ClearDead(frame, plan.Loop.Header, entry);
        (int, int) key = (frame.Path, plan.Loop.Header.Index);
        Refusal? first = null;
        bool counted = false;
        HashSet<int> changed = [];
        if (!plan.Keep && !_residual.ContainsKey(key))
        {
            (int iterations, int budget) = plan.Unroll ? (ForcedIterations, ForcedBudget) : (UnrollIterations, UnrollBudget);
            if (TryUnroll(frame, plan, entry, iterations, budget, changed, out first, out counted) || frame.Aborted is not null)
            {
                return;
            }

            if (plan.Unroll)
            {
                throw first ?? Refuse($"Loop.Unroll in a loop whose trip count is not known, or is more than {ForcedIterations}, or comes to more than {ForcedBudget:N0} instructions");
            }
        }

        try
        {
            RunResidual(frame, plan, entry, key, changed);
        }
        catch (Refusal)
        {
            // What cannot be a loop, such as one that indexes registers by its counter, may still unroll past the usual budget.
            if (counted && TryUnroll(frame, plan, entry, UnrollIterations, UnrollBudget * 10, [], out _, out _))
            {
                return;
            }

            if (first is not null)
            {
                throw first;
            }

            throw;
        }
    }

    /// <summary>
    /// Runs the loop iteration by iteration on known values. Gives up, leaving no trace, when an exit is not known or the code would grow past the budget,
    /// which is predicted after the first iteration where the exit tests allow it.
    /// </summary>
    private bool TryUnroll(Frame frame, LoopPlan plan, Edge entry, int iterations, int budget, HashSet<int> changed, out Refusal? refusal, out bool counted)
    {
        Trial trial = Begin(frame, entry);
        LoopRun run = new(plan, frame.Loop, true);
        int header = plan.Loop.Header.Index;
        int start = Code.Issued;
        Edge edge = entry.Fork(entry.Block);
        refusal = null;
        counted = false;
        for (int i = 0; ; i++)
        {
            Value[] before = edge.Slots.AsSpan(0, edge.Count).ToArray();
            run.Tests.Clear();
            frame.Loop = run;
            frame.Push(plan.Loop.Header, edge);
            try
            {
                RunBlocks(frame, plan.Blocks, plan.Loop);
            }
            catch (Refusal r)
            {
                refusal = r;
                Restore(frame, trial);
                return false;
            }

            frame.Loop = run.Outer;
            if (frame.Aborted is { } aborted)
            {
                if (aborted == run)
                {
                    Restore(frame, trial);
                }

                return false;
            }

            if (frame.Take(plan.Loop.Header) is not { } back)
            {
                return true;
            }

            edge = Merge(back, plan.Loop.Header, frame);
            ClearDead(frame, plan.Loop.Header, edge);
            int issued = Code.Issued - start;
            bool fits = issued <= budget && i + 1 < iterations;
            if (fits && i == 0 && Predict(run, before, edge, iterations) is { } trips)
            {
                counted = trips <= iterations;
                fits = counted && (long)trips * issued <= budget;
            }

            if (!fits)
            {
                counted |= i + 1 < iterations && !run.Unexplained;
                for (int slot = 0; slot < before.Length; slot++)
                {
                    if (!Values.Same(before[slot], edge.Slots[slot]) && edge.Slots[slot] is not Undefined)
                    {
                        changed.Add(slot);
                    }
                }

                Restore(frame, trial);
                return false;
            }
        }
    }

    /// <summary>
    /// How often the loop will run, from the comparisons that decided about the first iteration: one side is a variable that moved by a step, the other is
    /// taken as fixed. Null where that says nothing.
    /// </summary>
    private static int? Predict(LoopRun run, Value[] before, Edge after, int limit)
    {
        int? trips = null;
        foreach (KnownComparison test in run.Tests)
        {
            if (Step(test.Left, before, after) is { } left)
            {
                trips = Math.Min(trips ?? int.MaxValue, Count(test, left, 0, limit));
            }
            else if (Step(test.Right, before, after) is { } right)
            {
                trips = Math.Min(trips ?? int.MaxValue, Count(test, 0, right, limit));
            }
        }

        return trips;
    }

    /// <summary>By how much the variable moves that has this value before or after the first iteration.</summary>
    private static long? Step(long value, Value[] before, Edge after)
    {
        for (int i = 0; i < before.Length; i++)
        {
            if (before[i] is Known { Kind: RegisterKind.B32 or RegisterKind.B64 } a && after.Slots[i] is Known b && a.Bits != b.Bits && (value == a.Bits || value == b.Bits))
            {
                return b.Bits - a.Bits;
            }
        }

        return null;
    }

    private static int Count(KnownComparison test, long left, long right, int limit)
    {
        bool stays = Holds(test, 0, 0);
        for (int n = 1; n <= limit; n++)
        {
            if (Holds(test, left * n, right * n) != stays)
            {
                return n;
            }
        }

        return int.MaxValue;
    }

    private static bool Holds(KnownComparison test, long left, long right)
    {
        long a = test.Left + left;
        long b = test.Right + right;
        return test.Operator.Holds(test.Unsigned ? ((ulong)a).CompareTo((ulong)b) : a.CompareTo(b));
    }

    /// <summary>
    /// Makes the loop a loop of the device. Variables that change hold registers at its header; which ones those are is guessed, tried, and widened until
    /// a run of the body changes no others.
    /// </summary>
    private void RunResidual(Frame frame, LoopPlan plan, Edge entry, (int, int) key, HashSet<int> changed)
    {
        HashSet<int> seeds = Seeds(frame, plan, entry, key);
        seeds.UnionWith(changed);
        try
        {
            Widen(frame, plan, entry, key, seeds);
        }
        catch (Refusal) when (seeds.Count > 0)
        {
            // The guess may have made a register of something that has to be known.
            Widen(frame, plan, entry, key, []);
        }
    }

    private HashSet<int> Seeds(Frame frame, LoopPlan plan, Edge entry, (int, int) key)
    {
        HashSet<int> seeds = [];
        foreach (int local in plan.StoredLocals)
        {
            MethodPlan.Variable variable = frame.Plan.Locals[local];
            for (int i = 0; i < variable.Layout.Leaves.Length; i++)
                seeds.Add(frame.Base + variable.Slot + i);
        }

        if (_residual.TryGetValue(key, out HashSet<int>? earlier))
        {
            seeds.UnionWith(earlier.Where(s => s < entry.Count));
        }

        return seeds;
    }

    private void Widen(Frame frame, LoopPlan plan, Edge entry, (int, int) key, HashSet<int> seeds)
    {
        Trial trial = Begin(frame, entry);
        HashSet<int> changing = [.. seeds];
        HashSet<int> unheld = [];
        HashSet<int> unbounded = [];
        while (true)
        {
            LoopHead head = EnterLoop(frame, plan, entry, changing, unheld, unbounded);
            LoopRun run = new(plan, frame.Loop, false);
            frame.Loop = run;
            _residualLoops++;
            frame.Push(plan.Loop.Header, head.State.Fork(head.Block));
            Edge? back = null;
            Refusal? refusal = null;
            bool grew = false;
            try
            {
                RunBlocks(frame, plan.Blocks, plan.Loop);
            }
            catch (Refusal r)
            {
                refusal = r;
                if (_edge is { } at && at.Count >= entry.Count)
                {
                    grew |= Grow(head, at, changing, unheld, unbounded, true);
                }
            }

            if (frame.Aborted is not null && refusal is null)
            {
                return;
            }

            if (frame.Take(plan.Loop.Header) is { } edges)
            {
                back = Merge(edges, plan.Loop.Header, frame);
                ClearDead(frame, plan.Loop.Header, back);
                grew |= Grow(head, back, changing, unheld, unbounded, false);
            }

            if (grew)
            {
                Restore(frame, trial);
                continue;
            }

            if (refusal is not null)
            {
                Restore(frame, trial);
                throw refusal;
            }

            frame.Loop = run.Outer;
            _residualLoops--;
            if (back is not null)
            {
                Code.Current = back.Block;
                foreach (int slot in head.Slots)
                    back.Block.Arguments.Add(back.Slots[slot] is Undefined ? Operand.None : Arithmetic.Use(Arithmetic.Number(back.Slots[slot], "loop")));

                back.Block.Jump(head.Block);
            }

            _residual[key] = changing;
            return;
        }
    }

    /// <summary>The header of a loop, and the state in which its body starts.</summary>
    private LoopHead EnterLoop(Frame frame, LoopPlan plan, Edge entry, HashSet<int> changing, HashSet<int> unheld, HashSet<int> unbounded)
    {
        Code.Current = entry.Block;
        Block block = Code.NewBlock(entry.Block);
        block.LoopSite = new Site(frame, plan.Loop.Header.Offset);
        Edge state = entry.Fork(block);
        List<int> slots = [];
        foreach (int slot in changing.Order())
        {
            Value value = entry.Slots[slot];
            if (value is Undefined or Poison)
            {
                continue;
            }

            if (value is not Scalar scalar || unheld.Contains(slot))
            {
                state.Slots[slot] = new Poison("it changes in the loop, and no register can hold it");
                continue;
            }

            RegisterKind kind = Number(scalar);
            int register;
            if (kind == RegisterKind.B32)
            {
                (int low, int high) = Intrinsics.Emit.Range(_kinds[slot]);
                int start = Arithmetic.RangeOf(value).Low;
                register = Code.NewRegister(kind, start >= 0 && !unbounded.Contains(slot) ? Math.Max(low, start) : low, high);
            }
            else
            {
                register = Code.NewRegister(kind);
            }

            entry.Block.Arguments.Add(Arithmetic.Use(Arithmetic.Number(value, "loop")));
            block.Parameters.Add(register);
            state.Slots[slot] = Arithmetic.OfRegister(kind, register);
            slots.Add(slot);
        }

        entry.Block.Jump(block);
        return new LoopHead(block, state, slots);
    }

    /// <summary>Adds what differs between the header and a path that has gone round. Whether anything was added.</summary>
    private bool Grow(LoopHead head, Edge back, HashSet<int> changing, HashSet<int> unheld, HashSet<int> unbounded, bool partial)
    {
        bool grew = false;
        for (int slot = 0; slot < head.State.Count; slot++)
        {
            Value before = head.State.Slots[slot];
            Value after = back.Slots[slot];
            if (before is Undefined or Poison || after is Undefined || Values.Same(before, after))
            {
                continue;
            }

            grew |= changing.Add(slot);
            if (partial || !head.Slots.Contains(slot))
            {
                continue;
            }

            if (after is not Scalar x || Number(x) != Number((Scalar)before))
            {
                grew |= unheld.Add(slot);
            }
            else if (before is Linear32 { Offset: 0 } b && !KeepsMinimum(b.Register, after))
            {
                grew |= unbounded.Add(slot);
            }
        }

        return grew;
    }

    /// <summary>Whether a loop register never falls below its first value. A counter that only grows is taken not to overflow.</summary>
    private bool KeepsMinimum(int register, Value after)
    {
        int minimum = Code.Facts(register).Minimum;
        return Arithmetic.RangeOf(after).Low >= minimum || (after is Linear32 { Offset: > 0 } step && step.Register == register);
    }

    private Trial Begin(Frame frame, Edge entry)
    {
        Code.Current = entry.Block;
        return new Trial(Code.Save(), frame.Snapshot(), frame.Loop, _top, _residualLoops);
    }

    private void Restore(Frame frame, Trial trial)
    {
        Code.Rollback(trial.Mark);
        frame.Restore(trial.Pending);
        frame.Loop = trial.Loop;
        _frame = frame;
        _top = trial.Top;
        _residualLoops = trial.ResidualLoops;
        _edge = null;
    }

    private readonly record struct Trial(CodeBuilder.Mark Mark, int[] Pending, LoopRun? Loop, int Top, int ResidualLoops);

    /// <summary>The start of a loop of the device.</summary>
    /// <param name="Block">Its first block.</param>
    /// <param name="State">What variables hold there.</param>
    /// <param name="Slots">Those that the block's parameters hold, in their order.</param>
    private readonly record struct LoopHead(Block Block, Edge State, List<int> Slots);
}
