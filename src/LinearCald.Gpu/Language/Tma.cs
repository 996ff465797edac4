using LinearCald.Gpu.Debug;

namespace LinearCald.Gpu;

/// <summary>
/// Copies of whole boxes of a tensor by the copy engine (PTX ISA "cp.async.bulk.tensor"; Hopper). One thread starts a copy for all; an <see cref="Mbarrier"/>
/// tells when it has arrived.
/// </summary>
public static class Tma
{
    /// <summary>
    /// Starts copying a box of a matrix to shared memory. What lies outside of the matrix arrives as zeros and counts in full: the barrier must have been told
    /// of the box's bytes by <see cref="Mbarrier.ArriveExpect"/>.
    /// </summary>
    /// <remarks>
    /// The manuals do not say so, but an innermost coordinate whose offset is not a multiple of 16 bytes ends the launch with an illegal instruction on an H100. The debug
    /// device refuses it. A halo is brought by starting at the multiple before it.
    /// </remarks>
    /// <param name="destination">The box goes to its start, aligned as <see cref="TensorSwizzle"/> says.</param>
    /// <param name="map">A parameter of the kernel.</param>
    /// <param name="x">First element of the box's rows, a multiple of 16 bytes; may be negative or beyond the end.</param>
    /// <param name="y">First row; any, negative and beyond the end too.</param>
    /// <param name="barrier">Hears of the bytes when they have arrived.</param>
    [Intrinsic]
    public static void Load2D<T>(Shared<T> destination, in TensorMap map, int x, int y, Mbarrier barrier)
        where T : unmanaged => Lane.Current.LoadTensor(destination, map, [x, y], barrier);

    /// <summary>The same for a stack of matrices.</summary>
    /// <param name="destination">The box goes to its start, aligned as <see cref="TensorSwizzle"/> says.</param>
    /// <param name="map">A parameter of the kernel.</param>
    /// <param name="x">First element of the box's rows, a multiple of 16 bytes; may be negative or beyond the end, as the others may.</param>
    /// <param name="y">First row.</param>
    /// <param name="z">First matrix.</param>
    /// <param name="barrier">Hears of the bytes when they have arrived.</param>
    [Intrinsic]
    public static void Load3D<T>(Shared<T> destination, in TensorMap map, int x, int y, int z, Mbarrier barrier)
        where T : unmanaged => Lane.Current.LoadTensor(destination, map, [x, y, z], barrier);

    /// <summary>The same for a tensor of four dimensions: rows of a box follow each other, those of the second dimension fastest.</summary>
    /// <param name="destination">The box goes to its start, aligned as <see cref="TensorSwizzle"/> says.</param>
    /// <param name="map">A parameter of the kernel.</param>
    /// <param name="x">First element along the innermost dimension, a multiple of 16 bytes; may be negative or beyond the end, as the others may.</param>
    /// <param name="y">First index along the second dimension.</param>
    /// <param name="z">First index along the third dimension.</param>
    /// <param name="w">First index along the outermost dimension.</param>
    /// <param name="barrier">Hears of the bytes when they have arrived.</param>
    [Intrinsic]
    public static void Load4D<T>(Shared<T> destination, in TensorMap map, int x, int y, int z, int w, Mbarrier barrier)
        where T : unmanaged => Lane.Current.LoadTensor(destination, map, [x, y, z, w], barrier);

    /// <summary>Brings a map near, so that the first copy need not wait for it.</summary>
    [Intrinsic]
    public static void Prefetch(in TensorMap map) => Lane.Fence();
}
