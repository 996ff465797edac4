using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of <see cref="RotaryKernels"/> at device addresses.</summary>
internal static class Rotary
{
    private const int Threads = 128;
    private const int HeadsAThread = 4;

    /// <param name="x">[batch, length, heads · 3 · size], or [3, batch, length, heads · size] to <paramref name="join"/>.</param>
    /// <param name="y">The other; not x.</param>
    public static void Run(
        Accelerator accelerator, DType type, nint x, nint y, long batch, int length, int heads, int size, int rotary, double theta, int first, bool join) =>
        RowMatrix.Dispatch(
            type, "SplitHeadsRotary", new RotaryLaunch(accelerator, x, y, batch, length, heads, size, rotary, theta, first, join), batch * length, 3L * heads * size);

    private readonly record struct RotaryLaunch(
        Accelerator Accelerator, nint X, nint Y, long Batch, int Length, int Heads, int Size, int Rotary, double Theta, int First, bool Join) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            bool vectors = Size % TFormat.Lanes == 0 && Rotary / 2 % TFormat.Lanes == 0 && RowMatrix.Aligned(X | Y);
            int perHead = vectors ? Size / TFormat.Lanes : Size;
            long rows = Batch * Length;

            // Several heads a thread, unless the device would not be full.
            int slots = (Heads + HeadsAThread - 1) / HeadsAThread;
            slots = rows * perHead * slots < 1024L * Accelerator.Limits.Multiprocessors ? Heads : slots;
            RotarySizes sizes = new()
            {
                Rows = (int)rows,
                Heads = Heads,
                Size = Size,
                Rotary = Rotary,
                First = First,
                Step = Rotary == 0 ? 0 : -2 * Math.Log(Theta) / Rotary,
                Length = new FastDivisor(Length),
                Vectors = new FastDivisor(perHead),
                Slots = new FastDivisor(slots),
            };
            Accelerator.Launch(
                Kernels<TWord, TFormat>.Turn, LaunchShape.For(checked((int)(rows * perHead * slots)), Threads),
                RowMatrix.ReadOnly<TWord>(X, rows, 3L * Heads * Size), RowMatrix.View<TWord>(Y, rows, 3L * Heads * Size), sizes, vectors, Join);
        }
    }

    private static class Kernels<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Turn = Kernel.Of(RotaryKernels.Turn<TWord, TFormat>);
    }
}
