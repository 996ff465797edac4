namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// How one operand's block lies in shared memory: as in device memory, row by row. "Along" is the operand's dimension in C (M of A, N of B);
/// a block is <see cref="Extent"/> elements along by <see cref="Depth"/> elements of k. All of it is known where a kernel is compiled.
/// </summary>
/// <param name="DepthInner">Rows run along k: A as stored, or B transposed.</param>
/// <param name="Width">Bytes of one copy: 16, 4, or 2.</param>
/// <param name="ElementBytes">Bytes of an element.</param>
/// <param name="Extent">Elements along the operand's dimension in C.</param>
/// <param name="Depth">Elements of k.</param>
/// <param name="Pitch">Bytes from one row to the next in shared memory.</param>
/// <param name="Swizzle">How the 16-byte chunks of a row are permuted.</param>
/// <param name="Threads">Threads that copy.</param>
internal readonly record struct OperandLayout(bool DepthInner, int Width, int ElementBytes, int Extent, int Depth, int Pitch, ChunkSwizzle Swizzle, int Threads)
{
    /// <summary>16-byte chunks of a row's data.</summary>
    public int RowChunks => (DepthInner ? Depth : Extent) * ElementBytes / 16;

    /// <summary>Rows of the block.</summary>
    public int Rows => DepthInner ? Extent : Depth;

    /// <summary>Rows that all threads copy together, a chunk each.</summary>
    public int RowStep => Threads / RowChunks;

    /// <summary>Chunks that each thread copies.</summary>
    public int Copies => Rows / RowStep;

    /// <summary>Elements of a chunk.</summary>
    public int ChunkElements => 16 / ElementBytes;

    /// <summary>Copies that make up a chunk.</summary>
    public int Pieces => 16 / Width;

    /// <summary>Elements of one copy.</summary>
    public int PieceElements => Width / ElementBytes;

    /// <summary>Where chunk <paramref name="chunk"/> of row <paramref name="row"/> lies in its row.</summary>
    public int Place(int row, int chunk) => Swizzle switch
    {
        ChunkSwizzle.EightRows => chunk ^ (row & 7),
        ChunkSwizzle.FourRows => chunk ^ ((row & 3) << 1),
        _ => chunk,
    };
}

/// <summary>Permutations of the 16-byte chunks of a shared row, so that reads down a column touch all banks.</summary>
internal enum ChunkSwizzle : byte
{
    /// <summary>None: rows are read along, or are padded.</summary>
    None,

    /// <summary>chunk ^ (row mod 8): eight rows of one chunk column lie in eight bank groups, as one <c>ldmatrix</c> reads them.</summary>
    EightRows,

    /// <summary>chunk ^ 2 (row mod 4): four rows × eight neighbouring words lie in 32 banks, as fragments of four-byte elements are gathered.</summary>
    FourRows,
}
