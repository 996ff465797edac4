using System.Numerics;
using System.Runtime.CompilerServices;
using LinearCald.Testing.Ptx.Decoding;
using LinearCald.Testing.Ptx.Memory;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Execution;

/// <summary>A copy to shared memory that has started.</summary>
internal readonly record struct PendingCopy(ulong To, ulong From, int Bytes, int SourceBytes);

/// <summary>The copies of a warp's lanes that have started and not ended.</summary>
internal sealed class AsyncCopies
{
    public List<PendingCopy>[] Open { get; } = [.. Enumerable.Range(0, 32).Select(static _ => new List<PendingCopy>())];

    public Queue<List<PendingCopy>>[] Groups { get; } = [.. Enumerable.Range(0, 32).Select(static _ => new Queue<List<PendingCopy>>())];

    public static AsyncCopies Of(Warp warp) => warp.Copies ??= new AsyncCopies();

    /// <summary>Ends a group of copies of a lane.</summary>
    public static unsafe void Finish(Warp warp, int lane, List<PendingCopy> copies)
    {
        foreach (PendingCopy copy in copies)
        {
            byte* to = warp.Group.Shared.At(copy.To);
            Unsafe.CopyBlockUnaligned(to, (void*)copy.From, (uint)copy.SourceBytes);
            Unsafe.InitBlockUnaligned(to + copy.SourceBytes, 0, (uint)(copy.Bytes - copy.SourceBytes));
            warp.Group.Shared.Land(warp, lane, copy.To, copy.Bytes);
        }
    }
}

/// <summary>cp.async: its bytes arrive when the thread waits for its group; until then nobody may touch them.</summary>
internal sealed unsafe class CopyAsync(AddressOperand to, AddressOperand from, int bytes, int sourceBytes) : MemoryAccess(StateSpace.Shared, to)
{
    private GlobalBlock? _source;

    public override void Run(Warp warp, uint lanes)
    {
        warp.Require(this, Base, lanes);
        warp.Require(this, from.Register, lanes);
        if (sourceBytes >= 0)
        {
            warp.Require(this, sourceBytes, lanes);
        }

        AsyncCopies copies = AsyncCopies.Of(warp);
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong destination = Address(warp, lane);
            CheckAlignment(warp, lane, destination, bytes);
            CheckShared(warp, lane, destination, bytes, "writes");
            int count = sourceBytes < 0 ? bytes : (int)warp.Registers[(sourceBytes * 32) + lane];
            if (count < 0 || count > bytes)
            {
                throw warp.Error(lane, this, $"a source size of {count} of {bytes} bytes");
            }

            ulong source = warp.Registers[(from.Register * 32) + lane] + (ulong)from.Offset;
            if (count > 0)
            {
                CheckAlignment(warp, lane, source, bytes);
                Global(warp, lane, source, count, ref _source, "copies");
            }

            warp.Group.Shared.Pend(warp, lane, destination, bytes, this);
            copies.Open[lane].Add(new PendingCopy(destination, source, bytes, count));
        }
    }
}

/// <summary>cp.async.commit_group.</summary>
internal sealed class CommitCopies : Instruction
{
    public override void Run(Warp warp, uint lanes)
    {
        AsyncCopies copies = AsyncCopies.Of(warp);
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            copies.Groups[lane].Enqueue(copies.Open[lane]);
            copies.Open[lane] = [];
        }
    }
}

/// <summary>cp.async.wait_group, cp.async.wait_all.</summary>
internal sealed class WaitForCopies(int groups) : Instruction
{
    /// <summary>Whether copies that no group holds yet are waited for too.</summary>
    public bool IncludesOpen { get; init; }

    public override void Run(Warp warp, uint lanes)
    {
        AsyncCopies copies = AsyncCopies.Of(warp);
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            while (copies.Groups[lane].Count > groups)
            {
                AsyncCopies.Finish(warp, lane, copies.Groups[lane].Dequeue());
            }

            if (IncludesOpen)
            {
                AsyncCopies.Finish(warp, lane, copies.Open[lane]);
                copies.Open[lane].Clear();
            }
        }
    }
}
