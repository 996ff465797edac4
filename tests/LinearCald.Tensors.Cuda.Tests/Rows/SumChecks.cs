using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Cuda.Tests.Elementwise;

namespace LinearCald.Tensors.Cuda.Tests.Rows;

/// <summary>Sums over columns and over everything, on any device.</summary>
internal static unsafe class SumChecks
{
    public static void Columns(Accelerator accelerator, int cases, int columns) =>
        Properties.Check(cases, Prop.ForAll(RowCase.UpTo(columns), shape =>
        {
            RowCase c = shape with { Rows = (shape.Rows * 13 % 90) + 1 };
            double[] x = c.Normal(1, 1, 0.5);
            double[] before = c.Parameter(2);
            bool accumulate = c.Seed % 2 == 0;
            DType output = c.Seed % 3 == 0 ? c.Type : DType.Float32;
            before = DeviceArray.Stored(output, before);
            using DeviceArray input = c.Put(accelerator, x);
            using DeviceArray y = DeviceArray.Of(accelerator, output, before);
            Cuda.Kernels.ColumnSum.Run(accelerator, c.Type, input.Address, output, y.Address, c.Rows, c.Columns, accumulate);
            fixed (double* p = x)
            {
                double[] sums = ReduceReference.SumColumns(p, c.Rows, c.Columns);
                Errors.Close([.. sums.Select((v, i) => v + (accumulate ? before[i] : 0))], y.Read(), Errors.Budget(output), c.ToString());
            }
        }));

    public static void All(Accelerator accelerator, int cases, int columns) =>
        Properties.Check(cases, Prop.ForAll(RowCase.UpTo(columns), c =>
        {
            double[] x = c.Normal(1, 1, 0.5);
            using DeviceArray input = c.Put(accelerator, x);
            using DeviceArray y = new(accelerator, c.Type, 1);
            Cuda.Kernels.Totals.Sum(accelerator, c.Type, input.Address, x.Length, y.Address);
            Errors.Close([x.Sum()], y.Read(), Math.Max(Errors.Budget(c.Type), 1e-6 * Math.Sqrt(x.Length) / Math.Abs(x.Sum())), c.ToString());
        }));

    public static void Empty(Accelerator accelerator)
    {
        using DeviceArray y = new(accelerator, DType.Float32, 4);
        Cuda.Kernels.Totals.Sum(accelerator, DType.Float32, y.Address, 0, y.Address);
        Assert.Equal(0, y.Read()[0]);
        Cuda.Kernels.ColumnSum.Run(accelerator, DType.Float32, y.Address, DType.Float32, y.Address, 0, 4, accumulate: false);
        Assert.Equal([0, 0, 0, 0], y.Read());
    }
}
