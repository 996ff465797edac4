namespace LinearCald.Gpu.Debug;

internal sealed partial class Lane
{
    private const int WarpgroupThreads = 128;
    private const int ProductDepth = 16;
    private const int ProductBytes = 32;

    /// <summary>The lanes of a warp come together: what one of them does next happens after the products of all.</summary>
    public void WaitForProducts(int groups)
    {
        if (groups is < 0 or > 7)
        {
            throw new CaldException($"Wgmma.Wait for {groups} groups; 0 to 7 may still run");
        }

        Meet("Wgmma.Wait");
    }

    /// <summary>Products are exact; they are added to the sums in float32 in ascending order of k.</summary>
    public void WarpgroupProduct<TCount>(ref Registers<float, TCount> sums, WgmmaOperand a, WgmmaOperand b, bool accumulate, MatrixFormat format)
        where TCount : struct, ICount
    {
        int first = FirstOfWarpgroup<TCount>();
        int parity = Exchange("a warpgroup product", (a.Bits, b.Bits));
        if (Brought<(ulong, ulong)>(parity, 0) != (a.Bits, b.Bits))
        {
            throw new CaldException("the operands of a warpgroup product differ between lanes");
        }

        int row = ((thread - first) / Warp.Size * 16) + ((thread & 31) / 4);
        int depth = ProductBytes / Bytes(format);
        if (format == MatrixFormat.TensorFloat32 && (a.IsTransposed || b.IsTransposed))
        {
            throw new CaldException("a warpgroup product of tf32 with an operand whose inner dimension is not k: there is no such instruction");
        }

        Span<float> upper = stackalloc float[depth];
        Span<float> lower = stackalloc float[depth];
        Gather(upper, a, row, format);
        Gather(lower, a, row + 8, format);
        AddProduct(ref sums, upper, lower, b, accumulate, format);
    }

    /// <summary>The same, the left operand in registers.</summary>
    public void WarpgroupProduct<TCount>(ref Registers<float, TCount> sums, UInt4 a, WgmmaOperand b, bool accumulate, MatrixFormat format)
        where TCount : struct, ICount
    {
        FirstOfWarpgroup<TCount>();
        int parity = Exchange("a warpgroup product", (a, b.Bits));
        if (Brought<(UInt4, ulong)>(parity, 0).Item2 != b.Bits)
        {
            throw new CaldException("the right operand of a warpgroup product differs between lanes");
        }

        Span<float> upper = stackalloc float[ProductDepth];
        Span<float> lower = stackalloc float[ProductDepth];
        for (int k = 0; k < ProductDepth; k++)
        {
            UInt4 words = Brought<(UInt4, ulong)>(parity, (thread & 28) + (k % 8 / 2)).Item1;
            upper[k] = Number(k < 8 ? words.X : words.Z, k, format);
            lower[k] = Number(k < 8 ? words.Y : words.W, k, format);
        }

        AddProduct(ref sums, upper, lower, b, accumulate, format);
    }

    private int FirstOfWarpgroup<TCount>()
        where TCount : struct, ICount
    {
        int count = TCount.Value;
        int first = thread / WarpgroupThreads * WarpgroupThreads;
        return first + WarpgroupThreads <= group.Count && count % 4 == 0 && count is >= 4 and <= 128
            ? first
            : throw new CaldException($"a warpgroup product of thread {thread} of {group.Count} with {count} sums a thread; warpgroups are whole, sums a multiple of 4 up to 128");
    }

    // upper and lower are the rows of the left operand that this lane has sums of
    private void AddProduct<TCount>(ref Registers<float, TCount> sums, ReadOnlySpan<float> upper, ReadOnlySpan<float> lower, WgmmaOperand b, bool accumulate, MatrixFormat format)
        where TCount : struct, ICount
    {
        Span<float> column = stackalloc float[upper.Length];
        for (int i = 0; i < TCount.Value; i++)
        {
            // Registers i and i + 2 hold the same column.
            if ((i & 2) == 0)
            {
                Gather(column, b, (8 * (i >> 2)) + (2 * (thread & 3)) + (i & 1), format);
                sums[i] = Dot(accumulate ? sums[i] : 0, upper, column);
                sums[i + 2] = Dot(accumulate ? sums[i + 2] : 0, lower, column);
            }
        }
    }

    private static float Dot(float sum, ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        for (int k = 0; k < a.Length; k++)
        {
            sum += a[k] * b[k];
        }

        return sum;
    }

    private void Gather(Span<float> values, WgmmaOperand operand, int row, MatrixFormat format)
    {
        for (int k = 0; k < values.Length; k++)
        {
            int at = Place(operand, row, k, Bytes(format));
            values[k] = Number(format == MatrixFormat.TensorFloat32 ? group.Shared.Read<uint>(this, at) : group.Shared.Read<ushort>(this, at), 0, format);
        }
    }

    /// <summary>
    /// Where element k of a row (of A; of B: column) lies, by the fields of the descriptor: eight rows of 128 bytes make an atom, within which chunks are permuted.
    /// </summary>
    private static int Place(WgmmaOperand operand, int row, int k, int bytes)
    {
        int start = Field(operand.Bits, 0);
        int leading = Field(operand.Bits, 16);
        int stride = Field(operand.Bits, 32);
        int address = operand.IsTransposed
            ? start + (row / 64 * leading) + (k / 8 * stride) + (k % 8 * 128) + (row % 64 * 2)
            : start + (row / 8 * stride) + (row % 8 * 128) + (k * bytes);
        return TensorSwizzle.Bytes128.Place(address);
    }

    private static int Bytes(MatrixFormat format) => format == MatrixFormat.TensorFloat32 ? sizeof(float) : sizeof(ushort);

    private static int Field(ulong bits, int position) => (int)(bits >> position & 0x3FFF) << 4;
}
