using System.Numerics;
using LinearCald.Testing.Ptx.Decoding;
using LinearCald.Testing.Ptx.Memory;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Execution;

/// <summary>cp.async.bulk.tensor from global to shared memory, zeros outside of the tensor: arrives when a thread waits for its barrier.</summary>
internal sealed class TensorCopyInstruction(AddressOperand to, AddressOperand map, int[] coordinates, AddressOperand barrier) : MemoryAccess(StateSpace.Shared, to)
{
    private const int MapAlignment = 64;
    private const int StartAlignment = 16;

    public override void Run(Warp warp, uint lanes)
    {
        foreach (int register in (ReadOnlySpan<int>)[Base, map.Register, .. coordinates, barrier.Register])
        {
            warp.Require(this, register, lanes);
        }

        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            TensorMapDescription description = Map(warp, lane);
            ulong destination = Address(warp, lane);
            int bytes = description.BoxBytes;
            CheckAlignment(warp, lane, destination, description.Swizzle.BoxAlignment());
            CheckShared(warp, lane, destination, bytes, "writes");
            GlobalBlock? block = warp.Group.Launch.Memory.Find((ulong)description.Address, 1);
            if (description.Rank != coordinates.Length || block is null || block.End - (ulong)description.Address < (ulong)description.Length)
            {
                throw warp.Error(lane, this, $"copies from a tensor of {description.Rank} dimensions and {description.Length:N0} bytes by {coordinates.Length} coordinates, or that no longer lies in one block: {warp.Group.Launch.Memory.Nearest((ulong)description.Address)}");
            }

            ulong signal = warp.Registers[(barrier.Register * 32) + lane] + (ulong)barrier.Offset;
            if (!warp.Group.TransactionBarriers.TryGetValue(signal, out TransactionBarrier? found))
            {
                throw warp.Error(lane, this, $"there is no initialised barrier at {warp.Group.Launch.Code.Shared.Name(signal)}");
            }

            int[] start = [.. coordinates.Select(c => (int)warp.Registers[(c * 32) + lane])];
            int column = start[0];
            if ((long)column * description.Element.Bytes() % StartAlignment != 0)
            {
                throw warp.Error(lane, this, $"copies a box from element {column} of its rows, {(long)column * description.Element.Bytes()} bytes from their start; a device ends in an illegal instruction unless that is a multiple of {StartAlignment}");
            }

            warp.Group.Shared.Pend(warp, lane, destination, bytes, this);
            int thread = warp.FirstThread + lane;
            found.Copies.Enqueue(new BulkCopy(destination, bytes, thread, warp.Group.Clocks.Tick(thread), () => description.Read(start, (int)destination)));
        }
    }

    /// <summary>The map is read where it lies, among the parameters.</summary>
    private unsafe TensorMapDescription Map(Warp warp, int lane)
    {
        (StateSpace space, ulong at) = Window.Split(warp.Registers[(map.Register * 32) + lane] + (ulong)map.Offset);
        byte[] parameters = warp.Group.Launch.Parameters;
        if (space != StateSpace.Param || at % MapAlignment != 0 || at + (ulong)sizeof(TensorMap) > (ulong)parameters.Length)
        {
            throw warp.Error(lane, this, "the tensor map is not a parameter, or not aligned to 64 bytes");
        }

        fixed (byte* p = &parameters[at])
        {
            return TensorMapDescription.Of(*(TensorMap*)p);
        }
    }
}
