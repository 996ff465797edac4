using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LinearCald.Tensors.Cpu;

/// <summary>In-lane interleaving at each vector width: what a register transposition is built of. Elements are bits here, whatever their type.</summary>
internal unsafe interface ITransposeShuffle<TVector>
    where TVector : struct
{
    /// <summary>128-bit lanes in a vector.</summary>
    static abstract int Lanes { get; }

    /// <summary>Lane l from address p + l·pitch (bytes).</summary>
    static abstract TVector LoadLanes(byte* p, nint pitch);

    static abstract void Store(TVector v, void* p);

    static abstract TVector Low32(TVector a, TVector b);

    static abstract TVector High32(TVector a, TVector b);

    static abstract TVector Low64(TVector a, TVector b);

    static abstract TVector High64(TVector a, TVector b);
}

internal readonly unsafe struct Shuffle512 : ITransposeShuffle<Vector512<float>>
{
    public static bool IsSupported => Avx512F.IsSupported;

    public static int Lanes => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadLanes(byte* p, nint pitch) => Vector512.Create(
        Shuffle256.LoadLanes(p, pitch),
        Shuffle256.LoadLanes(p + (2 * pitch), pitch));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> v, void* p) => v.Store((float*)p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Low32(Vector512<float> a, Vector512<float> b) => Avx512F.UnpackLow(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> High32(Vector512<float> a, Vector512<float> b) => Avx512F.UnpackHigh(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Low64(Vector512<float> a, Vector512<float> b) => Avx512F.UnpackLow(a.AsDouble(), b.AsDouble()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> High64(Vector512<float> a, Vector512<float> b) => Avx512F.UnpackHigh(a.AsDouble(), b.AsDouble()).AsSingle();
}

internal readonly unsafe struct Shuffle256 : ITransposeShuffle<Vector256<float>>
{
    public static bool IsSupported => Avx.IsSupported;

    public static int Lanes => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadLanes(byte* p, nint pitch) => Vector256.Create(Vector128.Load((float*)p), Vector128.Load((float*)(p + pitch)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> v, void* p) => v.Store((float*)p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Low32(Vector256<float> a, Vector256<float> b) => Avx.UnpackLow(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> High32(Vector256<float> a, Vector256<float> b) => Avx.UnpackHigh(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Low64(Vector256<float> a, Vector256<float> b) => Avx.UnpackLow(a.AsDouble(), b.AsDouble()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> High64(Vector256<float> a, Vector256<float> b) => Avx.UnpackHigh(a.AsDouble(), b.AsDouble()).AsSingle();
}

internal readonly unsafe struct Shuffle128 : ITransposeShuffle<Vector128<float>>
{
    public static bool IsSupported => Sse2.IsSupported;

    public static int Lanes => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadLanes(byte* p, nint pitch) => Vector128.Load((float*)p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<float> v, void* p) => v.Store((float*)p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Low32(Vector128<float> a, Vector128<float> b) => Sse.UnpackLow(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> High32(Vector128<float> a, Vector128<float> b) => Sse.UnpackHigh(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Low64(Vector128<float> a, Vector128<float> b) => Sse2.UnpackLow(a.AsDouble(), b.AsDouble()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> High64(Vector128<float> a, Vector128<float> b) => Sse2.UnpackHigh(a.AsDouble(), b.AsDouble()).AsSingle();
}
