using System.Numerics;
using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>The occurrences of each id in order, in device memory: <see cref="IdOrderKernels"/>.</summary>
internal sealed unsafe class IdOrder : IDisposable
{
    private static readonly Kernel s_start = Kernel.Of(IdOrderKernels.Start);
    private static readonly Kernel s_count = Kernel.Of(IdOrderKernels.Count);
    private static readonly Kernel s_scan = Kernel.Of(IdOrderKernels.Scan);
    private static readonly Kernel s_move = Kernel.Of(IdOrderKernels.Move);

    private readonly DeviceBuffer<int> _memory;
    private readonly int _count;
    private readonly int _current;

    /// <summary>Sorts at least one id.</summary>
    /// <param name="accelerator">The device.</param>
    /// <param name="ids">int32 ids.</param>
    /// <param name="count">Their number.</param>
    /// <param name="rows">Ids at or above it, and below 0, come last as <paramref name="rows"/>.</param>
    /// <param name="padding">So do ids equal to this.</param>
    public IdOrder(Accelerator accelerator, nint ids, int count, int rows, int padding)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        int chunks = (count + IdOrderKernels.Chunk - 1) / IdOrderKernels.Chunk;
        int counts = checked(chunks * IdOrderKernels.Digits);
        _count = count;
        _memory = accelerator.Allocate<int>((4L * count) + counts, "the order of embedding ids");
        View<int> table = _memory.View.Slice(4L * count, counts);
        LaunchShape whole = LaunchShape.For(count, IdOrderKernels.Threads), chunked = new(chunks, IdOrderKernels.Threads);
        accelerator.Launch(s_start, whole, new ReadOnlyView<int>((int*)ids, count), Part(0), Part(1), count, rows, padding);
        for (int shift = 0; shift <= BitOperations.Log2((uint)Math.Max(1, rows)); shift += 8)
        {
            int next = 2 - _current;
            accelerator.Launch(s_count, chunked, (ReadOnlyView<int>)Part(_current), table, count, shift);
            accelerator.Launch(s_scan, new LaunchShape(1, IdOrderKernels.ScanThreads), table, counts);
            accelerator.Launch(
                s_move, chunked, (ReadOnlyView<int>)Part(_current), (ReadOnlyView<int>)Part(_current + 1), (ReadOnlyView<int>)table, Part(next), Part(next + 1), count, shift);
            _current = next;
        }
    }

    /// <summary>The ids, ascending.</summary>
    public ReadOnlyView<int> Ids => Part(_current);

    /// <summary>Where each was, ascending within an id.</summary>
    public ReadOnlyView<int> Positions => Part(_current + 1);

    public void Dispose() => _memory.Dispose();

    private View<int> Part(int part) => _memory.View.Slice((long)part * _count, _count);
}
