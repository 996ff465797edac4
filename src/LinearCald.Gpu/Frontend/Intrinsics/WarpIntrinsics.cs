using System.Reflection;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>Exchanges, votes and reductions within a warp, always of all 32 lanes.</summary>
internal static class WarpIntrinsics
{
    private static readonly Operand s_allLanes = Operand.Integer(-1);

    public static void Register(IntrinsicTable.Registry registry)
    {
        // The last operand clamps: lanes below 0 for 'up', above 31 for the others.
        registry.Add(typeof(Warp), nameof(Warp.ShuffleXor), static (e, m, a) => Shuffle(e, m, a, "bfly", 31));
        registry.Add(typeof(Warp), nameof(Warp.ShuffleUp), static (e, m, a) => Shuffle(e, m, a, "up", 0));
        registry.Add(typeof(Warp), nameof(Warp.ShuffleDown), static (e, m, a) => Shuffle(e, m, a, "down", 31));
        registry.Add(typeof(Warp), nameof(Warp.Shuffle), static (e, m, a) => Shuffle(e, m, a, "idx", 31));
        registry.Add(typeof(Warp), nameof(Warp.Ballot), static (e, _, a) => Vote(e, a[0], "vote.sync.ballot.b32", RegisterKind.B32));
        registry.Add(typeof(Warp), nameof(Warp.Any), static (e, _, a) => Vote(e, a[0], "vote.sync.any.pred", RegisterKind.Predicate));
        registry.Add(typeof(Warp), nameof(Warp.All), static (e, _, a) => Vote(e, a[0], "vote.sync.all.pred", RegisterKind.Predicate));
        registry.Add(typeof(Warp), nameof(Warp.ReduceAdd), static (e, _, a) => Reduce(e, a[0], "redux.sync.add.s32"));
        registry.Add(typeof(Warp), nameof(Warp.ReduceMin), static (e, _, a) => Reduce(e, a[0], "redux.sync.min.s32"));
        registry.Add(typeof(Warp), nameof(Warp.ReduceMax), static (e, _, a) => Reduce(e, a[0], "redux.sync.max.s32"));
        registry.Add(typeof(Warp), nameof(Warp.Barrier), static (e, _, _) =>
        {
            e.Effect("bar.warp.sync", InstructionFlags.Convergent, null, s_allLanes);
            return null;
        });
    }

    private static Value Vote(Emit emit, Value condition, string mnemonic, RegisterKind kind) =>
        emit.Issue(mnemonic, kind, InstructionFlags.Convergent, emit.Predicate(condition), s_allLanes);

    private static Value Reduce(Emit emit, Value value, string mnemonic) =>
        emit.Issue(mnemonic, RegisterKind.B32, InstructionFlags.Convergent, emit.Register(value), s_allLanes);

    private static Value Shuffle(Emit emit, MethodBase method, ReadOnlySpan<Value> arguments, string mode, int clamp)
    {
        TypeLayout layout = TypeLayout.Of(method.GetGenericArguments()[0]);
        if (layout.Size is not (4 or 8))
        {
            throw emit.Refuse($"a shuffle of {layout.Type.Name}, which has {layout.Size} bytes: shuffles take values of 4 or 8 bytes; exchange larger ones in parts");
        }

        if (arguments[1] is Known { Int: < 0 or > 31 } lane && mode != "idx")
        {
            throw emit.Refuse($"a shuffle by {lane.Int}: lanes are 0 to 31");
        }

        Operand by = emit.Use(arguments[1]);
        ReadOnlySpan<Value> leaves = emit.Leaves(arguments[0]);
        Value[] results = new Value[leaves.Length];
        for (int i = 0; i < leaves.Length; i++)
            results[i] = Exchange(emit, emit.Arithmetic.Number(leaves[i], "shuffle"), $"shfl.sync.{mode}.b32", by, Operand.Integer(clamp));

        return layout.IsStruct ? new Aggregate(layout, results) : results[0];
    }

    /// <summary>One register; 64-bit ones in two halves.</summary>
    private static Value Exchange(Emit emit, Scalar value, string mnemonic, Operand by, Operand clamp)
    {
        if (value.Kind is RegisterKind.B32 or RegisterKind.F32)
        {
            return emit.Issue(mnemonic, value.Kind, InstructionFlags.Convergent, emit.Register(value), by, clamp, s_allLanes);
        }

        Value[] halves = emit.IssueMany("mov.b64", RegisterKind.B32, 2, InstructionFlags.Arithmetic, [2, 1], emit.Register(value));
        Value low = emit.Issue(mnemonic, RegisterKind.B32, InstructionFlags.Convergent, emit.Register(halves[0]), by, clamp, s_allLanes);
        Value high = emit.Issue(mnemonic, RegisterKind.B32, InstructionFlags.Convergent, emit.Register(halves[1]), by, clamp, s_allLanes);
        return emit.IssueMany("mov.b64", value.Kind, 1, InstructionFlags.Arithmetic, [1, 2], emit.Register(low), emit.Register(high))[0];
    }
}
