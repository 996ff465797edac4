using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using LinearCald.Gpu.Frontend.Il;

namespace LinearCald.Gpu.Tests.Il;

/// <summary>Methods whose IL the reader's tests look at. They hold in Debug and in Release builds.</summary>
internal static class Samples
{
    public static IlMethod Read(string name) => IlMethod.Of(Method(name));

    public static MethodInfo Method(string name) =>
        typeof(Samples).GetMethod(name, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic) ?? throw new ArgumentException(name);

    public static int While(int n)
    {
        int sum = 0;
        while (n > 0)
        {
            sum += n;
            n--;
        }

        return sum;
    }

    public static int Do(int n)
    {
        int sum = 0;
        do
        {
            sum += n;
            n--;
        }
        while (n > 0);
        return sum;
    }

    public static int Nested(int n)
    {
        int sum = 0;
        for (int i = 0; i < n; i++)
        {
            if (i % 3 == 0)
                continue;

            for (int j = 0; j < i; j++)
            {
                if (j * j == n)
                    break;

                if (j == 7)
                    continue;

                sum += j;
            }

            if (sum > 1000)
                break;
        }

        return sum;
    }

    public static int GotoOutOfTwo(int n)
    {
        int sum = 0;
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++)
            {
                sum += i ^ j;
                if (sum > 99)
                    goto done;
            }
        }

        sum = -sum;
    done:
        return sum;
    }

    public static int GotoLoop(int n)
    {
    again:
        n -= 3;
        if (n > 10)
            goto again;

        return n;
    }

    public static int TwoStarts(int n, bool second)
    {
        if (second)
            goto b;

    a:
        n += 1;
    b:
        n *= 2;
        if (n < 100)
            goto a;

        if (n < 200)
            goto b;

        if (n < 300)
            goto a;

        return n;
    }

    public static int Forever(int n)
    {
        while (true)
        {
            n++;
            if (n == 1000)
                throw new InvalidOperationException("never");
        }
    }

    public static int Choose(int n)
    {
        switch (n)
        {
            case 0:
                return 5;
            case 1:
                return 7;
            case 2:
                return 6;
            case 3:
                return 1;
            default:
                return 0;
        }
    }

    public static int Guard(int n)
    {
        if (n < 0)
            throw new ArgumentOutOfRangeException(nameof(n), "negative: " + n);

        if (n > 100)
            Fail(n);

        if (n == 50)
            Marked(n);

        return n;
    }

    public static void Fail(int n)
    {
        if (n > 1000)
            throw new InvalidOperationException("much");

        throw new InvalidOperationException("more than 100: " + n);
    }

    [DoesNotReturn]
    public static void Marked(int n)
    {
        while (true)
            n = While(n);
    }

    public static int Lives(int n)
    {
        int early = n * 3;
        int late = n * 5;
        int sum = early + n;
        for (int i = 0; i < n; i++)
            sum += i;

        return sum + late;
    }

    public static int Address(int n)
    {
        int taken = 1;
        Bump(ref taken);
        for (int i = 0; i < n; i++)
            n--;

        return n;
    }

    public static void Bump(ref int value) => value++;

    public static int Caught(int n)
    {
        try
        {
            return While(n);
        }
        catch (ArithmeticException)
        {
            return -1;
        }
    }

    public static bool Constrained<T>(T a, T b)
        where T : struct, IComparable<T> => a.CompareTo(b) > 0;

    public static double Constants() => 100L + 1e10 + 2.5f + int.MaxValue + 77 + (-1);
}

internal struct Pair<TFirst, TSecond>
    where TFirst : unmanaged
    where TSecond : unmanaged
{
    public TFirst First;
    public TSecond Second;

    public readonly TResult Map<TResult>(TResult seed)
        where TResult : unmanaged
    {
        TResult[] values = [seed];
        Pair<TSecond, TResult> other = new() { First = Second, Second = values[0] };
        return other.Second;
    }
}
