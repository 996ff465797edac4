namespace LinearCald.Gpu.Tests.Language.Generated;

/// <summary>Numbers as what a test compares: their bits, and one value for every NaN. Generated programs call it.</summary>
public static class Observed
{
    public static long Of(float value) => float.IsNaN(value) ? -1 : BitConverter.SingleToInt32Bits(value);

    public static long Of(double value) => double.IsNaN(value) ? -1 : BitConverter.DoubleToInt64Bits(value);
}
