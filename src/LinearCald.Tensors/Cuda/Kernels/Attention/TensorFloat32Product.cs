using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// <see cref="ITileProduct{T}"/> of float32 tiles on the tensor cores in tf32: operands rounded to ten fraction bits, sums in float32. A sum over k may be
/// taken in any order, so where an operand lies column-wise, slot c of a step stands for k = 2c and slot c + 4 for k = 2c + 1: then accumulators
/// are operands as they are, and a warp's scalar loads fall into 32 different banks.
/// </summary>
internal readonly struct TensorFloat32Product : ITileProduct<float>
{
    public static int Padding => 4;

    public static void RowsByRows<TM, TN>(ref Registers<Float4, Times<TM, TN>> sum, Shared<float> a, Shared<float> b, int depth, int stride)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        int lane = Warp.Lane;
        int left = ((lane & 15) * stride) + (4 * (lane >> 4)), right = (((lane & 7) + (8 * (lane >> 4))) * stride) + (4 * ((lane >> 3) & 1));
        for (int k = 0; k < depth; k += 8)
        {
            Registers<UInt4, TM> rows = default;
            for (int m = 0; m < TM.Value; m++)
                rows[m] = Round(Mma.Load(a, left + (16 * m * stride) + k));

            for (int n = 0; n < TN.Value; n += 2)
            {
                UInt4 columns = Round(Mma.Load(b, right + (8 * n * stride) + k));
                for (int m = 0; m < TM.Value; m++)
                {
                    int at = (m * TN.Value) + n;
                    sum[at] = Mma.TensorFloat32(sum[at], rows[m], new UInt2(columns.X, columns.Y));
                    sum[at + 1] = Mma.TensorFloat32(sum[at + 1], rows[m], new UInt2(columns.Z, columns.W));
                }
            }
        }
    }

    public static void RegistersByColumns<TM, TK, TN>(ref Registers<Float4, Times<TM, TN>> sum, ref Registers<Float4, Times<TM, TK>> a, Shared<float> b, int stride)
        where TM : struct, ICount
        where TK : struct, ICount
        where TN : struct, ICount
    {
        Shared<float> right = b.From(Column(stride));
        for (int k = 0; k < TK.Value; k++)
        {
            Registers<UInt4, TM> rows = default;
            for (int m = 0; m < TM.Value; m++)
            {
                Float4 p = a[(m * TK.Value) + k];
                rows[m] = Round(p.X, p.Z, p.Y, p.W);
            }

            Step<TM, TN>(ref sum, ref rows, right, 8 * k * stride, stride);
        }
    }

    public static void RowsByColumns<TM, TN>(ref Registers<Float4, Times<TM, TN>> sum, Shared<float> a, Shared<float> b, int depth, int strideA, int strideB)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        Shared<Float2> left = a.As<Float2>().From(((Warp.Lane >> 2) * (strideA / 2)) + (Warp.Lane & 3));
        Shared<float> right = b.From(Column(strideB));
        for (int k = 0; k < depth; k += 8)
        {
            Registers<UInt4, TM> rows = default;
            for (int m = 0; m < TM.Value; m++)
            {
                Float2 x = left[(16 * m * (strideA / 2)) + (k / 2)], y = left[(((16 * m) + 8) * (strideA / 2)) + (k / 2)];
                rows[m] = Round(x.X, y.X, x.Y, y.Y);
            }

            Step<TM, TN>(ref sum, ref rows, right, k * strideB, strideB);
        }
    }

    public static void ColumnsByColumns<TM, TN>(ref Registers<Float4, Times<TM, TN>> sum, Shared<float> a, Shared<float> b, int depth, int strideA, int strideB)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        Shared<float> left = a.From(Column(strideA)), right = b.From(Column(strideB));
        for (int k = 0; k < depth; k += 8)
        {
            Registers<UInt4, TM> rows = default;
            for (int m = 0; m < TM.Value; m++)
            {
                int at = (k * strideA) + (16 * m);
                rows[m] = Round(left[at], left[at + 8], left[at + strideA], left[at + strideA + 8]);
            }

            Step<TM, TN>(ref sum, ref rows, right, k * strideB, strideB);
        }
    }

    public static float Widen(float value) => value;

    public static float Narrow(float value) => value;

    public static float Dot(UInt4 a, UInt4 b, float sum) => FmaProduct.Dot(a, b, sum);

    public static void WritePair(View<float> target, long index, float low, float high) => FmaProduct.WritePair(target, index, low, high);

    public static void WritePair(Shared<float> target, int index, float low, float high) => FmaProduct.WritePair(target, index, low, high);

    public static Float2 ReadPair(Shared<float> source, int index) => FmaProduct.ReadPair(source, index);

    private static void Step<TM, TN>(ref Registers<Float4, Times<TM, TN>> sum, ref Registers<UInt4, TM> rows, Shared<float> right, int row, int stride)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        for (int n = 0; n < TN.Value; n++)
        {
            UInt2 column = new(Packed.TensorFloat32(right[row + (8 * n)]), Packed.TensorFloat32(right[row + stride + (8 * n)]));
            for (int m = 0; m < TM.Value; m++)
                sum[(m * TN.Value) + n] = Mma.TensorFloat32(sum[(m * TN.Value) + n], rows[m], column);
        }
    }

    // where the lane's element (k 2c, column g) lies in a column-wise tile
    private static int Column(int stride) => ((Warp.Lane & 3) * 2 * stride) + (Warp.Lane >> 2);

    private static UInt4 Round(float x, float y, float z, float w) =>
        new(Packed.TensorFloat32(x), Packed.TensorFloat32(y), Packed.TensorFloat32(z), Packed.TensorFloat32(w));

    private static UInt4 Round(UInt4 bits) => Round(
        BitConverter.UInt32BitsToSingle(bits.X), BitConverter.UInt32BitsToSingle(bits.Y), BitConverter.UInt32BitsToSingle(bits.Z), BitConverter.UInt32BitsToSingle(bits.W));
}
