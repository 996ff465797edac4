using System.Runtime.CompilerServices;

namespace LinearCald.Gpu;

public abstract partial class Accelerator
{
    /// <summary>Launches a kernel without arguments.</summary>
    public void Launch(Kernel kernel, in LaunchShape shape) => LaunchPacked(Checked(kernel, 0), shape, []);

    /// <summary>Launches a kernel; arguments must have exactly the types of its parameters.</summary>
    [SkipLocalsInit]
    public void Launch<T1>(Kernel kernel, in LaunchShape shape, T1 a1)
        where T1 : unmanaged
    {
        Span<byte> arguments = stackalloc byte[Checked(kernel, 1).PackedBytes];
        Put(arguments, kernel, 0, a1);
        LaunchPacked(kernel, shape, arguments);
    }

    /// <summary>Launches a kernel; arguments must have exactly the types of its parameters.</summary>
    [SkipLocalsInit]
    public void Launch<T1, T2>(Kernel kernel, in LaunchShape shape, T1 a1, T2 a2)
        where T1 : unmanaged
        where T2 : unmanaged
    {
        Span<byte> arguments = stackalloc byte[Checked(kernel, 2).PackedBytes];
        Put(arguments, kernel, 0, a1);
        Put(arguments, kernel, 1, a2);
        LaunchPacked(kernel, shape, arguments);
    }

    /// <summary>Launches a kernel; arguments must have exactly the types of its parameters.</summary>
    [SkipLocalsInit]
    public void Launch<T1, T2, T3>(Kernel kernel, in LaunchShape shape, T1 a1, T2 a2, T3 a3)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
    {
        Span<byte> arguments = stackalloc byte[Checked(kernel, 3).PackedBytes];
        Put(arguments, kernel, 0, a1);
        Put(arguments, kernel, 1, a2);
        Put(arguments, kernel, 2, a3);
        LaunchPacked(kernel, shape, arguments);
    }

    /// <summary>Launches a kernel; arguments must have exactly the types of its parameters.</summary>
    [SkipLocalsInit]
    public void Launch<T1, T2, T3, T4>(Kernel kernel, in LaunchShape shape, T1 a1, T2 a2, T3 a3, T4 a4)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where T4 : unmanaged
    {
        Span<byte> arguments = stackalloc byte[Checked(kernel, 4).PackedBytes];
        Put(arguments, kernel, 0, a1);
        Put(arguments, kernel, 1, a2);
        Put(arguments, kernel, 2, a3);
        Put(arguments, kernel, 3, a4);
        LaunchPacked(kernel, shape, arguments);
    }

