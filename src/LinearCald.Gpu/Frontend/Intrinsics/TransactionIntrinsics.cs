using System.Reflection;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>Barrier objects in shared memory (<c>mbarrier</c>) and copies of boxes of tensors (<c>cp.async.bulk.tensor</c>).</summary>
internal static class TransactionIntrinsics
{
    public static void Register(IntrinsicTable.Registry registry)
    {
        registry.Add(typeof(Mbarrier), nameof(Mbarrier.Init), static (e, _, a) =>
        {
            e.Require(PtxTarget.Sm90);
            e.Effect("mbarrier.init.shared::cta.b64", InstructionFlags.None, null, Address(e, a[0]), e.Use(a[1]));
            return null;
        });
        registry.Add(typeof(Mbarrier), nameof(Mbarrier.FenceInit), static (e, _, _) =>
        {
            e.Require(PtxTarget.Sm90);
            e.Effect("fence.mbarrier_init.release.cluster", InstructionFlags.None, null);
            return null;
        });
        registry.Add(typeof(Mbarrier), nameof(Mbarrier.Arrive), static (e, _, a) =>
        {
            e.Require(PtxTarget.Sm90);
            e.Effect("mbarrier.arrive.shared::cta.b64 _, $0", InstructionFlags.None, null, Address(e, a[0]));
            return null;
        });
        registry.Add(typeof(Mbarrier), nameof(Mbarrier.ArriveExpect), static (e, _, a) =>
        {
            e.Require(PtxTarget.Sm90);
            e.Effect("mbarrier.arrive.expect_tx.shared::cta.b64 _, $0, $1", InstructionFlags.None, null, Address(e, a[0]), e.Use(a[1]));
            return null;
        });
        registry.Add(typeof(Mbarrier), "TryWait", static (e, _, a) =>
        {
            e.Require(PtxTarget.Sm90);
            return e.Issue("mbarrier.try_wait.parity.shared::cta.b64", RegisterKind.Predicate, InstructionFlags.Divergent, Address(e, a[0]), e.Use(a[1]));
        });
        registry.Add(typeof(Tma), nameof(Tma.Load2D), static (e, m, a) => Load(e, m, a, "2d", "$2, $3}], $4"));
        registry.Add(typeof(Tma), nameof(Tma.Load3D), static (e, m, a) => Load(e, m, a, "3d", "$2, $3, $4}], $5"));
        registry.Add(typeof(Tma), nameof(Tma.Load4D), static (e, m, a) => Load(e, m, a, "4d", "$2, $3, $4, $5}], $6"));
        registry.Add(typeof(Tma), nameof(Tma.Prefetch), static (e, _, a) =>
        {
            e.Require(PtxTarget.Sm90);
            e.Effect("prefetch.tensormap", InstructionFlags.None, null, e.Arithmetic.Address64(e.Leaves(a[0])[0]));
            return null;
        });
    }

    private static Operand Address(Emit emit, Value barrier) => emit.Arithmetic.Address32(emit.Leaves(barrier)[0]);

    private static Value? Load(Emit emit, MethodBase method, ReadOnlySpan<Value> arguments, string rank, string coordinates)
    {
        emit.Require(PtxTarget.Sm90);
        Operand[] operands = new Operand[arguments.Length];
        operands[0] = emit.SharedAddress(arguments[0], Known.Of(0), method.GetGenericArguments()[0]);
        operands[1] = emit.Register(emit.Leaves(arguments[1])[0]);
        for (int i = 2; i < operands.Length - 1; i++)
            operands[i] = emit.Register(arguments[i]);

        operands[^1] = Address(emit, arguments[^1]);

        // A shared address of this group is an address in its cluster too.
        emit.Effect($"cp.async.bulk.tensor.{rank}.shared::cluster.global.mbarrier::complete_tx::bytes $0, [$1, {{{coordinates}", InstructionFlags.None, null, operands);
        return null;
    }
}
