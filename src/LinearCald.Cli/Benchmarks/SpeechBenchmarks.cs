using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Speech;
using LinearCald.Distillation.Training;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;

namespace LinearCald.Cli.Benchmarks;

/// <summary>
/// Speech recognisers, transformer and student, on one recording of growing length in one pass; and the step of the method on 16 × 10 s, with the settings of the peers'
/// script: transcripts of 120 characters, KL at temperature 2, layer-normed squared distance of all layers' outputs with weight 15, convolutions frozen.
/// </summary>
internal static class SpeechBenchmarks
{
    private const int Rate = 16_000;

    private static readonly (string Name, Wav2Vec2Config Config)[] Sizes =
    [
        ("wav2vec2-tiny", Config(64, 128, 4, 4, 32, 8)),
        ("wav2vec2-small", Config(256, 256, 6, 4, 64, 16)),
        ("wav2vec2-large", Config(512, 1024, 24, 16, 128, 16)),
    ];

    /// <summary>Makes a benchmark's model only when it is its turn.</summary>
    public static IEnumerable<(string Op, string Shape, Func<Benchmark> Make)> All(Device device)
    {
        IEnumerable<(string Name, Wav2Vec2Config Config)> sizes = device.RunsAhead ? Sizes : Sizes.Take(2);
        foreach ((string name, Wav2Vec2Config config) in sizes)
        {
            foreach (Precision precision in device.HasReducedPrecision ? Enum.GetValues<Precision>() : [Precision.Fp32])
            {
                yield return ($"cald_step_{RecipeSchema.NameOf(precision)}", name, () => CaldStep(device, name, config, precision));
            }
        }

        foreach ((string name, Wav2Vec2Config config) in sizes.Skip(device.RunsAhead ? 2 : 0))
        {
            foreach (Precision precision in device.HasReducedPrecision ? [Precision.Fp32, Precision.Bf16] : (Precision[])[Precision.Fp32])
            {
                string op = $"speech_inference_{RecipeSchema.NameOf(precision)}";
                foreach (int seconds in (int[])[10, 60, 600, 3600])
                {
                    // An hour through attention is 3·10¹⁵ operations at the large size: too many for a processor.
                    if (seconds <= 600 || device.RunsAhead)
                    {
                        yield return (op, $"{name} transformer {seconds}s", () => Inference(device, op, $"{name} transformer {seconds}s", config, precision, seconds));
                    }

                    yield return (op, $"{name} student {seconds}s", () => Inference(device, op, $"{name} student {seconds}s", Student(config), precision, seconds));
                }
            }
        }
    }

    private static Wav2Vec2Config Config(int channels, int hidden, int layers, int heads, int kernel, int groups) => new()
    {
        HiddenSize = hidden,
        Layers = layers,
        Heads = heads,
        IntermediateSize = 4 * hidden,
        ConvolutionChannels = [.. Enumerable.Repeat(channels, 7)],
        ConvolutionBias = true,
        LayerNormFeatures = true,
        StableLayerNorm = true,
        PositionKernel = kernel,
        PositionGroups = groups,
        LayerDrop = 0,
        SpecAugment = false,
        CtcZeroInfinity = true,
    };

    private static Wav2Vec2Config Student(Wav2Vec2Config config) => config with { BiMamba2 = BiMamba2Config.For(config.HiddenSize) };

    private static Benchmark CaldStep(Device device, string name, Wav2Vec2Config config, Precision precision)
    {
        const int count = 16;
        const int seconds = 10;
        const int characters = 120;
        int frames = config.Frames(seconds * Rate);
        Random random = new(0);
        SpeechTaskBatch batch = new()
        {
            Samples = Noise(count * seconds * Rate),
            FrameLengths = [.. Enumerable.Repeat(frames, count)],
            Frames = frames,
            Transcripts = [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, characters).Select(_ => random.Next(1, config.VocabularySize)).ToArray())],
            Room = characters,
            Units = count * characters,
            Labels = [],
        };
        SpeechTaskInput input = SpeechTaskInput.Reserve(device, batch, new SpeechForm(TellsLengths: false, DropsLayers: false));
        GuidanceRecipe losses = new()
        {
            Entries = LayerEntries.Outputs,
            Normalisation = StateNormalisation.Layernorm,
            LayerReduction = LayerReduction.Mean,
            Temperature = 2,
            KlReduction = KlReduction.Tokens,
            KlBetaSquared = false,
        };
        Wav2Vec2ForCTC teacher = new(BuildContext.For(device, 0), config);
        Wav2Vec2ForCTC student = Wav2Vec2Files.Convert(teacher, Student(config).BiMamba2!, BuildContext.For(device, 1));
        DistillationStep step = new(device, precision, new StepCase(
            new SpeechTaskModel(teacher, freezesEncoder: true),
            new SpeechTaskModel(student, freezesEncoder: true),
            input,
            count * frames,
            losses,
            15,
            OutputWeight: 1,
            () => input.Set(batch))); // features of the frozen convolutions, which both models share, live as long as a batch
        return new Benchmark($"cald_step_{RecipeSchema.NameOf(precision)}", name, step.Run)
        {
            Tokens = count * frames,
            AudioSeconds = count * seconds,
            HasMemory = true,
            Owned = [step],
            Recording = step.Recording,
            Precision = RecipeSchema.NameOf(precision),
        };
    }

    /// <summary>From the wave on the device to the logits there.</summary>
    private static Benchmark Inference(Device device, string op, string shape, Wav2Vec2Config config, Precision precision, int seconds)
    {
        precision.Apply(device);
        Wav2Vec2ForCTC model = new(BuildContext.For(device, 0), config);
        Tensor wave = Tensor.Persistent(() => Tensor.From(device, new Shape(1, seconds * Rate), Noise(seconds * Rate)));
        ForwardContext context = new() { ComputeType = precision.ComputeType() };
        return new Benchmark(op, shape, () =>
        {
            using Tape.Pause pause = Tape.Paused();
            using MemoryScope scope = MemoryScope.Begin();
            SpeechInput input = new(wave, null);
            model.Logits(model.Encode(model.Features(wave, context), input, context));
        })
        {
            Tokens = config.Frames(seconds * Rate),
            AudioSeconds = seconds,
            HasMemory = true,
            IsLong = !device.RunsAhead && seconds >= 600,
            Owned = [wave, model],
            Precision = RecipeSchema.NameOf(precision),
        };
    }

    private static float[] Noise(int samples)
    {
        Random random = new(0);
        float[] noise = new float[samples];
        for (int i = 0; i < noise.Length; i++)
        {
            noise[i] = (float)(2 * Math.Sqrt(3) * (random.NextDouble() - 0.5));
        }

        return noise;
    }
}
