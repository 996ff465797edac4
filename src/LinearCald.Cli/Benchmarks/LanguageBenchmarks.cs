using LinearCald.Data.Language;
using LinearCald.Distillation.Language;
using LinearCald.Distillation.Recipes;
using LinearCald.Models.GptNeoX;
using LinearCald.Models.Language;
using LinearCald.Models.Mamba;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Cli.Benchmarks;

/// <summary>
/// Language models: the step of the method at the sizes of Pythia, reading of long texts by transformer and Mamba student, and the time of a generated token far into a text.
/// </summary>
internal static class LanguageBenchmarks
{
    private static readonly (string Name, int Hidden, int Layers, int Heads, int Vocabulary, int Batch, int Length)[] Sizes =
    [
        ("pythia-tiny", 128, 4, 4, 4096, 4, 512),
        ("pythia-small", 256, 6, 4, 8192, 4, 512),
        ("pythia-160m", 768, 12, 12, 50304, 4, 2048),
        ("pythia-1b", 2048, 16, 8, 50304, 4, 2048),
    ];

    /// <summary>Makes a benchmark's model only when it is its turn.</summary>
    public static IEnumerable<(string Op, string Shape, Func<Benchmark> Make)> All(Device device)
    {
        foreach ((string name, int hidden, int layers, int heads, int vocabulary, int batch, int length) in Sizes.Take(device.RunsAhead ? Sizes.Length : 2))
        {
            GptNeoXConfig config = Config(hidden, layers, heads, vocabulary, length);
            foreach (Precision precision in device.HasReducedPrecision ? Enum.GetValues<Precision>() : [Precision.Fp32])
            {
                yield return ($"cald_step_{RecipeSchema.NameOf(precision)}", name, () => CaldStep(device, name, config, precision, batch, length));
            }
        }

        (_, int width, int depth, int count, int words, _, _) = Sizes[1];
        GptNeoXConfig small = Config(width, depth, count, words, 1 << 17);
        foreach (int length in (int[])[512, 1024, 2048, 4096, 8192, 16384, 32768])
        {
            yield return ("language_reading", $"transformer 1x{length}", () => Reading(device, "transformer", small, length));
            yield return ("language_reading", $"student 1x{length}", () => Reading(device, "student", Student(small), length));
        }

        foreach (int position in (int[])[0, 8000])
        {
            yield return ("language_token", $"transformer at {position}", () => Token(device, "transformer", small, position));
            yield return ("language_token", $"student at {position}", () => Token(device, "student", Student(small), position));
        }
    }

    private static GptNeoXConfig Config(int hidden, int layers, int heads, int vocabulary, int positions) => new()
    {
        VocabularySize = vocabulary,
        HiddenSize = hidden,
        Layers = layers,
        Heads = heads,
        IntermediateSize = 4 * hidden,
        MaximumPositions = positions,
    };

    private static GptNeoXConfig Student(GptNeoXConfig config) => config with { Mamba = MambaConfig.For(config.HiddenSize) };

    /// <summary>Rows of random tokens; layer-normed squared distance of all layers' outputs, weight 15, as the peers' script.</summary>
    private static Benchmark CaldStep(Device device, string name, GptNeoXConfig config, Precision precision, int batch, int length)
    {
        int[] ids = Tokens(config.VocabularySize, batch * length);
        LanguageTaskInput input = LanguageTaskInput.Reserve(device, batch, length, false);
        input.Set(new LanguageTaskBatch(new LanguageBatch(ids, [.. ids.Skip(1), ids[0]], null, batch, length)));
        GuidanceRecipe losses = new() { Entries = LayerEntries.Outputs, Normalisation = StateNormalisation.Layernorm, LayerReduction = LayerReduction.Mean };
        LanguageTaskModel teacher = new(new GptNeoXForCausalLM(BuildContext.For(device, 0), config));
        LanguageTaskModel student = new(new GptNeoXForCausalLM(BuildContext.For(device, 1), Student(config)));
        double flops = ((3 * student.ForwardFlops(length)) + teacher.ForwardFlops(length)) * batch * length;
        DistillationStep step = new(device, precision, new StepCase(teacher, student, input, batch * length, losses, 15));
        return new Benchmark($"cald_step_{RecipeSchema.NameOf(precision)}", name, step.Run) { Tokens = batch * length, Flops = flops, Owned = [step], Recording = step.Recording, HasMemory = true, Precision = RecipeSchema.NameOf(precision) };
    }

    private static Benchmark Reading(Device device, string kind, GptNeoXConfig config, int length)
    {
        GptNeoXForCausalLM model = new(BuildContext.For(device, 0), config);
        Tensor ids = Tensor.Persistent(() => Tensor.From(device, new Shape(1, length), Tokens(config.VocabularySize, length)));
        return new Benchmark("language_reading", $"{kind} 1x{length}", () =>
        {
            using Tape.Pause pause = Tape.Paused();
            using MemoryScope scope = MemoryScope.Begin();
            model.Logits(model.Encode(new LanguageInput(ids), ForwardContext.Inference).Narrow(1, length - 1, 1).Contiguous());
        })
        { Tokens = length, Owned = [ids, model] };
    }

    /// <summary>One token after <paramref name="position"/> others; the few hundred runs of a measurement go on from there.</summary>
    private static Benchmark Token(Device device, string kind, GptNeoXConfig config, int position)
    {
        GptNeoXForCausalLM model = new(BuildContext.For(device, 0), config);
        DecodingState memory = model.NewDecodingState(1, position + (1 << 16));
        if (position > 0)
        {
            using Tape.Pause pause = Tape.Paused();
            using MemoryScope scope = MemoryScope.Begin();
            model.Encode(new LanguageInput(Tensor.From(device, new Shape(1, position), Tokens(config.VocabularySize, position))), ForwardContext.Inference, null, memory);
        }

        Tensor id = Tensor.Persistent(() => Tensor.From(device, new Shape(1, 1), [7]));
        return new Benchmark("language_token", $"{kind} at {position}", () =>
        {
            using Tape.Pause pause = Tape.Paused();
            using MemoryScope scope = MemoryScope.Begin();
            model.Logits(model.Encode(new LanguageInput(id), ForwardContext.Inference, null, memory));
        })
        { Tokens = 1, Owned = [id, memory, model] };
    }

    private static int[] Tokens(int vocabulary, int count)
    {
        Random random = new(0);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(5, vocabulary))];
    }
}
