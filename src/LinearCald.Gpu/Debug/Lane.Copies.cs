namespace LinearCald.Gpu.Debug;

internal sealed unsafe partial class Lane
{
    private readonly List<PendingCopy> _copies = [];
    private readonly Queue<PendingCopy[]> _copyGroups = [];

    /// <summary>Only notes the copy: the data arrives in <see cref="WaitForCopies"/>, and who reads before that reads nothing.</summary>
    public void CopyAsync<T>(Shared<T> destination, int destinationIndex, ReadOnlyView<T> source, long sourceIndex, bool condition)
        where T : unmanaged
    {
        if (sizeof(T) is not (4 or 8 or 16))
        {
            throw new CaldException($"an asynchronous copy of {typeof(T).Name}: elements of 4, 8 or 16 bytes can be copied");
        }

        int address = destination.Offset + (destinationIndex * sizeof(T));
        if (address % sizeof(T) != 0)
        {
            throw new CaldException($"an asynchronous copy of {sizeof(T)} bytes to shared memory at byte {address}, which is not a multiple of {sizeof(T)}");
        }

        Address<T>(destination.Offset, destinationIndex, destination.Length, "asynchronous write");
        nint from = 0;
        if (condition)
        {
            from = (nint)Bounds.Check(source.Address, sourceIndex, source.Length, "asynchronous read");
            if (from % sizeof(T) != 0)
            {
                throw new CaldException($"an asynchronous copy of {sizeof(T)} bytes from an address that is not a multiple of {sizeof(T)}");
            }
        }

        group.Shared.BeginCopy(this, address, sizeof(T));
        _copies.Add(new PendingCopy(address, from, sizeof(T)));
    }

    public void CommitCopies()
    {
        _copyGroups.Enqueue([.. _copies]);
        _copies.Clear();
    }

    public void WaitForCopies(int groups)
    {
        while (_copyGroups.Count > groups)
        {
            foreach (PendingCopy copy in _copyGroups.Dequeue())
            {
                group.Shared.EndCopy(this, copy);
            }
        }
    }
}

/// <summary>A copy into shared memory that has not arrived yet; from address 0 come zeros.</summary>
internal readonly record struct PendingCopy(int Destination, nint Source, int Bytes);
