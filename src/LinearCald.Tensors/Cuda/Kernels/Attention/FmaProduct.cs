using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// <see cref="ITileProduct{T}"/> in float32 by fused multiply-adds. A lane computes its 2 × 2 elements of every block; loads are shared by the lanes of a row
/// or column through broadcast. Loops over the depth stay loops: their bodies are hundreds of instructions.
/// </summary>
internal readonly struct FmaProduct : ITileProduct<float>
{
    public static int Padding => 4;

    public static void RowsByRows<TM, TN>(ref Registers<Float4, Times<TM, TN>> sum, Shared<float> a, Shared<float> b, int depth, int stride)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        Shared<Float4> left = a.As<Float4>().From((Warp.Lane >> 2) * (stride / 4)), right = b.As<Float4>().From((Warp.Lane & 3) * (stride / 2));
        for (int d = 0; d < depth / 4; d++)
        {
            Loop.Keep();
            for (int m = 0; m < TM.Value; m++)
            {
                Float4 a0 = left[(16 * m * (stride / 4)) + d], a1 = left[(((16 * m) + 8) * (stride / 4)) + d];
                for (int n = 0; n < TN.Value; n++)
                {
                    Float4 b0 = right[(8 * n * (stride / 4)) + d], b1 = right[(((8 * n) + 1) * (stride / 4)) + d];
                    Float4 s = sum[(m * TN.Value) + n];
                    sum[(m * TN.Value) + n] = new Float4(Dot(a0, b0, s.X), Dot(a0, b1, s.Y), Dot(a1, b0, s.Z), Dot(a1, b1, s.W));
                }
            }
        }
    }

    public static void RegistersByColumns<TM, TK, TN>(ref Registers<Float4, Times<TM, TN>> sum, ref Registers<Float4, Times<TM, TK>> a, Shared<float> b, int stride)
        where TM : struct, ICount
        where TK : struct, ICount
        where TN : struct, ICount
    {
        int quad = Warp.Lane & ~3;
        Shared<Float2> right = b.As<Float2>().From(Warp.Lane & 3);
        for (int k = 0; k < TK.Value; k++)
        {
            // lane t of a quad holds columns 2t and 2t + 1 of a
            for (int t = 0; t < 4; t++)
            {
                int row = ((8 * k) + (2 * t)) * (stride / 2);
                for (int m = 0; m < TM.Value; m++)
                {
                    Float4 own = a[(m * TK.Value) + k];
                    Float4 p = new(Warp.Shuffle(own.X, quad + t), Warp.Shuffle(own.Y, quad + t), Warp.Shuffle(own.Z, quad + t), Warp.Shuffle(own.W, quad + t));
                    for (int n = 0; n < TN.Value; n++)
                    {
                        Float2 b0 = right[row + (4 * n)], b1 = right[row + (stride / 2) + (4 * n)];
                        Float4 s = sum[(m * TN.Value) + n];
                        s = Outer(p.X, p.Z, b0, s);
                        sum[(m * TN.Value) + n] = Outer(p.Y, p.W, b1, s);
                    }
                }
            }
        }
    }

    public static void RowsByColumns<TM, TN>(ref Registers<Float4, Times<TM, TN>> sum, Shared<float> a, Shared<float> b, int depth, int strideA, int strideB)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        Shared<float> left = a.From((Warp.Lane >> 2) * strideA);
        Shared<Float2> right = b.As<Float2>().From(Warp.Lane & 3);
        for (int k = 0; k < depth; k++)
        {
            Loop.Keep();
            for (int m = 0; m < TM.Value; m++)
            {
                float a0 = left[(16 * m * strideA) + k], a1 = left[(((16 * m) + 8) * strideA) + k];
                for (int n = 0; n < TN.Value; n++)
                    sum[(m * TN.Value) + n] = Outer(a0, a1, right[(k * (strideB / 2)) + (4 * n)], sum[(m * TN.Value) + n]);
            }
        }
    }

    public static void ColumnsByColumns<TM, TN>(ref Registers<Float4, Times<TM, TN>> sum, Shared<float> a, Shared<float> b, int depth, int strideA, int strideB)
        where TM : struct, ICount
        where TN : struct, ICount
    {
        Shared<float> left = a.From(Warp.Lane >> 2);
        Shared<Float2> right = b.As<Float2>().From(Warp.Lane & 3);
        for (int k = 0; k < depth; k++)
        {
            Loop.Keep();
            for (int m = 0; m < TM.Value; m++)
            {
                float a0 = left[(k * strideA) + (16 * m)], a1 = left[(k * strideA) + (16 * m) + 8];
                for (int n = 0; n < TN.Value; n++)
                    sum[(m * TN.Value) + n] = Outer(a0, a1, right[(k * (strideB / 2)) + (4 * n)], sum[(m * TN.Value) + n]);
            }
        }
    }

    public static float Widen(float value) => value;

    public static float Narrow(float value) => value;

    public static float Dot(UInt4 a, UInt4 b, float sum) => Dot(Floats(a), Floats(b), sum);

    public static void WritePair(View<float> target, long index, float low, float high) => target.As<Float2>()[index >> 1] = new Float2(low, high);

    public static void WritePair(Shared<float> target, int index, float low, float high) => target.As<Float2>()[index >> 1] = new Float2(low, high);

    public static Float2 ReadPair(Shared<float> source, int index) => source.As<Float2>()[index >> 1];

    private static float Dot(Float4 a, Float4 b, float sum) => GpuMath.Fma(a.W, b.W, GpuMath.Fma(a.Z, b.Z, GpuMath.Fma(a.Y, b.Y, GpuMath.Fma(a.X, b.X, sum))));

    private static Float4 Floats(UInt4 bits) => new(
        BitConverter.UInt32BitsToSingle(bits.X), BitConverter.UInt32BitsToSingle(bits.Y), BitConverter.UInt32BitsToSingle(bits.Z), BitConverter.UInt32BitsToSingle(bits.W));

    private static Float4 Outer(float a0, float a1, Float2 b, Float4 sum) =>
        new(GpuMath.Fma(a0, b.X, sum.X), GpuMath.Fma(a0, b.Y, sum.Y), GpuMath.Fma(a1, b.X, sum.Z), GpuMath.Fma(a1, b.Y, sum.W));
}
