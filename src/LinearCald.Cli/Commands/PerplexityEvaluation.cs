using System.Diagnostics;
using System.Globalization;
using LinearCald.Data.Language;
using LinearCald.Data.Tokenizers;
using LinearCald.Distillation.Scoring;

namespace LinearCald.Cli.Commands;

/// <summary>`cald eval --task perplexity`: on text files, on a part of a corpus folder, or on an indexed data set.</summary>
internal static class PerplexityEvaluation
{
    private const int WindowWithoutLimit = 2048;
    private static readonly string[] s_parts = ["train", "validation", "test"];

    /// <summary>Measures and prints.</summary>
    /// <param name="split">Which part of a corpus folder.</param>
    public static int Run(LanguageTarget target, Tokenizer tokenizer, string split)
    {
        (Session session, LanguageEvaluation.Request request, TokenScorer scorer, RequestEncoder encoder, _) = target;
        int window = request.Context ?? scorer.Model.MaximumPositions ?? WindowWithoutLimit;
        PerplexityOptions options = new() { Context = request.Context };
        PerplexityEvaluator evaluator = new(scorer, request.BatchSize is { } rows ? options with { BatchTokens = (int)Math.Min((long)rows * window, int.MaxValue) } : options);
        using ConsoleProgress progress = session.Progress();
        int documents = 0;
        long start = Stopwatch.GetTimestamp();
        LanguageScore score = evaluator.Documents(
            Documents(request, tokenizer, encoder, split, scorer.Model.VocabularySize).Take(request.Limit ?? int.MaxValue).Select(document =>
            {
                documents++;
                return document;
            }),
            done => progress.Show(string.Create(CultureInfo.InvariantCulture, $"perplexity {done:N0} tokens")));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        progress.Clear();
        if (score.Tokens == 0)
            throw new CaldException($"{request.Data}: no text to measure on");
        Print(target, score, documents, seconds);
        return CommandLine.Done;
    }

    private static void Print(LanguageTarget target, LanguageScore score, int documents, double seconds)
    {
        TextWriter output = target.Session.Terminal.Out;
        foreach ((string metric, double value) in (ReadOnlySpan<(string, double)>)
            [("perplexity", score.Perplexity), ("bits_per_byte", score.BitsPerByte), ("bits_per_character", score.BitsPerCharacter), ("loss", score.Loss)])
        {
            output.WriteLine(target.Session.Json
                ? target.Row("perplexity", metric, value).Add("examples", documents).Add("tokens", score.Tokens).Add("bytes", score.Bytes).Add("seconds", Math.Round(seconds, 3)).ToString()
                : string.Create(CultureInfo.InvariantCulture, $"{metric,-18} {value:F4}"));
        }

        if (!target.Session.Json)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{score.Tokens:N0} tokens, {score.Bytes:N0} bytes of {documents:N0} document(s) in {seconds:F1} s; {target.Scorer.Model.ParameterCount():N0} parameters"));
        }
    }

    private static IEnumerable<TokenizedDocument> Documents(LanguageEvaluation.Request request, Tokenizer tokenizer, RequestEncoder encoder, string split, int vocabulary)
    {
        string data = request.Data!;
        string stem = data.EndsWith(".idx", StringComparison.Ordinal) || data.EndsWith(".bin", StringComparison.Ordinal) ? data[..^4] : data;
        if (File.Exists(stem + ".idx"))
            return Stored(stem, tokenizer, encoder, vocabulary);
        IReadOnlyList<string>? part = Directory.Exists(data) ? TextCorpusFiles.FindPart(data, split) : null;
        if (part is null && Directory.Exists(data) && s_parts.Where(name => TextCorpusFiles.FindPart(data, name) is not null).ToArray() is { Length: > 0 } parts)
            throw new CaldException($"{data} has no {split} part; it has {string.Join(" and ", parts)}: choose with --split, or name a file");
        IReadOnlyList<string> files = part ?? TextCorpusFiles.List(data);
        return TextDocuments.Read(files).Select(encoder.EncodeDocument);
    }

    // Rows that were packed before they were stored begin with a token of their own; documents get the end-of-text token before them.
    private static IEnumerable<TokenizedDocument> Stored(string path, Tokenizer tokenizer, RequestEncoder encoder, int vocabulary)
    {
        using IndexedDataset data = IndexedDataset.Open(path, new IndexedDatasetOptions { Vocabulary = vocabulary });
        long rows = data.PackedLength is { } length ? data.TokenCount / length : data.DocumentCount;
        for (long row = 0; row < rows; row++)
        {
            long from = data.PackedLength is { } packed ? row * packed : data.DocumentStart(row);
            long to = data.PackedLength is { } same ? from + same : data.DocumentStart(row + 1);
            int[] ids = new int[checked((int)(to - from))];
            data.Read(from, ids);
            string text = tokenizer.Decode(data.PackedLength is null ? ids : ids.Skip(1));
            yield return new TokenizedDocument(data.PackedLength is null ? [encoder.Prefix, .. ids] : ids, System.Text.Encoding.UTF8.GetByteCount(text), text.EnumerateRunes().Count());
        }
    }
}
