using LinearCald.Models.GptNeoX;
using LinearCald.Models.Language;
using LinearCald.Models.Mamba;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Memory;

namespace LinearCald.Models.Tests;

/// <summary>Small language models of every kind, and what tests ask of them.</summary>
internal static class LanguageModels
{
    public const int Vocabulary = 61;

    public static readonly Device Cpu = Device.Parse("cpu");

    public static readonly GptNeoXConfig Transformer = new()
    {
        VocabularySize = Vocabulary,
        HiddenSize = 24,
        Layers = 2,
        Heads = 2,
        IntermediateSize = 40,
        MaximumPositions = 64,
        InitialiserRange = 0.2,
    };

    public static readonly MambaConfig Mixer = new(20, 3) { StateSize = 5, UseBias = true };

    public static readonly MambaModelConfig Mamba = new()
    {
        VocabularySize = Vocabulary,
        HiddenSize = 24,
        Layers = 2,
        InitialiserRange = 0.3,
        TieWordEmbeddings = true,
        RescaleResidual = true,
        Mixer = new MambaConfig(48, 3) { StateSize = 6 },
    };

    public static readonly Mamba2ModelConfig Mamba2 = new()
    {
        VocabularySize = Vocabulary,
        HiddenSize = 24,
        Layers = 2,
        InitialiserRange = 0.3,
        Mixer = new Mamba2Config(4, 12) { StateSize = 8, Groups = 2, UseBias = true, TimeStepHigh = 0.08 },
    };

    /// <summary>Every kind by name.</summary>
    public static LayeredLanguageModel Build(string kind, ulong seed = 1, DType type = DType.Float32) =>
        LanguageModelFiles.Build(Config(kind), new BuildContext(Cpu, type, new RandomGenerator(seed)));

    public static LanguageModelConfig Config(string kind) => kind switch
    {
        "parallel" => Transformer,
        "sequential" => Transformer with { ParallelResidual = false, TieWordEmbeddings = true, AttentionBias = false },
        "student" => Transformer with { Mamba = Mixer },
        "sequential student" => Transformer with { Mamba = Mixer with { UseConvBias = false, UseBias = false }, ParallelResidual = false },
        "mamba" => Mamba,
        "mamba2" => Mamba2,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such kind"),
    };

    public static int[] Text(int length, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(Vocabulary))];
    }

    /// <summary>The last hidden states [B · L · d] of texts side by side.</summary>
    public static float[] Encode(LayeredLanguageModel model, int[] ids, int batch, int[]? lengths = null, int[]? sequences = null, DecodingState? memory = null)
    {
        using MemoryScope scope = MemoryScope.Begin();
        Shape shape = new(batch, ids.Length / batch);
        LanguageInput input = new(
            Tensor.From(Cpu, shape, ids),
            lengths is null ? null : Tensor.From(Cpu, new Shape(batch), lengths),
            sequences is null ? null : Tensor.From(Cpu, shape, sequences));
        return model.Encode(input, ForwardContext.Inference, null, memory).ToArray<float>();
    }

    /// <summary>Fails unless ‖a − b‖ is below 2e-5 ‖a‖.</summary>
    public static void Close(IReadOnlyList<float> expected, IReadOnlyList<float> actual, string what = "")
    {
        Assert.Equal(expected.Count, actual.Count);
        double error = 0;
        double norm = 0;
        for (int i = 0; i < expected.Count; i++)
        {
            error += Math.Pow(expected[i] - actual[i], 2);
            norm += Math.Pow(expected[i], 2);
        }

        Assert.True(Math.Sqrt(error) <= 2e-5 * Math.Sqrt(norm), $"{what}: {Math.Sqrt(error / norm)}");
    }
}
