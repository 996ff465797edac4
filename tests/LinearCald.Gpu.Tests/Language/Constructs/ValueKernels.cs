#if UNOPTIMISED
namespace LinearCald.Gpu.Unoptimised;
#else
namespace LinearCald.Gpu.Tests.Language.Constructs;
#endif

/// <summary>Structs, tuples, references, small integers, comparisons. Each kernel maps a[i], b[i] to y[i], one thread an element.</summary>
public static class ValueKernels
{
    private static readonly Step s_step = new(3, 1.5f);

    private static ReadOnlySpan<int> Table => [3, 1, 4, 1, 5, 9, 2, 6];

    public static void TernaryOverStack(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int p = a[i];
        int q = b[i];
        y[i] = p + (q * (p > q ? p - q : (q & 1) == 0 ? q : Twice(p))) - (q > 7 ? 1 : 2);
    }

    public static void NestedStructInLoop(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        Outer s = new() { Count = (byte)a[i], Inner = new Inner { Flag = b[i] > 0, Sum = a[i] } };
        Outer best = s;
        for (int k = 0; k < (b[i] & 15); k++)
        {
            s.Count += 37;
            s.Inner.Sum += s.Count * (long)k;
            s.Inner.Flag ^= (s.Inner.Sum & 4) != 0;
            s.Small--;
            if (s.Inner.Flag && s.Count > best.Count)
                best = s;
        }

        y[i] = (int)best.Inner.Sum + best.Count + (best.Inner.Flag ? 1000 : 0) + s.Small + (int)(s.Inner.Sum >> 7);
    }

    public static void TuplesOutInClosures(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        (int quotient, int remainder) = Divide(a[i], (b[i] & 15) + 1);
        Halve(quotient, out int half, out bool odd);
        int captured = remainder;
        Pair pair = new() { X = half, Y = remainder };

        int Bump(int by)
        {
            captured += by;
            return captured * 2;
        }

        int sum = Bump(3) + Bump(Dot(pair, in pair));
        Exchange(ref pair.X, ref pair.Y);
        y[i] = sum + captured + (pair.X * 7) + (odd ? 1 : 0);
    }

    public static void ReadonlyFields(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        y[i] = a[i] + s_step.Count + (int)(s_step.Size * b[i]);
    }

    public static void ConstantTable(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int sum = Table[3] + Table.Length;
        for (int k = 0; k < 8; k++)
            sum += Table[k] * k;

        foreach (int entry in Table)
            sum ^= entry * b[i];

        y[i] = sum + Table[a[i] & 7];
    }

    public static void SmallIntegers(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        byte u8 = (byte)a[i];
        sbyte s8 = (sbyte)b[i];
        char c = (char)(a[i] >> 3);
        short s16 = (short)(b[i] * 3);
        ushort u16 = (ushort)(a[i] - b[i]);
        u8 += 200;
        s8 -= 100;
        c++;
        s16 *= 77;
        u16 >>= 3;
        y[i] = (u8 * 3) + (s8 << 3) + c + s16 - u16 + (s8 / 3) + (s8 % 7) + (s16 >> 2);
    }

    public static void UnsignedAndWide(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        uint u = (uint)a[i];
        uint v = (uint)b[i] | 1;
        long w = ((long)a[i] * b[i]) + uint.MaxValue;
        ulong x = ((ulong)u << 21) ^ v;
        nint n = a[i];
        nuint m = v;
        int sum = (int)(u / v) + (int)(u % v) + (int)(u >> 5) + (a[i] >> 5);
        sum += u < v ? 1 : 2;
        sum += a[i] < b[i] ? 4 : 8;
        sum ^= (int)(w >> 33) ^ (int)w ^ (int)(w / 1000003) ^ (int)(w % 1009);
        sum += (int)(x / 12345) + (int)(x >> 40) + (x > (ulong)w ? 16 : 32);
        sum ^= (int)(n * 3) + (int)(m % 101) + (int)((long)n >> 2);
        sum += (a[i] << b[i]) ^ (a[i] >>> b[i]) ^ (int)(w << a[i]);
        y[i] = sum;
    }

    public static void SignedDivision(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int p = a[i];
        int q = (b[i] & 31) + 1;
        y[i] = (p / 16) + ((p % 16) * 3) + (p / 7) + (p % 7) + (p / q) + (p % q) + (p / (-q - 1)) + (i / 16) + (i % 16) + (p & int.MaxValue) / 8;
    }

    public static void FloatComparisons(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        float p = Special(a[i]);
        float q = Special(b[i]);
        double r = p;
        double s = q;
        int bits = 0;
        bits |= p < q ? 1 : 0;
        bits |= p <= q ? 2 : 0;
        bits |= p > q ? 4 : 0;
        bits |= p >= q ? 8 : 0;
        bits |= p == q ? 16 : 0;
        bits |= p != q ? 32 : 0;
        bits |= !(p < q) ? 64 : 0;
        bits |= !(p <= q) ? 128 : 0;
        bits |= !(p > q) ? 256 : 0;
        bits |= !(p >= q) ? 512 : 0;
        if (p < q)
            bits += 1 << 10;
        if (p <= q)
            bits += 1 << 11;
        if (p > q)
            bits += 1 << 12;
        if (p >= q)
            bits += 1 << 13;
        if (p == q)
            bits += 1 << 14;
        if (p != q)
            bits += 1 << 15;
        if (!(r < s))
            bits += 1 << 16;
        if (!(r >= s))
            bits += 1 << 17;
        if (r != s || r > 1)
            bits += 1 << 18;
        if (r == s && r < 1)
            bits += 1 << 19;
        while (!(p > q) && bits < 1 << 24)
        {
            bits += 1 << 20;
            q -= 1;
        }

        y[i] = bits;
    }

