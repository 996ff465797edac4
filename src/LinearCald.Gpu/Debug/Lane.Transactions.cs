namespace LinearCald.Gpu.Debug;

internal sealed partial class Lane
{
    public void InitMbarrier(int address, int arrivals)
    {
        if (arrivals is < 1 or >= 1 << 20)
        {
            throw new CaldException($"an mbarrier for {arrivals:N0} arrivals; it counts 1 to {(1 << 20) - 1:N0}");
        }

        group.Shared.Write(this, address, 0UL);
        group.Mbarriers[address] = new MbarrierRun(arrivals);
    }

    public void ArriveAtMbarrier(int address, int bytes) => MbarrierAt(address).Arrive(this, bytes);

    /// <summary>Always true: the lane waits here.</summary>
    public bool WaitForMbarrier(int address, int parity)
    {
        if (parity is not (0 or 1))
        {
            throw new CaldException($"a wait for a phase of parity {parity}; it is 0 or 1");
        }

        MbarrierAt(address).Wait(this, parity);
        return true;
    }

    public unsafe void LoadTensor<T>(Shared<T> destination, in TensorMap map, int[] start, Mbarrier barrier)
        where T : unmanaged
    {
        TensorMapDescription description = TensorMapDescription.Of(map);
        int alignment = description.Swizzle.BoxAlignment();
        if (description.Rank != start.Length || description.BoxBytes > destination.Length * sizeof(T) || destination.Offset % alignment != 0)
        {
            throw new CaldException($"a copy of a box of {description.Rank} dimensions and {description.BoxBytes:N0} bytes to {destination.Length * sizeof(T):N0} bytes of shared memory at byte {destination.Offset:N0}; it has {start.Length} dimensions, fits, and starts at a multiple of {alignment}");
        }

        int bytes = description.Element.Bytes();
        if (!TensorMap.IsStart(start[0], description.Element))
        {
            throw new CaldException($"a copy of a box that starts at element {start[0]:N0} of its rows, {(long)start[0] * bytes:N0} bytes from their start; the copy engine starts at multiples of {TensorMap.StartAlignment} bytes, here of {TensorMap.StartAlignment / bytes} elements: start there and leave out what is too much");
        }

        MbarrierRun run = MbarrierAt(barrier.Address);
        group.Shared.BeginCopy(this, destination.Offset, description.BoxBytes);
        run.Add(this, new BoxCopy(description, start, destination.Offset));
    }

    private MbarrierRun MbarrierAt(int address)
    {
        // The read finds uses that nothing orders after the initialisation.
        group.Shared.Read<ulong>(this, address);
        return group.Mbarriers.TryGetValue(address, out MbarrierRun? run) ? run : throw new CaldException($"there is no initialised mbarrier at byte {address:N0} of shared memory");
    }
}
