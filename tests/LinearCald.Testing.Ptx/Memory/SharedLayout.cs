using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Memory;

/// <summary>Where the shared arrays of an entry lie: apart, so that an access past one end meets no other array.</summary>
internal sealed class SharedLayout
{
    private const int Limit = 1 << 18;

    private readonly List<PtxVariable> _arrays = [];

    /// <param name="variables">All shared variables, extern ones too.</param>
    /// <param name="dynamicBytes">Size of the extern array.</param>
    public SharedLayout(IEnumerable<PtxVariable> variables, int dynamicBytes)
    {
        List<PtxVariable> list = [.. variables];
        Place(list, dynamicBytes, 256);
        if (Size > Limit)
        {
            // Matrix descriptors address 256 KiB; large kernels get narrower gaps.
            _arrays.Clear();
            Place(list, dynamicBytes, 16);
        }

        if (Size > Limit)
        {
            throw new CaldException($"the kernel asks for {Size:N0} bytes of shared memory; a group has {Limit:N0} at most");
        }

        DynamicBytes = dynamicBytes;
    }

    public int Size { get; private set; }

    public int DynamicBytes { get; }

    private long SizeOf(PtxVariable array) => array.Size < 0 ? DynamicSize : array.Size;

    private int DynamicSize { get; set; }

    /// <summary>The array that holds all the bytes, or null.</summary>
    public PtxVariable? Find(ulong address, int bytes)
    {
        foreach (PtxVariable array in _arrays)
        {
            if (Holds(array, address, bytes))
            {
                return array;
            }
        }

        return null;
    }

    public bool Holds(PtxVariable array, ulong address, int bytes) =>
        address >= array.Address && address - array.Address + (ulong)bytes <= (ulong)SizeOf(array);

    /// <summary>For errors: array and offset.</summary>
    public string Name(ulong address)
    {
        PtxVariable? nearest = null;
        foreach (PtxVariable array in _arrays)
        {
            if (nearest is null || array.Address <= address)
            {
                nearest = array;
            }
        }

        return nearest is null
            ? $"shared address 0x{address:x} (the kernel declares no shared memory)"
            : $"{nearest.Name}[{(long)(address - nearest.Address)}] (an array of {SizeOf(nearest):N0} bytes)";
    }

    private void Place(List<PtxVariable> variables, int dynamicBytes, int gap)
    {
        DynamicSize = dynamicBytes;
        long address = 1024;
        foreach (PtxVariable array in variables.OrderBy(static v => v.Size < 0))
        {
            address = (address + array.Alignment - 1) / array.Alignment * array.Alignment;
            array.Address = (ulong)address;
            address += SizeOf(array) + gap;
            _arrays.Add(array);
        }

        Size = (int)Math.Min(address, int.MaxValue);
    }
}
