using LinearCald.Models.GptNeoX;
using LinearCald.Models.Language;
using LinearCald.Models.Mamba;
using LinearCald.Nn;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;
using LinearCald.Testing.Ptx;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>Whole language models as PTX in the emulator against the CPU: hidden states, loss, every gradient, generation, in float32 and in mixed precision.</summary>
public sealed class LanguageModelTests : IDisposable
{
    private const int Vocabulary = 40;
    private const int Length = 9;

    private static readonly GptNeoXConfig s_transformer = new()
    {
        VocabularySize = Vocabulary,
        HiddenSize = 32,
        Layers = 1,
        Heads = 2,
        IntermediateSize = 48,
        MaximumPositions = 32,
        InitialiserRange = 0.2,
    };

    private readonly EmulatorAccelerator _accelerator = new();
    private readonly GpuDevice _device;

    public LanguageModelTests() => _device = new GpuDevice(_accelerator) { PoisonMemory = true };

    public void Dispose() => _accelerator.Dispose();

    [Theory]
    [InlineData("transformer")]
    [InlineData("student")]
    [InlineData("mamba")]
    [InlineData("mamba2")]
    public void Models_compute_what_they_compute_on_the_cpu(string kind)
    {
        using LayeredLanguageModel cpu = LanguageModelFiles.Build(Config(kind), BuildContext.For(Device.Parse("cpu"), 5));
        using LayeredLanguageModel gpu = LanguageModelFiles.Build(Config(kind), BuildContext.For(_device, 5));
        SortedDictionary<string, double[]> expected = Step(cpu, null);
        Same(expected, Step(gpu, null), 1e-4);
        Same(expected, Step(gpu, DType.BFloat16), 4e-2);
    }

    [Theory]
    [InlineData("transformer")]
    [InlineData("student")]
    [InlineData("mamba2")]
    public void Generation_goes_on_from_what_was_read(string kind)
    {
        using LayeredLanguageModel gpu = LanguageModelFiles.Build(Config(kind), BuildContext.For(_device, 5));
        foreach (DType? type in (DType?[])[null, DType.BFloat16])
        {
            ForwardContext context = new() { ComputeType = type };
            using MemoryScope scope = MemoryScope.Begin();
            using DecodingState memory = gpu.NewDecodingState(2, Length);
            float[] whole = gpu.Encode(new LanguageInput(Ids(_device, 0, Length)), context).Narrow(1, Length - 1, 1).ToArray<float>();
            float[] last = [];
            foreach ((int from, int count) in ((int, int)[])[(0, 4), (4, 1), (5, 3), (8, 1)])
            {
                last = gpu.Encode(new LanguageInput(Ids(_device, from, count)), context, null, memory).Narrow(1, count - 1, 1).ToArray<float>();
            }

            Close($"{kind} {type}", Array.ConvertAll(whole, v => (double)v), Array.ConvertAll(last, v => (double)v), type is null ? 1e-5 : 2e-2);
        }
    }

    private static LanguageModelConfig Config(string kind) => kind switch
    {
        "transformer" => s_transformer,
        "student" => s_transformer with { Mamba = new MambaConfig(48, 8) { StateSize = 16 }, ParallelResidual = false },
        "mamba" => new MambaModelConfig
        {
            VocabularySize = Vocabulary,
            HiddenSize = 32,
            Layers = 1,
            InitialiserRange = 0.3,
            TieWordEmbeddings = true,
            Mixer = MambaConfig.For(32) with { TimeStepRank = 8 },
        },
        _ => new Mamba2ModelConfig
        {
            VocabularySize = Vocabulary,
            HiddenSize = 32,
            Layers = 1,
            InitialiserRange = 0.3,
            Mixer = new Mamba2Config(8, 8) { StateSize = 16, Groups = 2 },
        },
    };

    private static Tensor Ids(Device device, int from, int count)
    {
        int[] ids = [.. Enumerable.Range(0, 2).SelectMany(b => Enumerable.Range(from, count).Select(t => ((b * 17) + (t * t * 7) + 3) % Vocabulary))];
        return Tensor.From(device, new Shape(2, count), ids);
    }

    /// <summary>One training step's results: states, loss and gradients.</summary>
    private static SortedDictionary<string, double[]> Step(LayeredLanguageModel model, DType? type)
    {
        using MemoryScope scope = MemoryScope.Begin();
        using Tape tape = Tape.Record();
        Tensor ids = Ids(model.OutputWeight.Value.Device, 0, Length);
        List<Tensor> states = [];
        ForwardContext context = new() { ComputeType = type };
        Tensor hidden = model.Encode(new LanguageInput(ids), context, states);
        Tensor loss = context.Compute(hidden).Reshape(-1, model.HiddenSize).LinearCrossEntropy(model.OutputWeight.Value, ids.Reshape(-1));
        SortedDictionary<string, double[]> results = new(StringComparer.Ordinal) { ["loss"] = [loss.Item()] };
        for (int i = 0; i < states.Count; i++)
        {
            results.Add($"state {i}", Values(states[i]));
        }

        tape.Backward(loss);
        foreach ((string name, Parameter parameter) in model.NamedParameters())
        {
            results.Add(name, Values(parameter.Value.Gradient!));
        }

        model.ClearGradients();
        return results;
    }

    private static double[] Values(Tensor x) => Array.ConvertAll(x.ToArray<float>(), v => (double)v);

    private static void Same(SortedDictionary<string, double[]> expected, SortedDictionary<string, double[]> actual, double budget)
    {
        Assert.Equal(expected.Keys, actual.Keys);
        double largest = expected.Where(e => e.Key.Contains('.', StringComparison.Ordinal)).Max(e => Rms(e.Value));
        foreach ((string name, double[] e) in expected)
        {
            // Gradients that nearly cancel are measured against a hundredth of the largest.
            Close(name, e, actual[name], budget, 0.01 * largest * Math.Sqrt(e.Length));
        }
    }

    private static void Close(string name, double[] expected, double[] actual, double budget, double atLeast = 0)
    {
        double error = Math.Sqrt(expected.Zip(actual, (x, y) => (x - y) * (x - y)).Sum());
        double norm = Math.Max(Math.Sqrt(expected.Sum(x => x * x)), atLeast);
        Assert.True(error <= budget * norm, $"{name}: error {error / norm:G3}, budget {budget:G3}");
    }

    private static double Rms(double[] values) => Math.Sqrt(values.Average(v => v * v));
}
