using System.Numerics;

#if UNOPTIMISED
namespace LinearCald.Gpu.Unoptimised;
#else
namespace LinearCald.Gpu.Tests.Language.Constructs;
#endif

/// <summary>Members with instructions of their own. Each kernel maps a[i], b[i] to y[i], one thread an element; groups of 64 threads.</summary>
public static class IntrinsicKernels
{
    public static void FloatFunctions(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        float p = Real(a[i]);
        float q = Real(b[i]);
        int sum = Bits(MathF.Abs(p)) ^ (Bits(MathF.Min(p, q)) * 3) ^ (Bits(MathF.Max(p, q)) * 5);
        sum += Bits(MathF.Sqrt(p)) ^ Bits(MathF.Floor(q)) ^ (Bits(MathF.Ceiling(q)) * 7) ^ Bits(MathF.Truncate(p));
        sum ^= Bits(MathF.Round(p)) + (Bits(MathF.CopySign(p, float.IsNaN(q) ? 1 : q)) * 9) + Bits(MathF.FusedMultiplyAdd(p, q, p));
        sum += Bits(Math.Clamp(p, -3f, 5f)) ^ Bits(GpuMath.Fma(q, q, -p)) ^ (Math.Clamp(b[i], -100, 100) * 11);
        sum ^= float.IsNaN(p) ? 64 : float.IsInfinity(q) ? 128 : float.IsFinite(p) ? 256 : 512;
        sum += float.IsNegative(p) ? 1 : 2;
        y[i] = sum;
    }

    public static void DoubleFunctions(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        double p = Real(a[i]) * 1.1;
        double q = Real(b[i]);
        long sum = Bits(Math.Abs(p)) ^ (Bits(Math.Min(p, q)) * 3) ^ (Bits(Math.Max(p, q)) * 5);
        sum += Bits(Math.Sqrt(p)) ^ Bits(Math.Floor(q)) ^ (Bits(Math.Ceiling(q)) * 7) ^ Bits(Math.Truncate(p));
        sum ^= Bits(Math.Round(p)) + (Bits(Math.CopySign(p, double.IsNaN(q) ? 1 : q)) * 9) + Bits(Math.FusedMultiplyAdd(p, q, p));
        sum += Bits(Math.Clamp(p, -3, 5)) ^ Bits(GpuMath.Fma(q, q, -p));
        y[i] = (int)sum ^ (int)(sum >> 32);
    }

    public static void IntegerFunctions(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int p = a[i] | 1;
        int q = b[i];
        uint u = (uint)p;
        uint v = (uint)q;
        int sum = Math.Min(p, q) ^ (Math.Max(p, q) * 3) ^ (Math.Abs(p) * 5) ^ (Math.Sign(q) * 7);
        sum += (int)(Math.Min(u, v) ^ (Math.Max(u, v) * 3)) + (int)Math.Min((long)p, q) + (int)(Math.Max((ulong)u << 32, v) >> 32);
        long wide = Math.BigMul(p, q) ^ (long)Math.BigMul(u, v);
        ulong high = Math.BigMul((ulong)wide, ((ulong)u << 20) | v, out ulong low);
        sum ^= (int)wide ^ (int)(wide >> 32) ^ (int)high ^ (int)(high >> 32) ^ (int)low ^ (int)(low >> 32);
        sum += Math.Max((short)p, (short)q) + Math.Min((byte)p, (byte)q);
        y[i] = sum;
    }

    public static void BitFunctions(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        uint p = (uint)a[i] >> (b[i] & 31);
        ulong q = ((ulong)p << 32) >> (a[i] & 63);
        int sum = BitOperations.PopCount(p) + (BitOperations.PopCount(q) * 3);
        sum += (BitOperations.LeadingZeroCount(p) * 5) + (BitOperations.LeadingZeroCount(q) * 7);
        sum += (BitOperations.TrailingZeroCount(p) * 11) + (BitOperations.TrailingZeroCount(q) * 13);
        sum += (BitOperations.Log2(p) * 17) + (BitOperations.Log2(q) * 19);
        sum ^= (int)BitOperations.RotateLeft(p, b[i]) ^ (int)BitOperations.RotateRight(p, 5) ^ (int)BitOperations.RotateLeft(q, b[i]);
        sum += (BitOperations.IsPow2(p) ? 1 : 2) + (BitOperations.IsPow2(a[i]) ? 4 : 8) + (BitOperations.IsPow2(q) ? 16 : 32);
        sum += BitOperations.Log2(1000u) + BitOperations.PopCount(255u) + BitOperations.TrailingZeroCount(24);
        y[i] = sum;
    }

    public static void SixteenBitFloats(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        float p = a[i] * 0.37f;
        float q = b[i] * 1e-6f;
        BFloat16 bf = (BFloat16)p;
        Half half = (Half)q;
        uint pair = Packed.BFloat16(p, q);
        uint halves = Packed.Half(q, p);
        int sum = bf.Bits ^ (BitConverter.HalfToUInt16Bits(half) << 3) ^ (int)pair ^ (int)(halves * 3);
        sum ^= Bits((float)bf) + (Bits((float)half) * 5) + Bits(Packed.LowBFloat16(pair)) + Bits(Packed.HighBFloat16(pair));
        sum ^= Bits(Packed.LowHalf(halves)) + (Bits(Packed.HighHalf(halves)) * 3) + (int)(Packed.TensorFloat32(p) >> 5);
        y[i] = sum ^ Bits((float)BitConverter.UInt16BitsToHalf((ushort)(a[i] & 0x3FFF)));
    }

