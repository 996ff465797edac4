namespace LinearCald.Gpu.Tests.Language;

/// <summary>Functions that .NET lacks in float64, by series that converge to nearly full precision; for tests of float32 functions.</summary>
internal static class ReferenceMath
{
    public static double Expm1(double x) => Math.Abs(x) > 30 ? Math.Exp(x) - 1 : 2 * Math.Sinh(x / 2) * Math.Exp(x / 2);

    public static double Log1p(double x) => Math.Abs(x) > 0.5 ? Math.Log(1 + x) : 2 * Math.Atanh(x / (2 + x));

    public static double Sigmoid(double x) => x < 0 ? Math.Exp(x) / (1 + Math.Exp(x)) : 1 / (1 + Math.Exp(-x));

    public static double Erf(double x) => Math.Abs(x) < 2.5 ? ErfSeries(x) : x < 0 ? Erfc(-x) - 1 : 1 - Erfc(x);

    public static double Erfc(double x) => x < 1.5 ? 1 - ErfSeries(Math.Max(x, -6)) : double.IsNaN(x) ? x : ErfcFraction(x);

    /// <summary>2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!, whose terms are all of one sign.</summary>
    private static double ErfSeries(double x)
    {
        double term = x;
        double sum = x;
        for (int n = 1; n < 300; n++)
        {
            term *= 2 * x * x / ((2 * n) + 1);
            sum += term;
        }

        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    /// <summary>e^(−x²) / √π · 1 / (x + ½ / (x + 1 / (x + 3/2 / (x + …)))).</summary>
    private static double ErfcFraction(double x)
    {
        double tail = x;
        for (int k = 400; k > 0; k--)
            tail = x + (k / 2.0 / tail);

        return Math.Exp(-x * x) / (Math.Sqrt(Math.PI) * tail);
    }
}
