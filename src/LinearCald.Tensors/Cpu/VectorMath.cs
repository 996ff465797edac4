using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Elementary functions over any register width. In float32 they are polynomials of our own (fitted by the exchange algorithm to the
/// stated error, then rounded to float32); in float64, which serves checks, they favour accuracy over speed.
/// </summary>
/// <remarks>
/// Largest errors seen over dense samples, float32: Exp and Exp2 1 ulp, Log 1.4, Sigmoid and Tanh 2.5, Log1p and Log1pOfUnit 3, Erf 4.5 (6 without fused multiply-add); float64: a few 1e-16 relative.
/// NaN gives NaN everywhere.
/// </remarks>
internal static unsafe class VectorMath
{
    /// <summary>e^x; 0 below the smallest subnormal, infinity above the largest number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TV Exp<TV, T>(TV x)
        where TV : unmanaged, ISimd<TV, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (typeof(T) != typeof(float))
        {
            return TV.ExpNative(x);
        }

        // x = n·ln 2 + r with |r| ≤ ln 2 / 2; e^x = 2^n·(1 + r + r²·q(r)). ln 2 is split so that n times its upper part is exact.
        x = TV.MaxNative(TV.Of(-104.0), TV.MinNative(TV.Of(89.0), x));
        TV n = TV.Round(x * TV.Of(1.44269504088896341));
        TV r = TV.Fma(n, TV.Of(-0.693145751953125), x);
        r = TV.Fma(n, TV.Of(-1.42860682030941723212e-6), r);
        TV q = TV.Fma(r, TV.Of(0.0013814318226650357), TV.Of(0.00836885068565607));
        q = TV.Fma(q, r, TV.Of(0.041668400168418884));
        q = TV.Fma(q, r, TV.Of(0.1666651964187622));
        q = TV.Fma(q, r, TV.Of(0.4999999403953552));
        TV p = TV.Fma(q * r, r, r) + TV.Of(1.0);
        return TV.ScaleByPowerOfTwo(p, n);
    }

    /// <summary>2^x; 0 below the smallest subnormal, infinity above the largest number. Cheaper than <see cref="Exp{TV, T}"/>: nothing is split off.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TV Exp2<TV, T>(TV x)
        where TV : unmanaged, ISimd<TV, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (typeof(T) != typeof(float))
        {
            return TV.ExpNative(x * TV.Of(0.69314718055994531));
        }

        // x = n + f with |f| ≤ 1/2; 2^x = 2^n·(1 + f·q(f)), which is exactly 1 at 0.
        x = TV.MaxNative(TV.Of(-151.0), TV.MinNative(TV.Of(129.0), x));
        TV n = TV.Round(x);
        TV f = x - n;
        TV q = TV.Fma(f, TV.Of(0.00015594677824992687), TV.Of(0.0013406643411144614));
        q = TV.Fma(q, f, TV.Of(0.009617692790925503));
        q = TV.Fma(q, f, TV.Of(0.055503103882074356));
        q = TV.Fma(q, f, TV.Of(0.24022652208805084));
        q = TV.Fma(q, f, TV.Of(0.6931472420692444));
        return TV.ScaleByPowerOfTwo(TV.Fma(q, f, TV.Of(1.0)), n);
    }

    /// <summary>Natural logarithm; −∞ at 0, NaN below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TV Log<TV, T>(TV x)
        where TV : unmanaged, ISimd<TV, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => TV.LogNative(x);

    /// <summary>log(1 + x) for x ≥ 0, exact for small x: the rounding of 1 + x is made good by the factor x / ((1 + x) − 1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TV Log1p<TV, T>(TV x)
        where TV : unmanaged, ISimd<TV, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        TV one = TV.Of(1.0);
        TV u = x + one;
        TV d = u - one;
        return TV.Select(TV.Equal(d, TV.Of(0.0)), x, TV.LogNative(u) * (x / d));
    }

    /// <summary>log(1 + x) for 0 ≤ x ≤ 1: 2·artanh(s) with s = x / (2 + x) ≤ 1/3, whose series in s² is short.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TV Log1pOfUnit<TV, T>(TV x)
        where TV : unmanaged, ISimd<TV, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (typeof(T) != typeof(float))
        {
            return Log1p<TV, T>(x);
        }

        TV s = x / (x + TV.Of(2.0));
        TV w = s * s;
        TV p = TV.Fma(w, TV.Of(0.13993781805038452), TV.Of(0.1400379091501236));
        p = TV.Fma(p, w, TV.Of(0.2001054883003235));
        p = TV.Fma(p, w, TV.Of(0.3333321213722229));
        s += s;
        return TV.Fma(s * w, p, s);
    }

    /// <summary>1 / (1 + e^−x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TV Sigmoid<TV, T>(TV x)
        where TV : unmanaged, ISimd<TV, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        TV one = TV.Of(1.0);
        return one / (one + Exp<TV, T>(-x));
    }

    /// <summary>Hyperbolic tangent: an odd polynomial below 0.625, 1 − 2 / (e^2|x| + 1) above.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TV Tanh<TV, T>(TV x)
        where TV : unmanaged, ISimd<TV, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (typeof(T) != typeof(float))
        {
            return LaneByLane<TV, T, TanhOfLane<T>>(x);
        }

        TV a = TV.Abs(x);
        TV e = Exp<TV, T>(a + a);
        TV one = TV.Of(1.0);
        TV large = TV.CopySign(one - (TV.Of(2.0) / (e + one)), x);
        TV t = x * x;
        TV p = TV.Fma(t, TV.Of(-0.005717041902244091), TV.Of(0.020650584250688553));
        p = TV.Fma(p, t, TV.Of(-0.05374349653720856));
        p = TV.Fma(p, t, TV.Of(0.13331490755081177));
        p = TV.Fma(p, t, TV.Of(-0.3333328366279602));
        TV small = TV.Fma(p * t, x, x);
        return TV.Select(TV.LessThan(a, TV.Of(0.625)), small, large);
    }

    /// <summary>The error function: x·P(x²)/Q(x²) of degrees 5 and 5, relative error 2e-8, up to 3.95 where float32 reaches 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TV Erf<TV, T>(TV x)
        where TV : unmanaged, ISimd<TV, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (typeof(T) != typeof(float))
        {
            return LaneByLane<TV, T, ErfOfLane<T>>(x);
        }

        x = TV.MaxNative(TV.Of(-3.95), TV.MinNative(TV.Of(3.95), x));
        TV t = x * x;
        TV p = TV.Fma(t, TV.Of(2.0259496977814706e-06), TV.Of(0.00028468205709941685));
        TV q = TV.Fma(t, TV.Of(3.7831938243471086e-05), TV.Of(0.0011706654913723469));
        p = TV.Fma(p, t, TV.Of(0.0038079125806689262));
        q = TV.Fma(q, t, TV.Of(0.01505458727478981));
        p = TV.Fma(p, t, TV.Of(0.05287466570734978));
        q = TV.Fma(q, t, TV.Of(0.11455722153186798));
        p = TV.Fma(p, t, TV.Of(0.1915445327758789));
        q = TV.Fma(q, t, TV.Of(0.5030845999717712));
        p = TV.Fma(p, t, TV.Of(1.1283791065216064));
        q = TV.Fma(q, t, TV.Of(1.0));
        return x * p / q;
    }

    /// <summary>The error function of one number, to about 2e-16 relative.</summary>
    /// <remarks>
    /// Below 3: 2/√π·x·e^−x²·Σ (2x²)^k / (1·3·…·(2k+1)), whose terms are all positive. Above: 1 − erfc by its continued fraction,
    /// e^−x²/√π / (x + ½/(x + 1/(x + 3/2/(x + …)))), evaluated from the inside.
    /// </remarks>
    public static double Erf(double x)
    {
        double a = Math.Abs(x);
        if (!(a < 6.5))
        {
            return double.IsNaN(x) ? x : Math.CopySign(1.0, x);
        }

        if (a < 3.0)
        {
            double term = 1.0, sum = 1.0, twice = 2.0 * x * x;
            for (int k = 1; term > sum * 1e-17; k++)
            {
                term *= twice / ((2 * k) + 1);
                sum += term;
            }

            return 1.1283791670955126 * x * Math.Exp(-x * x) * sum;
        }

        double tail = a;
        for (int k = 60; k >= 1; k--)
        {
            tail = a + (0.5 * k / tail);
        }

        return Math.CopySign(1.0 - (0.56418958354775629 * Math.Exp(-a * a) / tail), x);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static TV LaneByLane<TV, T, TFunction>(TV x)
        where TV : unmanaged, ISimd<TV, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TFunction : struct, ILaneFunction<T>
    {
        T* lanes = stackalloc T[TV.Width];
        x.Store(lanes);
        for (int i = 0; i < TV.Width; i++)
        {
            lanes[i] = TFunction.Apply(lanes[i]);
        }

        return TV.Load(lanes);
    }

    private interface ILaneFunction<T>
    {
        static abstract T Apply(T x);
    }

    private readonly struct TanhOfLane<T> : ILaneFunction<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public static T Apply(T x) => T.Tanh(x);
    }

    private readonly struct ErfOfLane<T> : ILaneFunction<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public static T Apply(T x) => T.CreateTruncating(Erf(double.CreateTruncating(x)));
    }
}
