using System.Runtime.CompilerServices;

namespace LinearCald.Gpu.Debug;

/// <summary>Checks of accesses to device memory on the debug device.</summary>
internal static unsafe class Bounds
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T* Check<T>(T* address, long index, long length, string access)
        where T : unmanaged
    {
        if (index < 0 || index >= length)
        {
            Fail<T>(index, length, access);
        }

        if ((nuint)address % (nuint)AlignmentOf<T>() != 0)
        {
            FailAlignment<T>((nint)address, access);
        }

        return address + index;
    }

    /// <summary>
    /// What an access of this type must be aligned to: the whole of a vector, up to 16 bytes. Sizes that are no power of two are accessed by field, aligned
    /// to the largest power of two that divides them.
    /// </summary>
    public static int AlignmentOf<T>()
        where T : unmanaged => Math.Min(sizeof(T) & -sizeof(T), 16);

    private static void Fail<T>(long index, long length, string access) =>
        throw new CaldException($"{access} of element {index:N0} of a view of {length:N0} {typeof(T).Name} elements");

    private static void FailAlignment<T>(nint address, string access)
        where T : unmanaged =>
        throw new CaldException($"{access} of a {typeof(T).Name} in a view that starts at address {address:x}, which is not a multiple of {AlignmentOf<T>()}; vector accesses must be aligned");
}
