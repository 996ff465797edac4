using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// What the micro-kernel needs of a vector width. <typeparamref name="TVector"/> is a hardware vector of <typeparamref name="T"/> (or one
/// <typeparamref name="T"/> for the scalar level); the calls are resolved and inlined when the kernel is compiled.
/// </summary>
/// <typeparam name="T">float or double.</typeparam>
/// <typeparam name="TVector">The vector, or T itself.</typeparam>
internal unsafe interface IGemmLanes<T, TVector>
    where T : unmanaged
    where TVector : struct
{
    /// <summary>Elements in a vector.</summary>
    static abstract int Count { get; }

    /// <summary>Rows of the full tile: as many as leave room for two columns of vectors of B and one broadcast in the register file.</summary>
    static abstract int TileRows { get; }

    static abstract TVector Load(T* p);

    static abstract void Store(TVector v, T* p);

    /// <summary>Writes memory without bringing its line into the caches. p is a multiple of a vector; visible to other threads after a fence.</summary>
    static abstract void StorePastCaches(TVector v, T* p);

    static abstract TVector Broadcast(T* p);

    static abstract TVector Splat(T value);

    /// <summary>a·b + c, rounded once where the hardware has a fused instruction.</summary>
    static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);

    static abstract TVector Multiply(TVector a, TVector b);

    /// <summary>All lanes, added in a fixed order.</summary>
    static abstract T Sum(TVector v);
}

/// <summary>AVX-512: 32 registers hold a tile of 14 × 2 vectors.</summary>
internal readonly unsafe struct Lanes512<T> : IGemmLanes<T, Vector512<T>>
    where T : unmanaged
{
    /// <summary>The runtime reports 512-bit vectors as not accelerated where it fears lower clocks; a matrix product wants them all the same.</summary>
    public static bool IsSupported => Vector512.IsHardwareAccelerated || Avx512F.IsSupported;

    public static int Count => Vector512<T>.Count;

    public static int TileRows => 14;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Load(T* p) => Vector512.Load(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<T> v, T* p) => v.Store(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePastCaches(Vector512<T> v, T* p) => v.StoreAlignedNonTemporal(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Broadcast(T* p) => Vector512.Create(*p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Splat(T value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> MultiplyAdd(Vector512<T> a, Vector512<T> b, Vector512<T> c) => typeof(T) == typeof(float)
        ? Vector512.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
        : Vector512.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Multiply(Vector512<T> a, Vector512<T> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector512<T> v) => Vector512.Sum(v);
}

/// <summary>AVX2 and FMA: 16 registers hold a tile of 6 × 2 vectors.</summary>
internal readonly unsafe struct Lanes256<T> : IGemmLanes<T, Vector256<T>>
    where T : unmanaged
{
    public static bool IsSupported => Vector256.IsHardwareAccelerated && Fma.IsSupported;

    public static int Count => Vector256<T>.Count;

    public static int TileRows => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Load(T* p) => Vector256.Load(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<T> v, T* p) => v.Store(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePastCaches(Vector256<T> v, T* p) => v.StoreAlignedNonTemporal(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Broadcast(T* p) => Vector256.Create(*p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Splat(T value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> MultiplyAdd(Vector256<T> a, Vector256<T> b, Vector256<T> c) => typeof(T) == typeof(float)
        ? Vector256.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
        : Vector256.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Multiply(Vector256<T> a, Vector256<T> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector256<T> v) => Vector256.Sum(v);
}

/// <summary>128-bit vectors (SSE, NEON); multiply and add are separate where the hardware does not fuse them.</summary>
internal readonly unsafe struct Lanes128<T> : IGemmLanes<T, Vector128<T>>
    where T : unmanaged
{
    public static bool IsSupported => Vector128.IsHardwareAccelerated;

    public static int Count => Vector128<T>.Count;

    public static int TileRows => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Load(T* p) => Vector128.Load(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<T> v, T* p) => v.Store(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePastCaches(Vector128<T> v, T* p) => v.StoreAlignedNonTemporal(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Broadcast(T* p) => Vector128.Create(*p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Splat(T value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> MultiplyAdd(Vector128<T> a, Vector128<T> b, Vector128<T> c) => typeof(T) == typeof(float)
        ? Vector128.MultiplyAddEstimate(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
        : Vector128.MultiplyAddEstimate(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Multiply(Vector128<T> a, Vector128<T> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector128<T> v) => Vector128.Sum(v);
}

/// <summary>One element at a time, for machines without vectors.</summary>
internal readonly unsafe struct LanesScalar<T> : IGemmLanes<T, T>
    where T : unmanaged
{
    public static int Count => 1;

    public static int TileRows => 6;

    public static T Load(T* p) => *p;

    public static void Store(T v, T* p) => *p = v;

    public static void StorePastCaches(T v, T* p) => *p = v;

    public static T Broadcast(T* p) => *p;

    public static T Splat(T value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T MultiplyAdd(T a, T b, T c) => GemmScalar.Add(GemmScalar.Multiply(a, b), c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Multiply(T a, T b) => GemmScalar.Multiply(a, b);

    public static T Sum(T v) => v;
}