    public static void FloatArithmetic(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        float p = BitConverter.Int32BitsToSingle(a[i]);
        float q = BitConverter.Int32BitsToSingle(b[i]);
        float r = ((p * q) + (p / q)) - (q * 0.3f);
        double s = ((double)p * q) - (1.0 / 3);
        float t = (float)s + -p + (0f + q) + (q - 0f);
        y[i] = Bits(r) ^ (Bits(t) * 3) ^ (int)(s > 0 ? p : q) ^ (int)(uint)p ^ (int)(long)s ^ (byte)q;
    }

    public static void IntegerToFloat(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        long w = ((long)a[i] << 29) + b[i];
        float sum = a[i];
        sum += (uint)b[i];
        sum -= w;
        double d = (ulong)w;
        d += (uint)a[i];
        d -= w * 2;
        y[i] = Bits(sum) ^ Bits((float)d) ^ (int)(sum / 1e5f) ^ (sbyte)(a[i] * 0.001f);
    }

    public static void Booleans(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        bool p = a[i] > 0;
        bool q = b[i] > a[i];
        bool r = p ^ q;
        bool s = p & !q;
        bool t = (p || q) && !(r && s);
        bool u = p == q;
        r |= t;
        y[i] = (p ? 1 : 0) + (q ? 2 : 0) + (r ? 4 : 0) + (s ? 8 : 0) + (t ? 16 : 0) + (u ? 32 : 0) + (Both(p, q) ? 64 : 0) + (p != t ? 128 : 0);
    }

    public static void StructParameter(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        Step step = new(b[i], 0.25f);
        Step longer = step with { Count = step.Count + 2 };
        y[i] = longer.Apply(a[i]) + step.Apply(3) + (longer == step ? 1 : 0) + (step == new Step(b[i], 0.25f) ? 2 : 0);
    }

    public static void Guards(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int p = a[i] & 255;
        if (p > 300)
            throw new InvalidOperationException($"more than 255: {p}");

        ArgumentOutOfRangeException.ThrowIfNegative(p);
        y[i] = p + b[i];
    }

    public static void Ladder(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        y[i] = (a[i] & 15) switch
        {
            0 => b[i],
            1 or 2 => -b[i],
            > 2 and < 6 when b[i] > 0 => 7,
            9 => Twice(b[i]),
            _ => (b[i] >> 3) + (a[i] is > 100 and < 1000 ? 5 : 6),
        };
    }

    /// <summary>Unsigned comparisons with the ends of the range, of values that are one of two constants and of others.</summary>
    public static void UnsignedBounds(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        uint chosen = a[i] >= b[i] ? uint.MaxValue : 0;
        uint free = (uint)a[i];
        ulong wide = a[i] < b[i] ? ulong.MaxValue : 0;
        int sum = Bounds(chosen) + (Bounds(free) * 1000);
        sum += AsUnsigned(a[i] >= b[i] ? -1 : 5, 7) ? 1_000_000 : 0;
        sum += AsUnsigned(a[i] > b[i] ? 3 : -4, -2) ? 2_000_000 : 0;
        sum += AsUnsigned(0, a[i] != b[i] ? -1 : 0) ? 4_000_000 : 0;
        y[i] = sum + (IsBelow(wide, 0) ? 8_000_000 : 0) + (IsBelow(wide, 1) ? 16_000_000 : 0) + (IsBelow((ulong)(a[i] * (long)b[i]), 1) ? 32_000_000 : 0);
    }

    private static int Bounds(uint x) =>
        (IsBelow(x, 0) ? 1 : 0) + (IsBelow(x, 1) ? 2 : 0) + (IsBelow(x, uint.MaxValue) ? 4 : 0) + (IsBelow(uint.MaxValue, x) ? 8 : 0)
        + (IsBelow(0, x) ? 16 : 0) + (!IsBelow(x, 0) ? 32 : 0) + (!IsBelow(0, x) ? 64 : 0) + (!IsBelow(uint.MaxValue, x) ? 128 : 0);

    private static bool IsBelow(uint x, uint limit) => x < limit;

    private static bool IsBelow(ulong x, ulong limit) => x < limit;

    private static bool AsUnsigned(int x, int limit) => (uint)x < (uint)limit;

    private static int Twice(int x) => x * 2;

    private static (int Quotient, int Remainder) Divide(int a, int b) => (a / b, a % b);

    private static void Halve(int x, out int half, out bool odd)
    {
        half = x >> 1;
        odd = (x & 1) != 0;
    }

    private static int Dot(Pair left, in Pair right) => (left.X * right.X) + (left.Y * right.Y);

    private static void Exchange(ref int left, ref int right) => (left, right) = (right, left);

    private static bool Both(bool p, bool q) => p && q;

    private static int Bits(float x) => float.IsNaN(x) ? 1 : BitConverter.SingleToInt32Bits(x);

    private static float Special(int x) => (x & 7) switch
    {
        0 => float.NaN,
        1 => float.PositiveInfinity,
        2 => float.NegativeInfinity,
        3 => -0f,
        4 => 0f,
        5 => 1.5f,
        6 => -2,
        _ => 0.5f,
    };

    private struct Inner
    {
        public bool Flag;
        public long Sum;
    }

    private struct Outer
    {
        public byte Count;
        public Inner Inner;
        public sbyte Small;
    }

    private struct Pair
    {
        public int X;
        public int Y;
    }

    private readonly record struct Step(int Count, float Size)
    {
        public int Apply(int x) => (int)(x * Size) + Count;
    }
}
