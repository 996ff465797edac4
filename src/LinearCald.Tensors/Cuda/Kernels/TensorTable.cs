using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Addresses of one tensor of an optimiser step; <see cref="Parameter"/> 0 for a gradient that only counts in the norm.</summary>
/// <param name="Parameter">float32 parameters.</param>
/// <param name="Gradient">float32 gradients.</param>
/// <param name="Mean">First moments.</param>
/// <param name="Square">Second moments.</param>
/// <param name="Length">Elements of each.</param>
/// <param name="Decays">Whether weight decay applies.</param>
internal readonly record struct TensorTableEntry(nint Parameter, nint Gradient, nint Mean, nint Square, long Length, bool Decays);

/// <summary>
/// The tensors of an optimiser step in device memory, and how they are cut into chunks: what lets one launch work on all of them. A row of the table
/// has <see cref="Columns"/> 64-bit numbers. Tensors that are updated come first, so that their chunks do too.
/// </summary>
internal sealed class TensorTable : IDisposable
{
    /// <summary>Numbers of a row.</summary>
    public const int Columns = 6;

    /// <summary>Column: address of the parameters.</summary>
    public const int Parameter = 0;

    /// <summary>Column: address of the gradients.</summary>
    public const int Gradient = 1;

    /// <summary>Column: address of the first moments.</summary>
    public const int Mean = 2;

    /// <summary>Column: address of the second moments.</summary>
    public const int Square = 3;

    /// <summary>Column: number of elements.</summary>
    public const int Length = 4;

    /// <summary>Column: <see cref="Decays"/> and <see cref="Aligned"/>.</summary>
    public const int Flags = 5;

    /// <summary>Flag: weight decay applies.</summary>
    public const int Decays = 1;

    /// <summary>Flag: all addresses are multiples of 16.</summary>
    public const int Aligned = 2;

    private readonly Accelerator _accelerator;
    private TensorTableEntry[] _entries = [];
    private DeviceBuffer<long>? _rows;
    private DeviceBuffer<Int2>? _chunks;

    public TensorTable(Accelerator accelerator) => _accelerator = accelerator;

    /// <summary>Chunks of all tensors.</summary>
    public int Chunks { get; private set; }

    /// <summary>Chunks of the tensors that are updated: the first ones.</summary>
    public int UpdatedChunks { get; private set; }

    /// <summary>For kernels: the table.</summary>
    public ReadOnlyView<long> Rows => _rows!.ReadOnly;

    /// <summary>For kernels: each chunk's tensor (X) and place in it (Y).</summary>
    public ReadOnlyView<Int2> ChunkList => _chunks!.ReadOnly;

    /// <summary>Takes new entries; copies to the device only what changed since the last call: nothing in a steady state.</summary>
    /// <param name="entries">Those to update first, then those that only count in the norm.</param>
    public void Set(ReadOnlySpan<TensorTableEntry> entries)
    {
        if (_rows is not null && entries.SequenceEqual(_entries))
        {
            return;
        }

        bool sameChunks = _chunks is not null && entries.Length == _entries.Length;
        for (int i = 0; sameChunks && i < entries.Length; i++)
        {
            sameChunks = entries[i].Length == _entries[i].Length && (entries[i].Parameter == 0) == (_entries[i].Parameter == 0);
        }

        if (_rows is null || _rows.Length < (long)entries.Length * Columns)
        {
            _rows?.Dispose();
            _rows = _accelerator.Allocate<long>(Math.Max(1, entries.Length) * Columns, "the optimiser's table of tensors");
        }

        long[] rows = new long[entries.Length * Columns];
        for (int i = 0; i < entries.Length; i++)
        {
            TensorTableEntry entry = entries[i];
            nint all = entry.Parameter | entry.Gradient | entry.Mean | entry.Square;
            Span<long> row = rows.AsSpan(i * Columns, Columns);
            row[Parameter] = entry.Parameter;
            row[Gradient] = entry.Gradient;
            row[Mean] = entry.Mean;
            row[Square] = entry.Square;
            row[Length] = entry.Length;
            row[Flags] = (entry.Decays ? Decays : 0) | ((all & 15) == 0 ? Aligned : 0);
        }

        _rows.CopyFrom(rows);
        _entries = entries.ToArray();
        if (!sameChunks)
        {
            SetChunks();
        }
    }

    public void Dispose()
    {
        _rows?.Dispose();
        _chunks?.Dispose();
        _rows = null;
        _chunks = null;
    }

    private void SetChunks()
    {
        List<Int2> chunks = [];
        bool counting = false;
        UpdatedChunks = 0;
        for (int i = 0; i < _entries.Length; i++)
        {
            TensorTableEntry entry = _entries[i];
            if (entry.Parameter != 0 && counting)
            {
                throw new CaldException("optimiser table: tensors to update must come before those that only count in the norm");
            }

            counting = entry.Parameter == 0;
            for (long at = 0; at < entry.Length; at += AdamWKernels.Chunk)
            {
                chunks.Add(new Int2(i, (int)(at / AdamWKernels.Chunk)));
            }

            UpdatedChunks = counting ? UpdatedChunks : chunks.Count;
        }

        Chunks = chunks.Count;
        if (_chunks is null || _chunks.Length < Chunks)
        {
            _chunks?.Dispose();
            _chunks = _accelerator.Allocate<Int2>(Math.Max(1, Chunks), "the optimiser's list of chunks");
        }

        _chunks.CopyFrom(chunks.ToArray());
    }
}
