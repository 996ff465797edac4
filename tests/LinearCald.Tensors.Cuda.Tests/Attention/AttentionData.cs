using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests.Attention;

/// <summary>Values as a kernel gets them (rounded to its type) and as the double reference does, and comparisons of the two.</summary>
/// <typeparam name="T">float, or ushort for the bits of a 16-bit float.</typeparam>
internal sealed class AttentionData<T>(Accelerator accelerator, GemmPrecision precision, int seed) : IDisposable
    where T : unmanaged
{
    private readonly Random _random = new(seed);
    private readonly List<IDisposable> _buffers = [];

    /// <summary>‖x − reference‖ / ‖reference‖ that the arithmetic may have.</summary>
    public double Budget => precision switch
    {
        GemmPrecision.Float32 => 1e-5,
        GemmPrecision.TensorFloat32 => 1e-3,
        _ => 1e-2,
    };

    /// <summary>Numbers uniform in (middle − size, middle + size) on the device and as doubles, equal in value.</summary>
    public (DeviceBuffer<T> Device, double[] Host) Numbers(int count, double size, double middle = 0)
    {
        double[] host = new double[count];
        T[] words = new T[count];
        for (int i = 0; i < count; i++)
        {
            float x = (float)(middle + (((2 * _random.NextDouble()) - 1) * size));
            words[i] = Narrow(x);
            host[i] = Widen(words[i]);
        }

        return (Kept(accelerator.Allocate<T>(words)), host);
    }

    /// <summary>Fresh memory; the debug device fills it with NaN.</summary>
    public DeviceBuffer<TOther> Fresh<TOther>(long count)
        where TOther : unmanaged => Kept(accelerator.Allocate<TOther>(count));

    /// <summary>A copy of host values.</summary>
    public DeviceBuffer<TOther> Copy<TOther>(TOther[] values)
        where TOther : unmanaged => Kept(accelerator.Allocate<TOther>(values));

    /// <summary>The values of a buffer.</summary>
    public double[] Read(DeviceBuffer<T> buffer) => [.. buffer.ToArray().Select(x => (double)Widen(x))];

    /// <summary>Throws unless the error is within the budget; NaN and infinities must agree.</summary>
    /// <param name="size">Added to ‖reference‖: the size of what the values are differences of.</param>
    public void Close(string what, double[] x, double[] reference, double size = 0)
    {
        double error = 0, norm = 0;
        for (int i = 0; i < x.Length; i++)
        {
            if (x[i].Equals(reference[i]))
            {
                continue;
            }

            Assert.True(double.IsFinite(x[i]) && double.IsFinite(reference[i]), $"{what}[{i}] is {x[i]}, not {reference[i]}");
            error += (x[i] - reference[i]) * (x[i] - reference[i]);
            norm += reference[i] * reference[i];
        }

        double allowed = Budget * (Math.Sqrt(norm) + size);
        Assert.True(Math.Sqrt(error) <= allowed, $"{what}: error {Math.Sqrt(error):E2} of {Math.Sqrt(norm):E2}, allowed {allowed:E2}");
    }

    public void Dispose()
    {
        foreach (IDisposable buffer in _buffers)
        {
            buffer.Dispose();
        }
    }

    private DeviceBuffer<TOther> Kept<TOther>(DeviceBuffer<TOther> buffer)
        where TOther : unmanaged
    {
        _buffers.Add(buffer);
        return buffer;
    }

    private T Narrow(float x) => precision switch
    {
        GemmPrecision.BFloat16 => (T)(object)BFloat16Format.Narrow(x),
        GemmPrecision.Half => (T)(object)Float16Format.Narrow(x),
        _ => (T)(object)x,
    };

    private float Widen(T x) => precision switch
    {
        GemmPrecision.BFloat16 => BFloat16Format.Widen((ushort)(object)x),
        GemmPrecision.Half => Float16Format.Widen((ushort)(object)x),
        _ => (float)(object)x,
    };
}