    /// <summary>Launches a kernel; arguments must have exactly the types of its parameters.</summary>
    [SkipLocalsInit]
    public void Launch<T1, T2, T3, T4, T5>(Kernel kernel, in LaunchShape shape, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where T4 : unmanaged
        where T5 : unmanaged
    {
        Span<byte> arguments = stackalloc byte[Checked(kernel, 5).PackedBytes];
        Put(arguments, kernel, 0, a1);
        Put(arguments, kernel, 1, a2);
        Put(arguments, kernel, 2, a3);
        Put(arguments, kernel, 3, a4);
        Put(arguments, kernel, 4, a5);
        LaunchPacked(kernel, shape, arguments);
    }

    /// <summary>Launches a kernel; arguments must have exactly the types of its parameters.</summary>
    [SkipLocalsInit]
    public void Launch<T1, T2, T3, T4, T5, T6>(Kernel kernel, in LaunchShape shape, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where T4 : unmanaged
        where T5 : unmanaged
        where T6 : unmanaged
    {
        Span<byte> arguments = stackalloc byte[Checked(kernel, 6).PackedBytes];
        Put(arguments, kernel, 0, a1);
        Put(arguments, kernel, 1, a2);
        Put(arguments, kernel, 2, a3);
        Put(arguments, kernel, 3, a4);
        Put(arguments, kernel, 4, a5);
        Put(arguments, kernel, 5, a6);
        LaunchPacked(kernel, shape, arguments);
    }

    /// <summary>Launches a kernel; arguments must have exactly the types of its parameters.</summary>
    [SkipLocalsInit]
    public void Launch<T1, T2, T3, T4, T5, T6, T7>(Kernel kernel, in LaunchShape shape, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where T4 : unmanaged
        where T5 : unmanaged
        where T6 : unmanaged
        where T7 : unmanaged
    {
        Span<byte> arguments = stackalloc byte[Checked(kernel, 7).PackedBytes];
        Put(arguments, kernel, 0, a1);
        Put(arguments, kernel, 1, a2);
        Put(arguments, kernel, 2, a3);
        Put(arguments, kernel, 3, a4);
        Put(arguments, kernel, 4, a5);
        Put(arguments, kernel, 5, a6);
        Put(arguments, kernel, 6, a7);
        LaunchPacked(kernel, shape, arguments);
    }

    /// <summary>Launches a kernel; arguments must have exactly the types of its parameters.</summary>
    [SkipLocalsInit]
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8>(Kernel kernel, in LaunchShape shape, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where T4 : unmanaged
        where T5 : unmanaged
        where T6 : unmanaged
        where T7 : unmanaged
        where T8 : unmanaged
    {
        Span<byte> arguments = stackalloc byte[Checked(kernel, 8).PackedBytes];
        Put(arguments, kernel, 0, a1);
        Put(arguments, kernel, 1, a2);
        Put(arguments, kernel, 2, a3);
        Put(arguments, kernel, 3, a4);
        Put(arguments, kernel, 4, a5);
        Put(arguments, kernel, 5, a6);
        Put(arguments, kernel, 6, a7);
        Put(arguments, kernel, 7, a8);
        LaunchPacked(kernel, shape, arguments);
    }

    /// <summary>Launches a kernel; arguments must have exactly the types of its parameters.</summary>
    [SkipLocalsInit]
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9>(Kernel kernel, in LaunchShape shape, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where T4 : unmanaged
        where T5 : unmanaged
        where T6 : unmanaged
        where T7 : unmanaged
        where T8 : unmanaged
        where T9 : unmanaged
    {
        Span<byte> arguments = stackalloc byte[Checked(kernel, 9).PackedBytes];
        Put(arguments, kernel, 0, a1);
        Put(arguments, kernel, 1, a2);
        Put(arguments, kernel, 2, a3);
        Put(arguments, kernel, 3, a4);
        Put(arguments, kernel, 4, a5);
        Put(arguments, kernel, 5, a6);
        Put(arguments, kernel, 6, a7);
        Put(arguments, kernel, 7, a8);
        Put(arguments, kernel, 8, a9);
        LaunchPacked(kernel, shape, arguments);
    }

    /// <summary>Launches a kernel; arguments must have exactly the types of its parameters.</summary>
    [SkipLocalsInit]
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>(Kernel kernel, in LaunchShape shape, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where T4 : unmanaged
        where T5 : unmanaged
        where T6 : unmanaged
        where T7 : unmanaged
        where T8 : unmanaged
        where T9 : unmanaged
        where T10 : unmanaged
    {
        Span<byte> arguments = stackalloc byte[Checked(kernel, 10).PackedBytes];
        Put(arguments, kernel, 0, a1);
        Put(arguments, kernel, 1, a2);
        Put(arguments, kernel, 2, a3);
        Put(arguments, kernel, 3, a4);
        Put(arguments, kernel, 4, a5);
        Put(arguments, kernel, 5, a6);
        Put(arguments, kernel, 6, a7);
        Put(arguments, kernel, 7, a8);
        Put(arguments, kernel, 8, a9);
        Put(arguments, kernel, 9, a10);
        LaunchPacked(kernel, shape, arguments);
    }

    /// <summary>Launches a kernel; arguments must have exactly the types of its parameters.</summary>
    [SkipLocalsInit]
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11>(Kernel kernel, in LaunchShape shape, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where T4 : unmanaged
        where T5 : unmanaged
        where T6 : unmanaged
        where T7 : unmanaged
        where T8 : unmanaged
        where T9 : unmanaged
        where T10 : unmanaged
        where T11 : unmanaged
    {
        Span<byte> arguments = stackalloc byte[Checked(kernel, 11).PackedBytes];
        Put(arguments, kernel, 0, a1);
        Put(arguments, kernel, 1, a2);
        Put(arguments, kernel, 2, a3);
        Put(arguments, kernel, 3, a4);
        Put(arguments, kernel, 4, a5);
        Put(arguments, kernel, 5, a6);
        Put(arguments, kernel, 6, a7);
        Put(arguments, kernel, 7, a8);
        Put(arguments, kernel, 8, a9);
        Put(arguments, kernel, 9, a10);
        Put(arguments, kernel, 10, a11);
        LaunchPacked(kernel, shape, arguments);
    }

    /// <summary>Launches a kernel; arguments must have exactly the types of its parameters.</summary>
    [SkipLocalsInit]
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12>(Kernel kernel, in LaunchShape shape, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11, T12 a12)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where T4 : unmanaged
        where T5 : unmanaged
        where T6 : unmanaged
        where T7 : unmanaged
        where T8 : unmanaged
        where T9 : unmanaged
        where T10 : unmanaged
        where T11 : unmanaged
        where T12 : unmanaged
    {
        Span<byte> arguments = stackalloc byte[Checked(kernel, 12).PackedBytes];
        Put(arguments, kernel, 0, a1);
        Put(arguments, kernel, 1, a2);
        Put(arguments, kernel, 2, a3);
        Put(arguments, kernel, 3, a4);
        Put(arguments, kernel, 4, a5);
        Put(arguments, kernel, 5, a6);
        Put(arguments, kernel, 6, a7);
        Put(arguments, kernel, 7, a8);
        Put(arguments, kernel, 8, a9);
        Put(arguments, kernel, 9, a10);
        Put(arguments, kernel, 10, a11);
        Put(arguments, kernel, 11, a12);
        LaunchPacked(kernel, shape, arguments);
    }

    /// <summary>Launches a kernel; arguments must have exactly the types of its parameters.</summary>
    [SkipLocalsInit]
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13>(Kernel kernel, in LaunchShape shape, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11, T12 a12, T13 a13)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where T4 : unmanaged
        where T5 : unmanaged
        where T6 : unmanaged
        where T7 : unmanaged
        where T8 : unmanaged
        where T9 : unmanaged
        where T10 : unmanaged
        where T11 : unmanaged
        where T12 : unmanaged
        where T13 : unmanaged
    {
        Span<byte> arguments = stackalloc byte[Checked(kernel, 13).PackedBytes];
        Put(arguments, kernel, 0, a1);
        Put(arguments, kernel, 1, a2);
        Put(arguments, kernel, 2, a3);
        Put(arguments, kernel, 3, a4);
        Put(arguments, kernel, 4, a5);
        Put(arguments, kernel, 5, a6);
        Put(arguments, kernel, 6, a7);
        Put(arguments, kernel, 7, a8);
        Put(arguments, kernel, 8, a9);
        Put(arguments, kernel, 9, a10);
        Put(arguments, kernel, 10, a11);
        Put(arguments, kernel, 11, a12);
        Put(arguments, kernel, 12, a13);
        LaunchPacked(kernel, shape, arguments);
    }

    /// <summary>Launches a kernel; arguments must have exactly the types of its parameters.</summary>
    [SkipLocalsInit]
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14>(Kernel kernel, in LaunchShape shape, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11, T12 a12, T13 a13, T14 a14)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where T4 : unmanaged
        where T5 : unmanaged
        where T6 : unmanaged
        where T7 : unmanaged
        where T8 : unmanaged
        where T9 : unmanaged
        where T10 : unmanaged
        where T11 : unmanaged
        where T12 : unmanaged
        where T13 : unmanaged
        where T14 : unmanaged
    {
        Span<byte> arguments = stackalloc byte[Checked(kernel, 14).PackedBytes];
        Put(arguments, kernel, 0, a1);
        Put(arguments, kernel, 1, a2);
        Put(arguments, kernel, 2, a3);
        Put(arguments, kernel, 3, a4);
        Put(arguments, kernel, 4, a5);
        Put(arguments, kernel, 5, a6);
        Put(arguments, kernel, 6, a7);
        Put(arguments, kernel, 7, a8);
        Put(arguments, kernel, 8, a9);
        Put(arguments, kernel, 9, a10);
        Put(arguments, kernel, 10, a11);
        Put(arguments, kernel, 11, a12);
        Put(arguments, kernel, 12, a13);
        Put(arguments, kernel, 13, a14);
        LaunchPacked(kernel, shape, arguments);
    }

    /// <summary>Launches a kernel; arguments must have exactly the types of its parameters.</summary>
    [SkipLocalsInit]
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15>(Kernel kernel, in LaunchShape shape, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11, T12 a12, T13 a13, T14 a14, T15 a15)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where T4 : unmanaged
        where T5 : unmanaged
        where T6 : unmanaged
        where T7 : unmanaged
        where T8 : unmanaged
        where T9 : unmanaged
        where T10 : unmanaged
        where T11 : unmanaged
        where T12 : unmanaged
        where T13 : unmanaged
        where T14 : unmanaged
        where T15 : unmanaged
    {
        Span<byte> arguments = stackalloc byte[Checked(kernel, 15).PackedBytes];
        Put(arguments, kernel, 0, a1);
        Put(arguments, kernel, 1, a2);
        Put(arguments, kernel, 2, a3);
        Put(arguments, kernel, 3, a4);
        Put(arguments, kernel, 4, a5);
        Put(arguments, kernel, 5, a6);
        Put(arguments, kernel, 6, a7);
        Put(arguments, kernel, 7, a8);
        Put(arguments, kernel, 8, a9);
        Put(arguments, kernel, 9, a10);
        Put(arguments, kernel, 10, a11);
        Put(arguments, kernel, 11, a12);
        Put(arguments, kernel, 12, a13);
        Put(arguments, kernel, 13, a14);
        Put(arguments, kernel, 14, a15);
        LaunchPacked(kernel, shape, arguments);
    }

    /// <summary>Launches a kernel; arguments must have exactly the types of its parameters.</summary>
    [SkipLocalsInit]
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16>(Kernel kernel, in LaunchShape shape, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11, T12 a12, T13 a13, T14 a14, T15 a15, T16 a16)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where T4 : unmanaged
        where T5 : unmanaged
        where T6 : unmanaged
        where T7 : unmanaged
        where T8 : unmanaged
        where T9 : unmanaged
        where T10 : unmanaged
        where T11 : unmanaged
        where T12 : unmanaged
        where T13 : unmanaged
        where T14 : unmanaged
        where T15 : unmanaged
        where T16 : unmanaged
    {
        Span<byte> arguments = stackalloc byte[Checked(kernel, 16).PackedBytes];
        Put(arguments, kernel, 0, a1);
        Put(arguments, kernel, 1, a2);
        Put(arguments, kernel, 2, a3);
        Put(arguments, kernel, 3, a4);
        Put(arguments, kernel, 4, a5);
        Put(arguments, kernel, 5, a6);
        Put(arguments, kernel, 6, a7);
        Put(arguments, kernel, 7, a8);
        Put(arguments, kernel, 8, a9);
        Put(arguments, kernel, 9, a10);
        Put(arguments, kernel, 10, a11);
        Put(arguments, kernel, 11, a12);
        Put(arguments, kernel, 12, a13);
        Put(arguments, kernel, 13, a14);
        Put(arguments, kernel, 14, a15);
        Put(arguments, kernel, 15, a16);
        LaunchPacked(kernel, shape, arguments);
    }

    private static Kernel Checked(Kernel kernel, int count)
    {
        if (kernel.Parameters.Count != count)
        {
            throw new CaldException($"kernel {kernel.Name} has {kernel.Parameters.Count} parameters; the launch gives {count}");
        }

        return kernel;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<T>(Span<byte> arguments, Kernel kernel, int index, T value)
        where T : unmanaged
    {
        KernelParameter parameter = kernel.Parameters[index];
        if (parameter.Type != typeof(T))
        {
            throw new CaldException($"kernel {kernel.Name}: parameter '{parameter.Name}' is a {parameter.Type.Name}; the launch gives a {typeof(T).Name}");
        }

        Unsafe.WriteUnaligned(ref arguments[parameter.Offset], value);
    }
}
