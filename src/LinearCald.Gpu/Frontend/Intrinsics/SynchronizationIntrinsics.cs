using System.Reflection;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>Barriers and fences of the group.</summary>
internal static class SynchronizationIntrinsics
{
    public static void Register(IntrinsicTable.Registry registry)
    {
        registry.Add(typeof(Group), nameof(Group.Barrier), Barrier);
        registry.Add(typeof(Group), nameof(Group.Arrive), static (e, _, a) =>
        {
            e.Effect("bar.arrive", InstructionFlags.Convergent, null, Named(e, a));
            return null;
        });
        registry.Add(typeof(Group), nameof(Group.BarrierOr), static (e, _, a) => Vote(e, "bar.red.or.pred", RegisterKind.Predicate, a[0]));
        registry.Add(typeof(Group), nameof(Group.BarrierAnd), static (e, _, a) => Vote(e, "bar.red.and.pred", RegisterKind.Predicate, a[0]));
        registry.Add(typeof(Group), nameof(Group.BarrierCount), static (e, _, a) => Vote(e, "bar.red.popc.u32", RegisterKind.B32, a[0]));
        registry.Add(typeof(Group), nameof(Group.FenceDevice), static (e, _, _) => Fence(e, "membar.gl"));
        registry.Add(typeof(Group), nameof(Group.FenceGroup), static (e, _, _) => Fence(e, "membar.cta"));
        registry.Add(typeof(Group), nameof(Group.FenceProxyAsync), static (e, _, _) =>
        {
            e.Require(PtxTarget.Sm90);
            return Fence(e, "fence.proxy.async.shared::cta");
        });
    }

    private static Value? Barrier(Emit emit, MethodBase method, ReadOnlySpan<Value> arguments)
    {
        if (arguments.Length == 0)
        {
            emit.Effect("bar.sync", InstructionFlags.Convergent | InstructionFlags.GroupWide, null, Operand.Integer(0));
        }
        else
        {
            emit.Effect("bar.sync", InstructionFlags.Convergent, null, Named(emit, arguments));
        }

        return null;
    }

    private static Operand[] Named(Emit emit, ReadOnlySpan<Value> arguments)
    {
        long id = emit.Known(arguments[0], "the number of a barrier");
        long threads = emit.Known(arguments[1], "the number of threads at a barrier");
        return id is >= 1 and <= 15 && threads > 0 && threads % Warp.Size == 0 && threads <= emit.Group.Count
            ? [Operand.Integer(id), Operand.Integer(threads)]
            : throw emit.Refuse($"barrier {id} for {threads} threads: numbers are 1 to 15, threads a multiple of 32 and no more than the group has ({emit.Group.Count})");
    }

    private static Scalar Vote(Emit emit, string mnemonic, RegisterKind kind, Value condition) =>
        emit.Issue(mnemonic, kind, InstructionFlags.Convergent | InstructionFlags.GroupWide | InstructionFlags.Uniform, Operand.Integer(0), emit.Predicate(condition));

    private static Value? Fence(Emit emit, string mnemonic)
    {
        emit.Effect(mnemonic, InstructionFlags.None, null);
        return null;
    }
}
