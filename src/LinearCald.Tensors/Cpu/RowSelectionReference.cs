namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="RowSelection"/>, in float64; x is [batch, rows, columns].</summary>
internal static class RowSelectionReference
{
    /// <summary>x with some rows replaced; mask is [batch · rows].</summary>
    public static double[] Replace(int columns, double[] x, int[] mask, double[] row) => [.. x.Select((v, i) => mask[i / columns] != 0 ? row[i % columns] : v)];

    /// <summary>The sum of the rows whose mask is not 0.</summary>
    public static double[] ReplacedSum(int columns, double[] dy, int[] mask)
    {
        double[] sum = new double[columns];
        for (int i = 0; i < dy.Length; i++)
        {
            sum[i % columns] += mask[i / columns] != 0 ? dy[i] : 0;
        }

        return sum;
    }

    /// <summary>x, 0 from a sample's length on.</summary>
    public static double[] Keep(int rows, int columns, double[] x, int[] lengths) => [.. x.Select((v, i) => i / columns % rows < lengths[i / columns / rows] ? v : 0)];

    /// <summary>x, 0 in masked features; mask is [batch, columns].</summary>
    public static double[] KeepFeatures(int rows, int columns, double[] x, int[] mask) => [.. x.Select((v, i) => mask[(i / columns / rows * columns) + (i % columns)] != 0 ? 0 : v)];

    /// <summary>[batch, columns]: the means of the first rows of each sample.</summary>
    public static double[] Mean(int rows, int columns, double[] x, int[] lengths)
    {
        double[] mean = new double[lengths.Length * columns];
        for (int i = 0; i < x.Length; i++)
        {
            int sample = i / columns / rows;
            mean[(sample * columns) + (i % columns)] += i / columns % rows < lengths[sample] ? x[i] / Math.Clamp(lengths[sample], 1, rows) : 0;
        }

        return mean;
    }
}
