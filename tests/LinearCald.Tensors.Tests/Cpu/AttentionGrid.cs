using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.InteropServices;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

/// <summary>
/// Rows between pages that must not be touched, filled with NaN, the gaps between rows included: reading a gap spoils a result, writing one is found by
/// <see cref="GapsAreUntouched"/>.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A case has dozens of grids; their memory is given back when they are dropped.")]
internal sealed unsafe class AttentionGrid<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly GuardedMemory _memory;
    private readonly int _rows;
    private readonly int _columns;
    private readonly int _stride;

    public AttentionGrid(int rows, int columns, int gap)
    {
        _rows = rows;
        _columns = columns;
        _stride = columns + gap;
        _memory = new GuardedMemory((long)Math.Max(0, ((rows - 1) * _stride) + columns) * sizeof(T));
        Data.Fill(T.NaN);
    }

    public Rows<T> Rows => new(Start, _stride);

    public T* Start => (T*)_memory.Pointer;

    public int Count => _rows * _columns;

    private Span<T> Data => new(Start, Math.Max(0, ((_rows - 1) * _stride) + _columns));

    public ref T this[int index] => ref Data[(index / _columns * _stride) + (index % _columns)];

    public AttentionGrid<T> Fill(System.Random random, double size = 1.0)
    {
        for (int i = 0; i < Count; i++)
        {
            this[i] = T.CreateTruncating(((random.NextDouble() * 2.0) - 1.0) * size);
        }

        return this;
    }

    public AttentionGrid<double> ToDouble(int gap = 3)
    {
        AttentionGrid<double> copy = new(_rows, _columns, gap);
        for (int i = 0; i < Count; i++)
        {
            copy[i] = double.CreateTruncating(this[i]);
        }

        return copy;
    }

    public bool SameBits(AttentionGrid<T> other)
    {
        bool same = MemoryMarshal.AsBytes(Data).SequenceEqual(MemoryMarshal.AsBytes(other.Data));
        GC.KeepAlive(this);
        GC.KeepAlive(other);
        return same;
    }

    /// <summary>Copies sample order[i] of <paramref name="from"/> to sample i.</summary>
    public void TakePermutation(AttentionGrid<T> from, int[] order)
    {
        for (int i = 0; i < Count; i++)
        {
            this[i] = from[Permuted(i, order)];
        }
    }

    /// <summary>Whether sample i here has the bits of sample order[i] of <paramref name="from"/>.</summary>
    public bool IsPermutationOf(AttentionGrid<T> from, int[] order)
    {
        for (int i = 0; i < Count; i++)
        {
            if (!this[i].Equals(from[Permuted(i, order)]) || T.IsNegative(this[i]) != T.IsNegative(from[Permuted(i, order)]))
            {
                return false;
            }
        }

        GC.KeepAlive(this);
        GC.KeepAlive(from);
        return true;
    }

    public bool GapsAreUntouched()
    {
        for (int i = 0; i < Data.Length; i++)
        {
            if (i % _stride >= _columns && !T.IsNaN(Data[i]))
            {
                return false;
            }
        }

        return _memory.IsClean;
    }

    /// <summary>‖x − reference‖ / ‖reference‖ over all given outputs together; equal infinities count as no difference, NaN and a written gap as an infinite one.</summary>
    /// <remarks>Outputs whose true value may be nothing but cancelled terms (the query gradient of a single key) are judged together with their siblings.</remarks>
    public static double Error(params (AttentionGrid<T> Mine, AttentionGrid<double> Reference)[] outputs)
    {
        double difference = 0.0, norm = 0.0, elements = 0.0;
        foreach ((AttentionGrid<T> mine, AttentionGrid<double> reference) in outputs)
        {
            if (!mine.GapsAreUntouched())
            {
                return double.PositiveInfinity;
            }

            for (int i = 0; i < mine.Count; i++)
            {
                double x = double.CreateTruncating(mine[i]), r = reference[i];
                if (double.IsInfinity(r) && x.Equals(r))
                {
                    continue;
                }

                difference += (x - r) * (x - r);
                norm += r * r;
                elements++;
            }

            GC.KeepAlive(mine);
            GC.KeepAlive(reference);
        }

        // Gradients may cancel to nothing (one slot, one key): an element then counts as a fiftieth of its inputs' size.
        double error = Math.Sqrt(difference) / Math.Max(1e-3, Math.Max(Math.Sqrt(norm), 0.02 * Math.Sqrt(elements)));
        return double.IsNaN(error) ? double.PositiveInfinity : error;
    }

    private int Permuted(int index, int[] order)
    {
        int size = Count / order.Length;
        return (order[index / size] * size) + (index % size);
    }
}
