using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twins of <see cref="Reduce"/> and <see cref="ColumnSum"/>, in float64.</summary>
internal static unsafe class ReduceReference
{
    /// <summary>Σ x[r, c] over c, for each r.</summary>
    public static double[] SumRows<T>(T* x, long rows, long columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] y = new double[rows];
        for (long i = 0; i < rows * columns; i++)
        {
            y[i / columns] += double.CreateTruncating(x[i]);
        }

        return y;
    }

    /// <summary>Σ x[r, c] over r, for each c.</summary>
    public static double[] SumColumns<T>(T* x, long rows, long columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] y = new double[columns];
        for (long i = 0; i < rows * columns; i++)
        {
            y[i % columns] += double.CreateTruncating(x[i]);
        }

        return y;
    }
}
