using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Tests.Ssd;

/// <summary>One scan of Mamba-2 with every gradient, on the CPU in float64 and on an accelerator with the same values.</summary>
/// <param name="Gap">Columns between the parts of the wider tensor that x, b, c and delta are ranges of.</param>
internal sealed record SsdCase(SsdShape Shape, int Gap, bool HasD, bool HasBias, bool IsPacked, bool IsPadded, bool HasState, int Seed)
{
    private static readonly Device Cpu = Device.Parse("cpu");

    /// <summary>A case whose rules are bits: reverse, softplus with limits, d, bias, packed rows, padded rows, an initial state.</summary>
    public static SsdCase Of(int batch, int length, int heads, int headSize, int stateSize, int gap, int flags, int seed, int groups = 1) => new(
        new SsdShape(batch, length, heads, groups, headSize, stateSize, 64, (flags & 1) != 0, (flags & 2) != 0, (flags & 2) != 0 ? 0.3 : 0, (flags & 2) != 0 ? 1.2 : double.PositiveInfinity),
        gap, (flags & 4) != 0, (flags & 8) != 0, (flags & 16) != 0, (flags & 32) != 0, (flags & 64) != 0, seed);

    public void Compare(Device device, DType type, double budget)
    {
        using MemoryScope scope = MemoryScope.Begin();
        SortedDictionary<string, double[]> expected = Run(Cpu, DType.Float64, true), actual = Run(device, type, true);
        Assert.Equal(expected.Keys, actual.Keys);
        foreach ((string name, double[] e) in expected)
        {
            double error = Math.Sqrt(e.Zip(actual[name], (x, y) => (x - y) * (x - y)).Sum()), norm = Math.Sqrt(e.Sum(x => x * x));

            // sums over everything cancel: the size of their terms is that of the gradient of delta
            double size = name is "the gradient of a" or "the gradient of deltaBias" ? Math.Sqrt(expected["the gradient of projected"].Sum(x => x * x)) : 1e-6;
            Assert.True(error <= budget * (norm + size), $"{name} with {type} data: error {error:G3} of {norm:G3}, budget {budget:G3}, {this}");
        }

        // without gradients nothing is kept, and a single position has a kernel of its own
        SortedDictionary<string, double[]> without = Run(device, type, false);
        foreach (string name in without.Keys)
        {
            double error = Math.Sqrt(expected[name].Zip(without[name], (x, y) => (x - y) * (x - y)).Sum()), norm = Math.Sqrt(expected[name].Sum(x => x * x));
            Assert.True(error <= budget * (norm + 1e-6), $"{name} without gradients with {type} data: error {error:G3} of {norm:G3}, budget {budget:G3}, {this}");
        }

        if (HasState)
        {
            // streaming: the final state takes the initial one's place
            SortedDictionary<string, double[]> streamed = Run(device, type, false, inPlace: true);
            foreach (string name in streamed.Keys)
            {
                Assert.True(without[name].AsSpan().SequenceEqual(streamed[name]), $"{name} with {type} data is another when the final state takes the initial one's place, {this}");
            }
        }
    }

    /// <summary>Bits do not change from run to run.</summary>
    public void Repeat(Device device, DType type)
    {
        using MemoryScope scope = MemoryScope.Begin();
        SortedDictionary<string, double[]> first = Run(device, type, true), second = Run(device, type, true);
        Assert.All(first, result => Assert.Equal(result.Value, second[result.Key]));
    }

    private SortedDictionary<string, double[]> Run(Device device, DType type, bool backward, bool inPlace = false)
    {
        SsdShape s = Shape;
        DType statistics = type.Statistics();
        int width = s.Heads * s.HeadSize, group = s.Groups * s.StateSize;
        Tensor projected = Numbers(device, type, 1, 1, s.Batch, s.Length, width + (2 * group) + s.Heads + (3 * Gap));
        Tensor a = Numbers(device, statistics, 2, 1, s.Heads).Apply(Activation.Exp).Affine(-1).Detach(), d = Numbers(device, statistics, 3, 1, s.Heads), bias = Numbers(device, statistics, 4, 1, s.Heads);
        Tensor state = Numbers(device, statistics, 5, 1, s.Batch, s.Heads, s.HeadSize, s.StateSize), final = inPlace ? state : Tensor.Full(device, statistics, state.Shape, double.NaN);
        SsdOptions options = new()
        {
            Heads = s.Heads,
            Groups = s.Groups,
            Softplus = s.Softplus,
            DeltaMin = s.DeltaMin,
            DeltaMax = s.DeltaMax,
            Chunk = s.Chunk,
            Reverse = s.Reverse,
            Sequences = IsPacked ? Tensor.From(device, new Shape(s.Batch, s.Length), Integers(6, s.Batch * s.Length, (random, before) => (before + (random.Next(20) == 0 ? 1 : 0)) % 2)) : null,
            Lengths = IsPadded ? Tensor.From(device, new Shape(s.Batch), Integers(7, s.Batch, (random, _) => random.Next(s.Length + 1))) : null,
            InitialState = HasState ? state : null,
            FinalState = final,
        };
        (string Name, Tensor Value)[] leaves = [("projected", projected), ("a", a), ("d", d), ("deltaBias", bias), ("the state", state)];
        SortedDictionary<string, double[]> results = new(StringComparer.Ordinal);
        using Tape tape = Tape.Record();
        foreach ((_, Tensor leaf) in leaves)
        {
            leaf.RequiresGradient = backward;
        }

        Tensor x = projected.Narrow(2, 0, width), b = projected.Narrow(2, width + Gap, group), c = projected.Narrow(2, width + group + (2 * Gap), group);
        Tensor delta = projected.Narrow(2, width + (2 * group) + (3 * Gap), s.Heads);
        Tensor y = x.SsdScan(delta, a, b, c, HasD ? d : null, HasBias ? bias : null, options);
        results.Add("y", ToHost(y));
        results.Add("the final state", ToHost(final));
        if (backward)
        {
            tape.Backward(y, Numbers(device, type, 8, 1, s.Batch, s.Length, width));
            foreach ((string name, Tensor leaf) in leaves)
            {
                if (leaf.Gradient is { } gradient)
                {
                    results.Add($"the gradient of {name}", ToHost(gradient));
                }
            }
        }

        return results;
    }

    private static double[] ToHost(Tensor x)
    {
        if (x.Type == DType.Float64)
        {
            return x.ToArray<double>();
        }

        Tensor copy = Tensor.Empty(x.Device, DType.Float32, x.Shape);
        copy.CopyFrom(x);
        return Array.ConvertAll(copy.ToArray<float>(), v => (double)v);
    }

    private int[] Integers(int stream, int count, Func<Random, int, int> next)
    {
        Random random = new((Seed * 16) + stream);
        int[] values = new int[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = next(random, i == 0 ? 0 : values[i - 1]);
        }

        return values;
    }

    /// <summary>Multiples of 1/64, which every type holds.</summary>
    private Tensor Numbers(Device device, DType type, int stream, float size, params ReadOnlySpan<int> extents)
    {
        Random random = new((Seed * 16) + stream);
        Shape shape = new(extents);
        float[] values = new float[shape.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = random.Next(-64, 65) / 64f * size;
        }

        Tensor host = Tensor.From(device, shape, values), result = Tensor.Empty(device, type, shape);
        result.CopyFrom(host);
        return result;
    }
}