    public static void SixteenBitMemory(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        Shared<BFloat16> row = Shared.Allocate<BFloat16>(128);
        ReadOnlyView<Half> halves = a.As<Half>();
        row[2 * Group.Thread] = (BFloat16)(b[i] * 0.5f);
        row[(2 * Group.Thread) + 1] = (BFloat16)(a[i] * 0.25f);
        Group.Barrier();
        float half = (float)BitConverter.UInt16BitsToHalf((ushort)(BitConverter.HalfToUInt16Bits(halves[i * 2]) & 0x3FFF));
        y[i] = Bits((float)row[Group.Thread ^ 3]) + (int)row.As<uint>()[63 - Group.Thread] + Bits(half);
    }

    public static void GlobalAtomics(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        Atomic.Add(y, a[i] & 15, b[i]);
        Atomic.Max(y, 16 + (a[i] & 3), b[i]);
        Atomic.Min(y, 20, b[i]);
        Atomic.Max(y.As<uint>(), 21, (uint)b[i]);
        Atomic.Add(y.From(24).As<long>(), a[i] & 1, (long)b[i] << 20);
        if (i == 5)
        {
            y[30] = Atomic.Exchange(y, 31, 77);
            y[32] = Atomic.CompareExchange(y, 31, 77, 78);
            y[33] = Atomic.CompareExchange(y, 31, 1, 79);
        }
    }

    public static void MatrixProducts(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int lane = Warp.Lane;
        Shared<BFloat16> left = Shared.Allocate<BFloat16>(2 * 16 * 16);
        Shared<BFloat16> right = Shared.Allocate<BFloat16>(2 * 16 * 16);
        Shared<BFloat16> l = left.From(Warp.Index * 256);
        Shared<BFloat16> r = right.From(Warp.Index * 256);
        for (int k = 0; k < 8; k++)
        {
            l[(k * 32) + lane] = (BFloat16)(float)((a[i] >> k) & 7);
            r[(k * 32) + lane] = (BFloat16)(float)((b[i] >> k) & 7);
        }

        Warp.Barrier();
        UInt4 fragment = Mma.Load(l, ((lane & 15) * 16) + ((lane >> 4) * 8));
        UInt4 columns = Mma.LoadTransposed(r, ((lane & 15) * 16) + ((lane >> 4) * 8));
        Float4 sum = default;
        sum = Mma.BFloat16(sum, fragment, new UInt2(columns.X, columns.Y));
        sum = Mma.BFloat16(sum, fragment, new UInt2(columns.Z, columns.W));
        float whole = a[i] & 7;
        Float4 tf = Mma.TensorFloat32(sum, new UInt4(Packed.TensorFloat32(whole), Packed.TensorFloat32(2), Packed.TensorFloat32(whole + 1), 0), new UInt2(Packed.TensorFloat32(3), Packed.TensorFloat32(whole)));
        UInt4 halves = new(Packed.Half(whole, 1), Packed.Half(2, whole), Packed.Half(1, 1), Packed.Half(whole, whole));
        Float4 hf = Mma.Half(tf, halves, new UInt2(Packed.Half(whole, 2), Packed.Half(1, 3)));
        y[i] = (int)sum.X + ((int)sum.Y * 3) + ((int)sum.Z * 5) + ((int)sum.W * 7) + ((int)hf.X * 11) + ((int)hf.Y * 13) + ((int)hf.Z * 17) + ((int)hf.W * 19);
    }

    public static void AccurateFunctions(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        float p = Real(a[i]);
        float q = b[i] * 1e-3f;
        int sum = Bits(GpuMath.Exp(p)) ^ (Bits(GpuMath.Log(p)) * 3) ^ (Bits(GpuMath.Tanh(q)) * 5) ^ (Bits(GpuMath.Erf(q)) * 7);
        sum += Bits(GpuMath.Expm1(q)) ^ (Bits(GpuMath.Log1p(q)) * 3) ^ (Bits(GpuMath.Erfc(q)) * 5) ^ (Bits(GpuMath.Sigmoid(p)) * 7);
        sum ^= Bits(GpuMath.SinPi(q)) + (Bits(GpuMath.CosPi(p)) * 3) + (Bits(GpuMath.Pow(p, q)) * 5);
        long wide = Bits(GpuMath.Exp((double)q)) ^ (Bits(GpuMath.Log((double)p)) * 3);
        y[i] = sum ^ (int)wide ^ (int)(wide >> 32);
    }

    public static void SineOfLargeNumbers(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        y[i] = Bits(GpuMath.Sin(Real(a[i]))) ^ (Bits(GpuMath.Cos(b[i])) * 3);
    }

    private static float Real(int x) => (x & 15) switch
    {
        0 => float.NaN,
        1 => float.PositiveInfinity,
        2 => float.NegativeInfinity,
        3 => -0f,
        4 => 0f,
        5 => 2.5f,
        6 => -3.5f,
        _ => BitConverter.Int32BitsToSingle(x),
    };

    private static int Bits(float x) => float.IsNaN(x) ? 1 : BitConverter.SingleToInt32Bits(x);

    private static long Bits(double x) => double.IsNaN(x) ? 1 : BitConverter.DoubleToInt64Bits(x);
}
