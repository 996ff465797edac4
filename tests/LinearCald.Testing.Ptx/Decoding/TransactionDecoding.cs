using LinearCald.Testing.Ptx.Execution;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Decoding;

/// <summary>mbarrier and cp.async.bulk.</summary>
internal static class TransactionDecoding
{
    public static Instruction Barrier(Decoder d)
    {
        d.Code.SharedAccess(4);
        string name = d.ExpectAny("init", "inval", "arrive", "expect_tx", "try_wait", "test_wait");
        bool isExpecting = name == "arrive" && d.Take("expect_tx");
        bool isWait = name is "try_wait" or "test_wait";
        d.Needs(isExpecting || name is "expect_tx" or "try_wait" ? 90 : 80, isExpecting || name == "expect_tx" ? 80 : name == "try_wait" ? 78 : 70);
        if (isWait)
        {
            d.Expect("parity");
        }

        if (d.TakeAny("release", "acquire", "relaxed") is not null)
        {
            d.ExpectAny("cta", "cluster");
        }

        d.ExpectAny("shared", "shared::cta");
        d.Expect("b64");
        switch (name)
        {
            case "init":
                return new TransactionBarrierInstruction(BarrierAction.Initialise, d.Address(StateSpace.Shared), d.Source(PtxType.U32), -1);
            case "inval":
                return new TransactionBarrierInstruction(BarrierAction.Invalidate, d.Address(StateSpace.Shared), -1, -1);
            case "expect_tx":
                return new TransactionBarrierInstruction(BarrierAction.Expect, d.Address(StateSpace.Shared), d.Source(PtxType.U32), -1);
            case "arrive":
                if (d.DestinationOrSink(PtxType.B64) >= 0)
                {
                    throw d.Error("the state that an arrival returns is not emulated: write _ and wait by parity");
                }

                Operand at = d.Operand();
                AddressOperand address = d.Address(at, StateSpace.Shared);
                int operand = isExpecting || d.OperandsLeft > 0 ? d.Source(PtxType.U32) : -1;
                return new TransactionBarrierInstruction(isExpecting ? BarrierAction.ArriveExpecting : BarrierAction.Arrive, address, operand, -1);
            default:
                int result = d.Destination(PtxType.Predicate);
                AddressOperand barrier = d.Address(StateSpace.Shared);
                int parity = d.Source(PtxType.U32);
                if (name == "try_wait" && d.OperandsLeft > 0)
                {
                    d.Source(PtxType.U32);
                }

                return new TransactionBarrierInstruction(BarrierAction.Wait, barrier, parity, result);
        }
    }

    /// <summary>cp.async.bulk, after "cp.async.bulk" has been taken.</summary>
    public static Instruction BulkCopy(Decoder d)
    {
        d.Needs(90, 80);
        if (d.Take("tensor"))
        {
            return TensorCopy(d);
        }

        d.ExpectAny("shared::cluster", "shared::cta");
        d.Expect("global", "mbarrier::complete_tx::bytes");
        d.Code.SharedAccess(4);
        return new BulkCopyInstruction(d.Address(StateSpace.Shared), d.Address(StateSpace.Global), d.Source(PtxType.U32), d.Address(StateSpace.Shared));
    }

    /// <summary>cp.async.bulk.tensor, boxes of tensors from global to shared memory.</summary>
    private static TensorCopyInstruction TensorCopy(Decoder d)
    {
        int rank = d.ExpectAny("2d", "3d", "4d", "5d")[0] - '0';
        if (d.ExpectAny("shared::cluster", "shared::cta") == "shared::cta")
        {
            d.Needs(90, 86);
        }

        d.Expect("global");
        d.Take("tile");
        d.Expect("mbarrier::complete_tx::bytes");
        d.Code.SharedAccess(4);
        AddressOperand to = d.Address(StateSpace.Shared);
        Operand map = d.Operand();
        if (map.Items.Count != 2 || map.Items[1].Items.Count != rank)
        {
            throw d.Error($"expected [map, {{{rank} coordinates}}]");
        }

        return new TensorCopyInstruction(
            to,
            d.Address(map, StateSpace.Generic),
            [.. map.Items[1].Items.Select(i => d.Source(i, PtxType.S32))],
            d.Address(StateSpace.Shared));
    }
}
