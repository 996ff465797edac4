using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// <see cref="ITileProduct{T}"/> of 16-bit floats on the tensor cores (m16n8k16), sums in float32. Two neighbouring blocks of accumulators, packed,
/// are an operand of the next product as they are.
/// </summary>
internal readonly struct PairProduct<TFormat> : ITileProduct<ushort>
    where TFormat : struct, IPairFormat
{
    public static int Padding => 8;

    public static void RowsByRows<TM, TN>(ref Registers<Float4, Times<TM, TN>> sum, Shared<ushort> a, Shared<ushort> b, int depth, int stride)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        int lane = Warp.Lane;
        int left = ((lane & 15) * stride) + (8 * (lane >> 4)), right = (((lane & 7) + (8 * (lane >> 4))) * stride) + (8 * ((lane >> 3) & 1));
        for (int k = 0; k < depth; k += 16)
        {
            Registers<UInt4, TM> rows = default;
            for (int m = 0; m < TM.Value; m++)
                rows[m] = Mma.Load(a, left + (16 * m * stride) + k);

            for (int n = 0; n < TN.Value; n += 2)
                Step<TM, TN>(ref sum, ref rows, Mma.Load(b, right + (8 * n * stride) + k), n);
        }
    }

    public static void RegistersByColumns<TM, TK, TN>(ref Registers<Float4, Times<TM, TN>> sum, ref Registers<Float4, Times<TM, TK>> a, Shared<ushort> b, int stride)
        where TM : struct, ICount
        where TK : struct, ICount
        where TN : struct, ICount
    {
        int right = Column(stride);
        for (int k = 0; k < TK.Value; k += 2)
        {
            Registers<UInt4, TM> rows = default;
            for (int m = 0; m < TM.Value; m++)
            {
                Float4 p = a[(m * TK.Value) + k], next = a[(m * TK.Value) + k + 1];
                rows[m] = new UInt4(TFormat.Pack(p.X, p.Y), TFormat.Pack(p.Z, p.W), TFormat.Pack(next.X, next.Y), TFormat.Pack(next.Z, next.W));
            }

            for (int n = 0; n < TN.Value; n += 2)
                Step<TM, TN>(ref sum, ref rows, Mma.LoadTransposed(b, right + (8 * k * stride) + (8 * n)), n);
        }
    }

    public static void RowsByColumns<TM, TN>(ref Registers<Float4, Times<TM, TN>> sum, Shared<ushort> a, Shared<ushort> b, int depth, int strideA, int strideB)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        int left = ((Warp.Lane & 15) * strideA) + (8 * (Warp.Lane >> 4)), right = Column(strideB);
        for (int k = 0; k < depth; k += 16)
        {
            Registers<UInt4, TM> rows = default;
            for (int m = 0; m < TM.Value; m++)
                rows[m] = Mma.Load(a, left + (16 * m * strideA) + k);

            for (int n = 0; n < TN.Value; n += 2)
                Step<TM, TN>(ref sum, ref rows, Mma.LoadTransposed(b, right + (k * strideB) + (8 * n)), n);
        }
    }

    public static void ColumnsByColumns<TM, TN>(ref Registers<Float4, Times<TM, TN>> sum, Shared<ushort> a, Shared<ushort> b, int depth, int strideA, int strideB)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        int lane = Warp.Lane;
        int left = (((lane & 7) + (8 * (lane >> 4))) * strideA) + (8 * ((lane >> 3) & 1)), right = Column(strideB);
        for (int k = 0; k < depth; k += 16)
        {
            Registers<UInt4, TM> rows = default;
            for (int m = 0; m < TM.Value; m++)
                rows[m] = Mma.LoadTransposed(a, left + (k * strideA) + (16 * m));

            for (int n = 0; n < TN.Value; n += 2)
                Step<TM, TN>(ref sum, ref rows, Mma.LoadTransposed(b, right + (k * strideB) + (8 * n)), n);
        }
    }

    public static float Widen(ushort value) => TFormat.Low(value);

    public static ushort Narrow(float value) => (ushort)TFormat.Pack(value, 0);

    public static float Dot(UInt4 a, UInt4 b, float sum) => Dot(a.W, b.W, Dot(a.Z, b.Z, Dot(a.Y, b.Y, Dot(a.X, b.X, sum))));

    public static void WritePair(View<ushort> target, long index, float low, float high) => target.As<uint>()[index >> 1] = TFormat.Pack(low, high);

    public static void WritePair(Shared<ushort> target, int index, float low, float high) => target.As<uint>()[index >> 1] = TFormat.Pack(low, high);

    public static Float2 ReadPair(Shared<ushort> source, int index)
    {
        uint pair = source.As<uint>()[index >> 1];
        return new Float2(TFormat.Low(pair), TFormat.High(pair));
    }

    private static float Dot(uint a, uint b, float sum) =>
        GpuMath.Fma(TFormat.High(a), TFormat.High(b), GpuMath.Fma(TFormat.Low(a), TFormat.Low(b), sum));

    private static void Step<TM, TN>(ref Registers<Float4, Times<TM, TN>> sum, ref Registers<UInt4, TM> rows, UInt4 columns, int n)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        for (int m = 0; m < TM.Value; m++)
        {
            int at = (m * TN.Value) + n;
            sum[at] = TFormat.Multiply(sum[at], rows[m], new UInt2(columns.X, columns.Y));
            sum[at + 1] = TFormat.Multiply(sum[at + 1], rows[m], new UInt2(columns.Z, columns.W));
        }
    }

    // the row that the lane names of 16 rows × 16 columns of a column-wise tile
    private static int Column(int stride) => ((Warp.Lane & 15) * stride) + (8 * (Warp.Lane >> 4));
}

/// <summary>A 16-bit float format.</summary>
internal interface IPairFormat
{
    static abstract Float4 Multiply(Float4 sum, UInt4 a, UInt2 b);

    static abstract uint Pack(float low, float high);

    static abstract float Low(uint pair);

    static abstract float High(uint pair);
}

/// <summary>bfloat16.</summary>
internal readonly struct BFloat16Pairs : IPairFormat
{
    public static Float4 Multiply(Float4 sum, UInt4 a, UInt2 b) => Mma.BFloat16(sum, a, b);

    public static uint Pack(float low, float high) => Packed.BFloat16(low, high);

    public static float Low(uint pair) => Packed.LowBFloat16(pair);

    public static float High(uint pair) => Packed.HighBFloat16(pair);
}

/// <summary>float16.</summary>
internal readonly struct HalfPairs : IPairFormat
{
    public static Float4 Multiply(Float4 sum, UInt4 a, UInt2 b) => Mma.Half(sum, a, b);

    public static uint Pack(float low, float high) => Packed.Half(low, high);

    public static float Low(uint pair) => Packed.LowHalf(pair);

    public static float High(uint pair) => Packed.HighHalf(pair);
}
