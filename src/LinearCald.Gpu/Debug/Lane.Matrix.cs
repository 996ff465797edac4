namespace LinearCald.Gpu.Debug;

internal sealed partial class Lane
{
    private const int MatrixRowBytes = 16;

    /// <summary>Products are exact; they are added to the accumulator in float32 in ascending order of k.</summary>
    public Float4 MatrixProduct(Float4 accumulator, UInt4 a, UInt2 b, MatrixFormat format)
    {
        RequireWholeWarp("a matrix product");
        int parity = Exchange(format == MatrixFormat.BFloat16 ? "Mma.BFloat16" : format == MatrixFormat.Half ? "Mma.Half" : "Mma.TensorFloat32", (a, b));
        int row = (thread & 31) >> 2;
        int column = (thread & 3) * 2;
        return new Float4(
            Element(accumulator.X, row, column),
            Element(accumulator.Y, row, column + 1),
            Element(accumulator.Z, row + 8, column),
            Element(accumulator.W, row + 8, column + 1));

        float Element(float sum, int m, int n)
        {
            int depth = format == MatrixFormat.TensorFloat32 ? 8 : 16;
            for (int k = 0; k < depth; k++)
            {
                sum += ElementA(parity, m, k, format) * ElementB(parity, k, n, format);
            }

            return sum;
        }
    }

    public unsafe UInt4 LoadMatrix<T>(Shared<T> source, int index, bool transposed)
        where T : unmanaged
    {
        RequireWholeWarp("a matrix load");
        int address = source.Offset + (index * sizeof(T));
        int elements = MatrixRowBytes / sizeof(T);
        if (index < 0 || index + elements > source.Length || address % MatrixRowBytes != 0)
        {
            throw new CaldException($"a matrix load of the row at element {index} of {source.Length} in shared memory (byte {address}): rows are {MatrixRowBytes} bytes, aligned to {MatrixRowBytes}");
        }

        int parity = Exchange(transposed ? "Mma.LoadTransposed" : "Mma.Load", address);
        int g = (thread & 31) >> 2;
        int c = thread & 3;
        UInt4 result = default;
        result.X = Fragment(0);
        result.Y = Fragment(1);
        result.Z = Fragment(2);
        result.W = Fragment(3);
        return result;

        uint Fragment(int matrix)
        {
            if (!transposed)
            {
                return group.Shared.Read<uint>(this, Brought<int>(parity, (matrix * 8) + g) + (4 * c));
            }

            uint low = group.Shared.Read<ushort>(this, Brought<int>(parity, (matrix * 8) + (2 * c)) + (2 * g));
            uint high = group.Shared.Read<ushort>(this, Brought<int>(parity, (matrix * 8) + (2 * c) + 1) + (2 * g));
            return low | (high << 16);
        }
    }

    private float ElementA(int parity, int m, int k, MatrixFormat format)
    {
        (UInt4 a, _) = FragmentOf(parity, (m & 7) * 4, k, format);
        bool upper = k >= (format == MatrixFormat.TensorFloat32 ? 4 : 8);
        uint word = m < 8 ? (upper ? a.Z : a.X) : (upper ? a.W : a.Y);
        return Number(word, k, format);
    }

    private float ElementB(int parity, int k, int n, MatrixFormat format)
    {
        (_, UInt2 b) = FragmentOf(parity, n * 4, k, format);
        bool upper = k >= (format == MatrixFormat.TensorFloat32 ? 4 : 8);
        return Number(upper ? b.Y : b.X, k, format);
    }

    private (UInt4 A, UInt2 B) FragmentOf(int parity, int quad, int k, MatrixFormat format) =>
        Brought<(UInt4, UInt2)>(parity, quad + (format == MatrixFormat.TensorFloat32 ? k & 3 : (k & 7) >> 1));

    private static float Number(uint word, int k, MatrixFormat format) => format switch
    {
        MatrixFormat.TensorFloat32 => BitConverter.UInt32BitsToSingle(word & 0xFFFFE000),
        MatrixFormat.BFloat16 => (k & 1) == 0 ? Packed.LowBFloat16(word) : Packed.HighBFloat16(word),
        _ => (k & 1) == 0 ? Packed.LowHalf(word) : Packed.HighHalf(word),
    };

    private void RequireWholeWarp(string operation)
    {
        if (WarpRun.Size != Warp.Size)
        {
            throw new CaldException($"{operation} needs {Warp.Size} lanes; the last warp of a group of {group.Count} threads has {WarpRun.Size}");
        }
    }
}
