using System.Globalization;
using LinearCald.Data.Batching;
using LinearCald.Data.Tasks;
using LinearCald.Distillation.Classification;
using LinearCald.Models.Linformer;
using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Tests.Training;

/// <summary>A classification task of random token ids that the golden language model (3 layers of width 48) can learn by heart, and models for it.</summary>
internal static class TinyTask
{
    public const int Classes = 3;
    private static readonly string[] Labels = ["red", "green", "blue"];

    private static RobertaConfig Config { get; } = RobertaConfig.Read(FixtureFolder.PathOf("seed0/roberta-mlm"));

    public static Device Cpu { get; } = Device.Parse("cpu");

    /// <summary>Random texts of <paramref name="shortest"/> to <paramref name="longest"/> tokens; the class is that of the sum of a text's first two ids.</summary>
    public static ClassificationData Data(int train = 20, int validation = 12, int shortest = 3, int longest = 11, int seed = 1)
    {
        Random random = new(seed);
        return new ClassificationData(Labels, Part(train), Part(validation), null, Config);

        TokenizedDataset Part(int count)
        {
            List<TextExample> texts = [];
            for (int i = 0; i < count; i++)
            {
                int[] ids = [.. Enumerable.Range(0, random.Next(shortest, longest + 1)).Select(_ => random.Next(5, 211))];
                texts.Add(new TextExample(string.Join(' ', ids), null, (ids[0] + ids[1]) % Classes));
            }

            return TokenizedDataset.Tokenize(texts, Encode, longest, threads: 1);
        }
    }

    /// <summary>The golden body with a head from a seed.</summary>
    public static RobertaForSequenceClassification Transformer(ulong seed, double dropout = 0.1) => RobertaFiles.LoadForTask(
        FixtureFolder.PathOf("seed0/roberta-mlm"),
        BuildContext.For(Cpu, seed),
        Labels,
        out _,
        config => config with { HiddenDropout = dropout, AttentionDropout = dropout, ClassifierDropout = dropout });

    /// <summary>A Linformer of rank 6 with the weights of <see cref="Transformer"/> of the same seed.</summary>
    public static RobertaForSequenceClassification Student(ulong seed, double dropout = 0.1)
    {
        using RobertaForSequenceClassification source = Transformer(seed, dropout);
        LinformerConfig linformer = new(6, ProjectionSharing.Kv, source.Config.MaximumPositions) { Start = ProjectionStart.Pool, StartLength = 11 };
        return RobertaFiles.Convert(source, linformer, BuildContext.For(Cpu, seed + 100));
    }

    /// <summary>All parameters by name, as they are now.</summary>
    public static Dictionary<string, float[]> Weights(Module model) =>
        model.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter.Value.ToArray<float>());

    /// <summary>The names of those that differ in any bit.</summary>
    public static string[] Changed(Dictionary<string, float[]> before, Dictionary<string, float[]> after) =>
        [.. before.Where(p => !p.Value.AsSpan().SequenceEqual(after[p.Key])).Select(p => p.Key)];

    private static int[] Encode(string text, string? pair, int maxLength, out bool truncated)
    {
        truncated = false;
        return [.. text.Split(' ').Select(id => int.Parse(id, CultureInfo.InvariantCulture))];
    }
}
