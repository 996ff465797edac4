#if UNOPTIMISED
namespace LinearCald.Gpu.Unoptimised;
#else
namespace LinearCald.Gpu.Tests.Compiler;
#endif

/// <summary>
/// Control flow that compilers of structured code get wrong. All have one shape, so that one test runs them all: x holds 64 numbers of −20 … 20, n is
/// −1 … 9, thread t writes y[t].
/// </summary>
public static class FlowKernels
{
    public static void LoopCarriedBool(ReadOnlyView<int> x, View<int> y, int n)
    {
        int t = Grid.ThreadX;
        bool found = false;
        int k = 0;
        int sum = 0;
        while (!found && k < 50)
        {
            sum += x[k] * t;
            if (sum > n * 10)
            {
                found = true;
            }

            k++;
        }

        y[t] = found ? sum + k : -k;
    }

    public static void SwapInALoop(ReadOnlyView<int> x, View<int> y, int n)
    {
        int t = Grid.ThreadX;
        int a = x[t];
        int b = 3;
        int c = 7;
        for (int i = 0; i < n + (t & 3); i++)
        {
            (a, b, c) = (b, c, a + i);
        }

        y[t] = (a * 100) + (b * 10) + c;
    }

    public static void FourNestedLoops(ReadOnlyView<int> x, View<int> y, int n)
    {
        int t = Grid.ThreadX;
        int sum = 0;
        for (int i = 0; i < n; i++)
        {
            for (int j = i; j < n; j++)
            {
                if (((i + j) & 3) == (t & 3))
                {
                    continue;
                }

                for (int k = 0; k < 3; k++)
                {
                    int l = 0;
                    while (true)
                    {
                        if (l > k + j || sum > 400)
                        {
                            break;
                        }

                        sum += x[(l + i) & 63];
                        l += 2;
                    }

                    if (sum < -200)
                    {
                        break;
                    }
                }
            }
        }

        y[t] = sum;
    }

    public static void SwitchInDoWhile(ReadOnlyView<int> x, View<int> y, int n)
    {
        int t = Grid.ThreadX;
        int state = x[t] & 3;
        int steps = 0;
        int sum = 0;
        do
        {
            switch (state)
            {
                case 0:
                    sum += 5;
                    state = 2;
                    break;
                case 1:
                    sum -= 3;
                    goto case 3;
                case 2:
                    sum *= 2;
                    state = (sum & 4) != 0 ? 1 : 3;
                    break;
                case 3:
                    state = (steps + t) & 3;
                    sum++;
                    break;
                default:
                    sum = -1000;
                    break;
            }

            steps++;
        }
        while (steps < n);

        y[t] = sum + state;
    }

    public static void EarlyReturnInACallee(ReadOnlyView<int> x, View<int> y, int n)
    {
        int t = Grid.ThreadX;
        int sum = 0;
        for (int i = 0; i < n; i++)
        {
            sum += FirstAbove(x, (t + i) & 31, i);
        }

        y[t] = sum;
    }

    public static void GotoOutOfTwoLoops(ReadOnlyView<int> x, View<int> y, int n)
    {
        int t = Grid.ThreadX;
        int i = 0;
        int j = 0;
        for (i = 0; i < n; i++)
        {
            for (j = 0; j < 5; j++)
            {
                if (x[((i * 5) + j + t) & 63] > 17)
                {
                    goto found;
                }
            }
        }

        y[t] = -1;
        return;
    found:
        y[t] = (i * 10) + j;
    }

    public static void ChoiceWithOperandsBelow(ReadOnlyView<int> x, View<int> y, int n)
    {
        int t = Grid.ThreadX;
        int v = x[t];
        y[t] = v + Add3(t, v > n ? v * 2 : -v, v > 0 && t > n ? Add3(v, t > 5 ? 1 : x[t + 1], n) : x[t / 2]);
    }

    public static void StructCarriedByALoop(ReadOnlyView<int> x, View<int> y, int n)
    {
        int t = Grid.ThreadX;
        Outer s = default;
        s.Inner.Small = (byte)t;
        Outer best = s;
        for (int i = 0; i < n; i++)
        {
            s.Inner.Small += 30;
            s.Inner.Signed -= (sbyte)x[i];
            s.Count += s.Inner.Small;
            s.Wide += s.Count * 1_000_000_007L;
            s.Odd = !s.Odd;
            if (s.Odd && x[i + t] > 0)
            {
                best = s;
            }
        }

        y[t] = best.Inner.Small + (best.Inner.Signed * 300) + best.Count + (int)(best.Wide >> 7) + (best.Odd ? 1 : 0);
    }

    public static void TuplesAndReferences(ReadOnlyView<int> x, View<int> y, int n)
    {
        int t = Grid.ThreadX;
        (int low, int high) = MinMax(x, t, n);
        int extra = 1;
        Twice(ref extra, in low);
        Split(high, out int tens, out int ones);
        ref int chosen = ref (t < 0 ? ref tens : ref ones);
        chosen += 4;
        int Local(int k) => (k * n) + t + extra;
        y[t] = low + (high * 3) + extra + tens + ones + Local(2);
    }

