#if UNOPTIMISED
namespace LinearCald.Gpu.Unoptimised;
#else
namespace LinearCald.Gpu.Tests.Language.Constructs;
#endif

/// <summary>Loops of every shape. Each kernel maps a[i], b[i] to y[i], one thread an element.</summary>
public static class LoopKernels
{
    public static void CarriedBool(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int x = a[i];
        bool found = false;
        int k = 0;
        while (!found && k < 50)
        {
            x = (x * 17) + b[i];
            found = (x & 31) == 7;
            k++;
        }

        y[i] = found ? k : -x;
    }

    public static void Swap(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int p = a[i];
        int q = b[i];
        int r = 1;
        for (int k = 0; k < (a[i] & 15); k++)
        {
            (p, q, r) = (q, r, p);
            r += k;
        }

        y[i] = (p * 3) + (q * 5) + r;
    }

    public static void FourDeep(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int n = a[i] & 7;
        int m = b[i] & 3;
        int sum = 0;
        for (int p = 0; p < n; p++)
        {
            if (p == 5)
                continue;

            for (int q = p; q < n; q++)
            {
                for (int r = 0; r < m; r++)
                {
                    if (((p ^ q) & 2) != 0)
                        break;

                    for (int s = 3; s > r; s--)
                    {
                        if (s == q)
                            continue;

                        sum += (p * q) + (r << s);
                        if (sum > 4000)
                            break;
                    }
                }

                if (sum > 4000)
                    break;
            }
        }

        y[i] = sum;
    }

    public static void DoWithSwitch(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int n = a[i] & 63;
        int sum = b[i];
        do
        {
            switch (n & 7)
            {
                case 0:
                    sum += 1;
                    goto case 3;
                case 1:
                    sum ^= 0x55;
                    break;
                case 2:
                    sum -= n;
                    goto default;
                case 3:
                    sum *= 3;
                    break;
                case 6:
                    goto case 1;
                default:
                    sum += n;
                    break;
            }

            n -= 3;
        }
        while (n > 0);

        y[i] = sum;
    }

    public static void EarlyReturnInCallee(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int sum = 0;
        for (int k = 0; k < (b[i] & 7); k++)
            sum = (sum * 31) + FirstDivisor(a[i] + k);

        y[i] = sum;
    }

    public static void GotoOutOfTwo(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int sum = 0;
        for (int p = 0; p < (a[i] & 15); p++)
        {
            for (int q = 0; q < (b[i] & 15); q++)
            {
                sum += (p * q) ^ 3;
                if (sum > 77)
                    goto found;
            }
        }

        sum = -sum;
    found:
        y[i] = sum;
    }

    public static void KnownAroundUnknown(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int sum = b[i];
        for (int k = 0; k < 6; k++)
        {
            if (((a[i] >> k) & 1) != 0)
                continue;

            int n = (a[i] >> (k + 3)) & 7;
            while (n > 0)
            {
                sum += n ^ k;
                n--;
            }
        }

        y[i] = sum;
    }

    public static void UnrolledWithBreak(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        Registers<int, N8> bits = default;
        for (int k = 0; k < 8; k++)
            bits[k] = (a[i] >> (k * 2)) & 3;

        int found = -1;
        for (int k = 0; k < 8; k++)
        {
            Loop.Unroll();
            if (bits[k] == (b[i] & 3))
            {
                found = k;
                break;
            }
        }

        y[i] = found;
    }

    public static void ShiftingCounter(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int sum = a[i];
        for (int mask = 16; mask > 0; mask >>= 1)
            sum += (b[i] ^ mask) & 255;

        for (uint mask = 1; mask < 1000; mask *= 3)
            sum ^= (int)mask;

        for (long step = 1L << 40; step != 0; step >>= 5)
            sum += (int)(step >> 7);

        y[i] = sum;
    }

    public static void EmptyAndSingle(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int sum = a[i];
        for (int k = 5; k < 5; k++)
            sum = -1;

        for (int k = 0; k <= 0; k++)
            sum += b[i];

        do
            sum++;
        while (sum < 0 && sum > -20);

        y[i] = sum;
    }

    public static void Collatz(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        uint n = ((uint)a[i] & 1023) + 1;
        int steps = 0;
        while (n != 1 && steps < 300)
        {
            n = (n & 1) == 0 ? n >> 1 : (3 * n) + 1;
            steps++;
        }

        y[i] = steps + (b[i] & 1);
    }

    public static void NotesOnLoops(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        int sum = a[i];
        for (int k = 0; k < 10; k++)
        {
            Loop.Keep();
            sum = (sum * 5) + k;
        }

        for (int k = 0; k < 20; k++)
        {
            Loop.Unroll();
            sum ^= b[i] >> k;
        }

        y[i] = sum;
    }

    private static int FirstDivisor(int n)
    {
        n &= 255;
        if (n < 2)
            return n;

        for (int d = 2; d * d <= n; d++)
        {
            if (n % d == 0)
                return d;
        }

        return n;
    }
}
