using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>What the launches of row kernels share: matrices [rows, columns] at device addresses.</summary>
internal static unsafe class RowMatrix
{
    /// <summary>Calls the launch with the element type as types; not at all for an empty matrix.</summary>
    /// <exception cref="CaldException">No such kernel, or more rows or columns than a kernel counts.</exception>
    public static void Dispatch<TLaunch>(DType type, string operation, in TLaunch launch, long rows, long columns)
        where TLaunch : struct, IFormatLaunch
    {
        if (rows > int.MaxValue || columns > int.MaxValue)
        {
            throw new CaldException($"{operation}: {rows:N0} rows of {columns:N0} elements; kernels count rows and columns in 32 bits");
        }

        if (rows == 0 || columns == 0)
        {
            return;
        }

        switch (type)
        {
            case DType.Float32: launch.Run<float, Float32Format>(); break;
            case DType.BFloat16: launch.Run<ushort, BFloat16Format>(); break;
            case DType.Float16: launch.Run<ushort, Float16Format>(); break;
            default: throw new CaldException($"{operation}: no GPU kernel for {type}; float32, bfloat16 and float16 have one");
        }
    }

    public static View<T> View<T>(nint address, long rows, long columns = 1)
        where T : unmanaged => new((T*)address, address == 0 ? 0 : rows * columns);

    public static ReadOnlyView<T> ReadOnly<T>(nint address, long rows, long columns = 1)
        where T : unmanaged => new((T*)address, address == 0 ? 0 : rows * columns);

    public static nint Address<T>(View<T> view)
        where T : unmanaged => (nint)view.Address;

    /// <summary>Whether all of the addresses that were or'ed together are multiples of 16 bytes.</summary>
    public static bool Aligned(nint addresses) => (addresses & 15) == 0;
}

/// <summary>A launch of a kernel that is generic over the element format.</summary>
internal interface IFormatLaunch
{
    void Run<TWord, TFormat>()
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>;
}
