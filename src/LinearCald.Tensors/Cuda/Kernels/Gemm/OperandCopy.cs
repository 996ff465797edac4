using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// One thread's share of copying an operand's blocks from device to shared memory, block after block along k. Rows and columns past the matrix
/// arrive as zeros. A thread copies one chunk column of every <see cref="OperandLayout.RowStep"/>th row, so that
/// its chunk's swizzle is fixed and the limits cost one comparison a chunk.
/// </summary>
internal struct OperandCopy
{
    private ReadOnlyView<byte> _source;
    private int _offset;
    private int _advance;
    private int _step;
    private int _limit;
    private int _chunkStart;
    private int _row;
    private int _destination;

    /// <param name="layout">Known to the compiler.</param>
    /// <param name="source">The matrix.</param>
    /// <param name="leading">From row to row, in pieces of the layout's width.</param>
    /// <param name="extent">M for A, N for B.</param>
    /// <param name="first">The block's first row or column of C.</param>
    /// <param name="firstK">Where k begins.</param>
    public static OperandCopy Begin(OperandLayout layout, ReadOnlyView<byte> source, int leading, int extent, int first, int firstK)
    {
        int chunk = Group.Thread & (layout.RowChunks - 1);
        int row = (int)((uint)Group.Thread / (uint)layout.RowChunks);
        int outer = layout.DepthInner ? first : firstK;
        int inner = layout.DepthInner ? firstK : first;
        OperandCopy copy = default;
        copy._source = source.From(((long)outer * leading * layout.Width) + ((long)inner * layout.ElementBytes));
        copy._offset = (row * leading) + (chunk * layout.Pieces);
        copy._step = layout.RowStep * leading;
        copy._advance = layout.DepthInner ? layout.Depth / layout.PieceElements : layout.Depth * leading;
        copy._chunkStart = chunk * layout.ChunkElements;
        copy._row = row;
        copy._limit = extent - first - (layout.DepthInner ? row : copy._chunkStart);
        copy._destination = (row * layout.Pitch) + (layout.Place(row, chunk) * 16);
        return copy;
    }

    /// <summary>Starts the copies of the next block, of which <paramref name="left"/> elements of k exist (none or less: all zeros).</summary>
    public readonly void Start(OperandLayout layout, Shared<byte> block, int left)
    {
        // Copy c of piece p is inside if c · RowStep < limit[p]: the piece's own test is folded into the limit.
        Registers<int, N8> limits = default;
        for (int p = 0; p < layout.Pieces; p++)
        {
            Loop.Unroll();
            int start = p * layout.PieceElements;
            if (layout.DepthInner)
            {
                limits[p] = _chunkStart + start < left ? _limit : 0;
            }
            else
            {
                limits[p] = start < _limit ? left - _row : 0;
            }
        }

        Shared<byte> destination = block.From(_destination);
        int offset = _offset;
        for (int c = 0; c < layout.Copies; c++)
        {
            Loop.Unroll();
            for (int p = 0; p < layout.Pieces; p++)
            {
                Loop.Unroll();
                int at = (c * layout.RowStep * layout.Pitch / layout.Width) + p;
                Piece(layout.Width, destination, at, _source.From(p * layout.Width), offset, c * layout.RowStep < limits[p]);
            }

            offset += _step;
        }
    }

    /// <summary>Goes on to the next block of k. The 32-bit offset moves, not the 64-bit address: one register instead of two for every copy of the block.</summary>
    public void Advance() => _offset += _advance;

    // Copies of 16 and 4 bytes run asynchronously; two-byte elements at odd addresses go through a register.
    private static void Piece(int width, Shared<byte> destination, int at, ReadOnlyView<byte> source, int offset, bool inside)
    {
        if (width == 16)
        {
            AsyncCopy.CopyOrClear(destination.As<UInt4>(), at, source.As<UInt4>(), offset, inside);
        }
        else if (width == 4)
        {
            AsyncCopy.CopyOrClear(destination.As<uint>(), at, source.As<uint>(), offset, inside);
        }
        else
        {
            Shared<ushort> elements = destination.As<ushort>();
            ushort value = 0;
            if (inside)
            {
                value = source.As<ushort>()[offset];
            }

            elements[at] = value;
        }
    }
}
