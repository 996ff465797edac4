using System.Runtime.CompilerServices;

namespace LinearCald.Gpu.Debug;

/// <summary>Checks of accesses to device memory on the debug device.</summary>
internal static unsafe class Bounds
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T* Check<T>(T* address, long index, long length, string access)
        where T : unmanaged
    {
        if ((ulong)index >= (ulong)length)
        {
            Fail<T>(index, length, access);
        }

        return address + index;
    }

    private static void Fail<T>(long index, long length, string access) =>
        throw new CaldException($"{access} of element {index:N0} of a view of {length:N0} {typeof(T).Name} elements");
}
