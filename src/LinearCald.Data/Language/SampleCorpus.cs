using System.IO.Compression;
using System.Text;

namespace LinearCald.Data.Language;

/// <summary>Chapters of two novels that travel with the program, for demonstrations of language modelling; their origin is told in Samples/README.md.</summary>
public static class SampleCorpus
{
    /// <summary>The name of the sample, for run folders and messages.</summary>
    public const string Name = "novels";

    private static readonly Lazy<IReadOnlyList<string>> TrainTexts = new(() => Read("novels-train.txt.gz"));
    private static readonly Lazy<IReadOnlyList<string>> ValidationTexts = new(() => Read("novels-valid.txt.gz"));

    /// <summary>Documents to train on, about 0.9 MB of English prose; paragraphs are lines.</summary>
    public static IReadOnlyList<string> Train => TrainTexts.Value;

    /// <summary>Other chapters of the same novels, about 90 kB.</summary>
    public static IReadOnlyList<string> Validation => ValidationTexts.Value;

    private static string[] Read(string name)
    {
        using Stream packed = typeof(SampleCorpus).Assembly.GetManifestResourceStream(name)!;
        using StreamReader reader = new(new GZipStream(packed, CompressionMode.Decompress), Encoding.UTF8);
        return reader.ReadToEnd().TrimEnd('\n').Split("\n\n");
    }
}