    public static void KnownLoopWithUnknownContinue(ReadOnlyView<int> x, View<int> y, int n)
    {
        int t = Grid.ThreadX;
        int sum = 0;
        for (int i = 0; i < 6; i++)
        {
            if (((x[i] + t) & 1) == 0)
            {
                continue;
            }

            for (int j = 0; j < n; j++)
            {
                sum += x[(i * j) & 63];
                if (sum > 70)
                {
                    break;
                }
            }

            sum -= i;
        }

        y[t] = sum;
    }

    public static void BreakFromAKnownLoop(ReadOnlyView<int> x, View<int> y, int n)
    {
        int t = Grid.ThreadX;
        int i;
        int sum = 0;
        for (i = 0; i < 20; i++)
        {
            sum += x[(i + t) & 63];
            if (sum > n * 5)
            {
                break;
            }
        }

        y[t] = (sum * 32) + i;
    }

    public static void ShortCircuits(ReadOnlyView<int> x, View<int> y, int n)
    {
        int t = Grid.ThreadX;
        int v = x[t];
        bool a = v > 0 && (v & 1) == 0;
        bool b = a || (t > n && v < -3);
        bool c = !(a ^ b) | (v == n);
        bool d = a == (v > 3) && b != c;
        y[t] = (a ? 1 : 0) + (b ? 2 : 0) + (c ? 4 : 0) + (d ? 8 : 0) + ((a & !c) || v % 3 == 0 ? 16 : 0);
    }

    public static void DownwardAndGeometricLoops(ReadOnlyView<int> x, View<int> y, int n)
    {
        int t = Grid.ThreadX;
        int sum = 0;
        for (int i = n; i >= 0; i--)
        {
            sum = (sum * 3) + x[i] + (i / 4) + (i % 3);
        }

        for (int m = 16; m > 0; m >>= 1)
        {
            sum ^= m * t;
        }

        for (uint u = 1; u < (uint)(n + 40); u *= 2)
        {
            sum += (int)(u / 3);
        }

        int low = 0;
        int high = 63;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (x[middle] + middle < t)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        y[t] = (sum * 64) + low;
    }

    public static void VariableAfterItsLoop(ReadOnlyView<int> x, View<int> y, int n)
    {
        // The value of the step before lives on beside the new one: registers of the two must not be one.
        int t = Grid.ThreadX;
        int previous = 0;
        int current = 1;
        int last = 0;
        for (int i = 0; i < n; i++)
        {
            last = previous;
            int next = current + previous + x[i];
            previous = current;
            current = next;
        }

        y[t] = (last * 10_000) + (previous * 100) + current;
    }

    public static void RegistersInLoops(ReadOnlyView<int> x, View<int> y, int n)
    {
        int t = Grid.ThreadX;
        Registers<int, N8> a = default;
        Registers<Pair, N4> pairs = default;
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < 8; j++)
            {
                a[j] += x[(i + (j * t)) & 63];
            }

            for (int j = 0; j < 4; j++)
            {
                Pair p = pairs[j];
                p.Low = p.Low < a[j] ? p.Low : a[j];
                p.High += a[7 - j];
                pairs[3 - j] = p;
            }
        }

        int sum = 0;
        for (int j = 0; j < 8; j++)
        {
            sum = (sum * 3) + a[j];
        }

        for (int j = 0; j < 4; j++)
        {
            sum += pairs[j].Low - (pairs[j].High * j);
        }

        y[t] = sum;
    }

    private static int FirstAbove(ReadOnlyView<int> x, int start, int bound)
    {
        for (int i = start; i < 64; i++)
        {
            if (x[i] > bound)
            {
                return i;
            }

            if (x[i] == -bound)
            {
                return -2;
            }
        }

        return -1;
    }

    private static int Add3(int a, int b, int c) => a + (b * 2) + (c * 3);

    private static (int Low, int High) MinMax(ReadOnlyView<int> x, int start, int count)
    {
        (int Low, int High) r = (100, -100);
        for (int i = 0; i < count; i++)
        {
            int v = x[start + i];
            if (v < r.Low)
            {
                r.Low = v;
            }

            if (v > r.High)
            {
                r = (r.Low, v);
            }
        }

        return r;
    }

    private static void Twice(ref int value, in int addend) => value = (value * 2) + addend;

    private static void Split(int value, out int tens, out int ones)
    {
        tens = value / 10;
        ones = value - (tens * 10);
    }

    private struct Inner
    {
        public byte Small;
        public sbyte Signed;
    }

    private struct Outer
    {
        public Inner Inner;
        public int Count;
        public long Wide;
        public bool Odd;
    }

    private struct Pair
    {
        public int Low;
        public int High;
    }
}
