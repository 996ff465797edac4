using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>
/// One body of tensor operations on two devices: on the CPU in float32, and on an accelerator with the same values. Its results and the gradients of all its
/// inputs are compared by ‖x − cpu‖ / ‖cpu‖ in float64.
/// </summary>
internal sealed class DeviceCase
{
    private readonly Dictionary<string, Tensor> _inputs = [];
    private readonly DType _data;
    private readonly bool _onCpu;

    private DeviceCase(Device device, DType data, bool onCpu)
    {
        Device = device;
        _data = data;
        _onCpu = onCpu;
    }

    /// <summary>Where the body runs just now.</summary>
    public Device Device { get; }

    /// <summary>Runs the body on both devices and compares.</summary>
    /// <param name="device">The accelerator's.</param>
    /// <param name="data">Type of <see cref="Data"/> there; float32 on the CPU.</param>
    /// <param name="budget">Largest error of each tensor.</param>
    /// <param name="body">Makes inputs by the case's methods, returns a result.</param>
    public static void Compare(Device device, DType data, double budget, Func<DeviceCase, Tensor> body)
    {
        using MemoryScope scope = MemoryScope.Begin();
        SortedDictionary<string, double[]> expected = new DeviceCase(Device.Parse("cpu"), data, onCpu: true).Run(body);
        SortedDictionary<string, double[]> actual = new DeviceCase(device, data, onCpu: false).Run(body);
        Assert.Equal(expected.Keys, actual.Keys);
        foreach ((string name, double[] e) in expected)
        {
            double error = Math.Sqrt(e.Zip(actual[name], (x, y) => (x - y) * (x - y)).Sum());
            double norm = Math.Sqrt(e.Sum(x => x * x));
            Assert.True(error <= (budget * norm) + 1e-12, $"{name} with {data} data: error {error / norm:G3}, budget {budget:G3}");
        }
    }

    /// <summary>Values of the data's type, which that type holds without rounding; they get a gradient.</summary>
    public Tensor Data(string name, params ReadOnlySpan<int> extents) => Input(name, _onCpu ? DType.Float32 : _data, extents);

    /// <summary>Values of float32 on either device; they get a gradient.</summary>
    public Tensor Parameter(string name, params ReadOnlySpan<int> extents) => Input(name, DType.Float32, extents);

    /// <summary>Whole numbers from <paramref name="from"/> up to but without <paramref name="end"/>.</summary>
    public Tensor Ids(int from, int end, params ReadOnlySpan<int> extents)
    {
        Random random = new(from + (31 * end));
        int[] values = new int[new Shape(extents).Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = random.Next(from, end);
        }

        return Tensor.From(Device, new Shape(extents), values);
    }

    private static float[] ToHost(Tensor x)
    {
        using MemoryScope scope = MemoryScope.Begin();
        Tensor copy = Tensor.Empty(x.Device, DType.Float32, x.Shape);
        copy.CopyFrom(x);
        return copy.ToArray<float>();
    }

    private static float[] Numbers(string name, long count)
    {
        Random random = new(name.Sum(c => c));
        float[] values = new float[count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = random.Next(-96, 97) / 64f;
        }

        return values;
    }

    private Tensor Input(string name, DType type, ReadOnlySpan<int> extents)
    {
        Shape shape = new(extents);
        Tensor values = Tensor.From(Device, shape, Numbers(name, shape.Count));
        Tensor input = values;
        if (type != DType.Float32)
        {
            input = Tensor.Empty(Device, type, shape);
            input.CopyFrom(values);
        }

        input.RequiresGradient = true;
        _inputs.Add(name, input);
        return input;
    }

    private SortedDictionary<string, double[]> Run(Func<DeviceCase, Tensor> body)
    {
        SortedDictionary<string, double[]> results = new(StringComparer.Ordinal);
        using (Tape tape = Tape.Record())
        {
            Tensor y = body(this);
            results.Add("the result", Array.ConvertAll(ToHost(y), v => (double)v));
            Tensor weights = Tensor.From(Device, y.Shape, Numbers("weights", y.Count));
            Tensor gradient = Tensor.Empty(Device, y.Type, y.Shape);
            gradient.CopyFrom(weights);
            tape.Backward(y, gradient);
        }

        foreach ((string name, Tensor input) in _inputs)
        {
            if (input.Gradient is { } gradient)
            {
                results.Add($"the gradient of {name}", Array.ConvertAll(ToHost(gradient), v => (double)v));
            }
        }

        return results;
    }
}
