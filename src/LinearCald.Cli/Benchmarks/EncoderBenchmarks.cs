using LinearCald.Data.Batching;
using LinearCald.Distillation.Classification;
using LinearCald.Distillation.Recipes;
using LinearCald.Models.Linformer;
using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Nn.Optimisers;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Cli.Benchmarks;

/// <summary>
/// Training steps and inference of whole encoders: 16 × 128 tokens, vocabulary 8192, two classes, dropout 0.1, AdamW with decay 0.01, clipping at 1, as
/// the peers' script does; and a student's inference against length.
/// </summary>
internal static class EncoderBenchmarks
{
    private const int Batch = 16;
    private const int Length = 128;
    private const int Vocabulary = 8192;

    private static readonly (string Name, int Hidden, int Layers, int Heads, int Inner)[] Sizes =
        [("tiny", 128, 4, 4, 512), ("small", 256, 6, 4, 1024), ("base", 768, 12, 12, 3072)];

    /// <summary>Makes a benchmark's model only when it is its turn.</summary>
    public static IEnumerable<(string Op, string Shape, Func<Benchmark> Make)> All(Device device)
    {
        foreach ((string name, int hidden, int layers, int heads, int inner) in Sizes)
        {
            RobertaConfig config = Config(hidden, layers, heads, inner, 514);
            RobertaConfig student = config with { Linformer = new LinformerConfig(64, ProjectionSharing.Kv, 514) };
            double multiplyAdds = (layers * ((4.0 * hidden * hidden) + (2.0 * hidden * inner)) * Batch * Length) + (layers * 2.0 * Batch * Length * Length * hidden);
            yield return ("encoder_train_step", name, () => TrainStep("encoder_train_step", name, config, device, 6 * multiplyAdds));
            yield return ("encoder_inference", name, () => Inference("encoder_inference", name, config, device, Batch, Length, 2 * multiplyAdds));
            yield return ("student_train_step", name, () => TrainStep("student_train_step", name, student, device, 0));
            yield return ("student_inference", name, () => Inference("student_inference", name, student, device, Batch, Length, 0));
        }

        foreach ((string name, int hidden, int layers, int heads, int inner) in Sizes)
        {
            RobertaConfig config = Config(hidden, layers, heads, inner, 514) with { VocabularySize = 50265 };
            foreach (Precision precision in device.HasReducedPrecision ? Enum.GetValues<Precision>() : [Precision.Fp32])
            {
                yield return ($"cald_step_{RecipeSchema.NameOf(precision)}", name, () => CaldStep(name, config, precision, device));
            }
        }

        foreach (int length in (int[])[512, 2048, 8192])
        {
            RobertaConfig config = Config(256, 6, 4, 1024, 8194);
            yield return ("student_inference_length", $"1x{length}", () =>
                Inference("student_inference_length", $"1x{length}", config with { Linformer = new LinformerConfig(64, ProjectionSharing.Kv, 8194) }, device, 1, length, 0));
            yield return ("encoder_inference_length", $"1x{length}", () => Inference("encoder_inference_length", $"1x{length}", config, device, 1, length, 0));
        }
    }

    private static RobertaConfig Config(int hidden, int layers, int heads, int inner, int positions) => new()
    {
        VocabularySize = Vocabulary,
        HiddenSize = hidden,
        Layers = layers,
        Heads = heads,
        IntermediateSize = inner,
        MaximumPositions = positions,
        Labels = ["0", "1"],
    };

    /// <summary>Lengths are uniform in 32 … L; rank 256, task loss + 20 · mean of the layers' squared distances over valid positions.</summary>
    private static Benchmark CaldStep(string name, RobertaConfig config, Precision precision, Device device)
    {
        const int batch = 32;
        Random random = new(0);
        int[] lengths = [.. Enumerable.Range(0, batch).Select(_ => random.Next(Math.Min(32, Length), Length + 1))];
        int[] ids = new int[batch * Length];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = i % Length < lengths[i / Length] ? random.Next(5, config.VocabularySize) : config.PaddingId;
        }

        int valid = lengths.Sum();
        ClassificationInput input = ClassificationInput.Reserve(config, device, batch, Length);
        input.Set(new ClassificationBatch(new TokenBatch(ids, lengths, [.. lengths.Select(n => n % 2)], Length)));
        RobertaConfig student = config with { Linformer = new LinformerConfig(256, ProjectionSharing.Kv, config.MaximumPositions) };
        GuidanceRecipe losses = new() { Entries = LayerEntries.Outputs, LayerReduction = LayerReduction.Mean };
        DistillationStep step = new(device, precision, new StepCase(
            new ClassifierModel(new RobertaForSequenceClassification(BuildContext.For(device, 0), config)),
            new ClassifierModel(new RobertaForSequenceClassification(BuildContext.For(device, 1), student)),
            input,
            valid,
            losses,
            20));
        return new Benchmark($"cald_step_{RecipeSchema.NameOf(precision)}", name, step.Run) { Tokens = valid, Owned = [step], Recording = step.Recording, HasMemory = true, Precision = RecipeSchema.NameOf(precision) };
    }

    private static Benchmark TrainStep(string op, string name, RobertaConfig config, Device device, double flops)
    {
        RobertaForSequenceClassification model = new(BuildContext.For(device, 0), config);
        AdamW optimiser = new(model.NamedParameters(), new AdamWOptions(WeightDecay: 0.01));
        int[] ids = Tokens(Batch * Length);
        int[] lengths = [.. Enumerable.Repeat(Length, Batch)];
        int[] labels = [.. Enumerable.Range(0, Batch).Select(i => i % 2)];
        RandomGenerator dropout = new(1);
        return new Benchmark(op, name, () =>
        {
            using (MemoryScope scope = MemoryScope.Begin())
            using (Tape tape = Tape.Record())
            {
                RobertaInput input = RobertaInput.Create(config, device, ids, lengths);
                Tensor logits = model.Forward(input, new ForwardContext { Dropout = dropout }).Logits;
                tape.Backward(logits.CrossEntropy(Tensor.From(device, new Shape(Batch), labels)));
            }

            optimiser.Update(1e-4, clipNorm: 1);
            model.ClearGradients();
        })
        { Flops = flops, Tokens = Batch * Length, Owned = [optimiser, model] };
    }

    private static Benchmark Inference(string op, string name, RobertaConfig config, Device device, int batch, int length, double flops)
    {
        RobertaForSequenceClassification model = new(BuildContext.For(device, 0), config);
        int[] ids = Tokens(batch * length);
        int[] lengths = [.. Enumerable.Repeat(length, batch)];
        return new Benchmark(op, name, () =>
        {
            using Tape.Pause pause = Tape.Paused();
            using MemoryScope scope = MemoryScope.Begin();
            model.Forward(RobertaInput.Create(config, device, ids, lengths), ForwardContext.Inference);
        })
        { Flops = flops, Tokens = batch * length, Owned = [model] };
    }

    private static int[] Tokens(int count)
    {
        int[] ids = new int[count];
        ulong state = 1;
        for (int i = 0; i < count; i++)
        {
            state = (state * 6364136223846793005) + 1442695040888963407;
            ids[i] = 5 + (int)((state >> 33) % (Vocabulary - 5));
        }

        return ids;
    }
}
