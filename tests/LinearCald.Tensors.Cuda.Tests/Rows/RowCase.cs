using FsCheck;
using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Tests.Elementwise;

namespace LinearCald.Tensors.Cuda.Tests.Rows;

/// <summary>A random matrix shape and element type. Widths are those at which a row changes hands, and odd ones; the offset decides whether rows are aligned.</summary>
internal sealed record RowCase(DType Type, int Rows, int Columns, int Offset, int Seed)
{
    private const int Narrow = 3;

    /// <summary>Cases up to a width; wide rows are few, since each of their lanes takes its turn.</summary>
    public static Arbitrary<RowCase> UpTo(int columns)
    {
        int[] widths = [1, 2, 3, 7, 31, 32, 33, 64, 96, 128, 255, 256, 384, 500, 768, 1000, 1024, 1025, 1536, 2048, 2056, 4096, 4099, 9001, 16384, 17000];
        return (from type in Gen.Elements(Errors.Formats)
                from width in Gen.Elements(widths.Where(w => w <= columns).ToArray())
                from rows in Gen.Choose(1, width <= 1024 ? 11 : Narrow)
                from offset in Gen.Elements(0, 0, 1)
                from seed in Gen.Choose(0, 1 << 20)
                select new RowCase(type, rows, width, offset, seed)).ToArbitrary();
    }

    /// <summary>Normal numbers as they are stored.</summary>
    public double[] Normal(int stream, double deviation = 1, double mean = 0) => Numbers(Rows * Columns, stream, deviation, mean, Type);

    /// <summary>A row of float32 parameters.</summary>
    public double[] Parameter(int stream, double mean = 0) => Numbers(Columns, stream, 1, mean, DType.Float32);

    /// <summary>Puts values of the case's type into device memory, at the case's offset.</summary>
    public DeviceArray Put(Accelerator accelerator, double[] values) => DeviceArray.Of(accelerator, Type, values, Offset);

    /// <summary>Memory for a result of the matrix's shape.</summary>
    public DeviceArray Result(Accelerator accelerator) => new(accelerator, Type, Rows * Columns, Offset);

    /// <summary>Fails with the case in the message.</summary>
    public void Close(double[] expected, double[] actual, double factor = 1) => Errors.Close(expected, actual, factor * Errors.Budget(Type), ToString());

    private double[] Numbers(int count, int stream, double deviation, double mean, DType type)
    {
        Random random = new((Seed * 31) + stream);
        return DeviceArray.Stored(type, Enumerable.Range(0, count).Select(_ => mean + (deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))));
    }
}
