using System.Runtime.InteropServices;

namespace LinearCald.Gpu.Driver;

/// <summary>
/// Tensor maps by what they describe. Steps that are not recorded launch the same kernels over the same addresses again and again. Each description has one place,
/// where the last one that hashed to it lies: nothing grows, and nothing is allocated. For one thread at a time.
/// </summary>
internal sealed class TensorMapCache
{
    /// <summary>Places, a power of two.</summary>
    public const int Places = 512;

    private readonly (TensorMapDescription Description, TensorMap Map, bool IsUsed)[] _places = new (TensorMapDescription, TensorMap, bool)[Places];

    /// <summary>The map of a description, if it lies there.</summary>
    public bool TryFind(in TensorMapDescription description, out TensorMap map)
    {
        ref (TensorMapDescription Description, TensorMap Map, bool IsUsed) place = ref PlaceOf(description);
        if (place.IsUsed && Bytes(place.Description).SequenceEqual(Bytes(description)))
        {
            map = place.Map;
            return true;
        }

        map = default;
        return false;
    }

    /// <summary>Puts a map there, in the place of another.</summary>
    public void Add(in TensorMapDescription description, in TensorMap map) => PlaceOf(description) = (description, map, true);

    private ref (TensorMapDescription Description, TensorMap Map, bool IsUsed) PlaceOf(in TensorMapDescription description)
    {
        ulong hash = 0;
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(Bytes(description)))
        {
            hash = (hash ^ word) * 0x9E3779B97F4A7C15;
            hash ^= hash >> 32;
        }

        return ref _places[(int)(hash & (Places - 1))];
    }

    private static ReadOnlySpan<byte> Bytes(in TensorMapDescription description) => MemoryMarshal.AsBytes(new ReadOnlySpan<TensorMapDescription>(in description));
}
