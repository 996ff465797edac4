using System.Text.Json;
using LinearCald.Data.Tokenizers.Files;

namespace LinearCald.Data.Tokenizers;

/// <summary>One field of one fixture line that came out otherwise.</summary>
/// <param name="File">Name of the fixture file.</param>
/// <param name="Line">Line in it, from 1.</param>
/// <param name="Field">Name of the field, such as <c>ids</c>.</param>
/// <param name="Text">The text (of a pair, the first).</param>
/// <param name="Expected">What the file says, shortened to the place of the first difference.</param>
/// <param name="Found">What this implementation gives, likewise.</param>
public sealed record TokenizerMismatch(string File, int Line, string Field, string Text, string Expected, string Found);

/// <summary>Outcome of comparing a tokenizer with its fixtures.</summary>
/// <param name="Texts">Single texts compared.</param>
/// <param name="Pairs">Pairs compared.</param>
/// <param name="Failures">Fields that differed, in all.</param>
/// <param name="Mismatches">The first of them.</param>
public sealed record TokenizerFixtureResult(int Texts, int Pairs, int Failures, IReadOnlyList<TokenizerMismatch> Mismatches)
{
    /// <summary>Everything compared equal, and there was something to compare.</summary>
    public bool Pass => Failures == 0 && Texts + Pairs > 0;
}

/// <summary>
/// Compares a tokenizer with what another implementation gave. <c>fixtures.jsonl</c> holds a line for each text: text, ids, ids_special,
/// tokens, offsets ([start, end] in code points), decoded; <c>fixtures_pairs.jsonl</c> for each pair: a, b, ids, type_ids. A field that a
/// line does not have is not compared.
/// </summary>
public static class TokenizerFixture
{
    private const string TextsFile = "fixtures.jsonl", PairsFile = "fixtures_pairs.jsonl";

    /// <summary>True if the folder has fixtures of a tokenizer.</summary>
    public static bool IsFixtureFolder(string folder) => File.Exists(Path.Combine(folder, TextsFile));

    /// <summary>Compares every line.</summary>
    /// <param name="folder">Folder with the fixtures.</param>
    /// <param name="tokenizer">The tokenizer; null: the one in the folder.</param>
    /// <param name="keep">How many mismatches to keep in full.</param>
    /// <exception cref="CaldException">No fixtures there, or malformed ones.</exception>
    public static TokenizerFixtureResult Verify(string folder, Tokenizer? tokenizer = null, int keep = 10)
    {
        tokenizer ??= Tokenizer.Load(folder);
        Comparison comparison = new(keep);
        int texts = 0, pairs = 0;
        foreach ((int line, JsonField row) in Lines(Path.Combine(folder, TextsFile), required: true))
        {
            comparison.At(TextsFile, line, row.Required("text").Text());
            CompareText(tokenizer, row, comparison);
            texts++;
        }

        foreach ((int line, JsonField row) in Lines(Path.Combine(folder, PairsFile), required: false))
        {
            comparison.At(PairsFile, line, row.Required("a").Text());
            TokenEncoding encoding = tokenizer.Encode(row.Required("a").Text(), row.Required("b").Text());
            comparison.Compare(row, "ids", encoding.Ids, item => item.Integer());
            comparison.Compare(row, "type_ids", encoding.TypeIds, item => item.Integer());
            pairs++;
        }

        return new TokenizerFixtureResult(texts, pairs, comparison.Failures, comparison.Mismatches);
    }

    private static void CompareText(Tokenizer tokenizer, JsonField row, Comparison comparison)
    {
        string text = row.Required("text").Text();
        TokenEncoding plain = tokenizer.Encode(text, addSpecialTokens: false);
        comparison.Compare(row, "ids", plain.Ids, item => item.Integer());
        comparison.Compare(row, "ids_special", tokenizer.Encode(text).Ids, item => item.Integer());
        comparison.Compare(row, "tokens", plain.Tokens, item => item.Text());
        comparison.Compare(row, "offsets", plain.Offsets, ReadOffset);
        if (row.Text("decoded") is { } decoded)
        {
            comparison.Compare("decoded", decoded.ToCharArray(), tokenizer.Decode(plain.Ids).ToCharArray());
        }
    }

    private static TokenOffset ReadOffset(JsonField field)
    {
        int[] ends = [.. field.Items().Select(item => item.Integer())];
        return ends.Length == 2 ? new TokenOffset(ends[0], ends[1]) : throw field.Error("an offset is [start, end]");
    }

    private static IEnumerable<(int Line, JsonField Row)> Lines(string file, bool required)
    {
        if (!File.Exists(file))
        {
            if (required)
            {
                throw new CaldException($"{file}: there is no such file; a folder of tokenizer fixtures has one");
            }

            yield break;
        }

        int number = 0;
        foreach (string line in File.ReadLines(file))
        {
            number++;
            if (line.Length > 0)
            {
                yield return (number, JsonField.Parse($"{file}: line {number}", System.Text.Encoding.UTF8.GetBytes(line)));
            }
        }
    }

    private sealed class Comparison(int keep)
    {
        private readonly List<TokenizerMismatch> _mismatches = [];
        private string _file = "", _text = "";
        private int _line;

        public int Failures { get; private set; }

        public IReadOnlyList<TokenizerMismatch> Mismatches => _mismatches;

        public void At(string file, int line, string text) => (_file, _line, _text) = (file, line, text);

        public void Compare<T>(JsonField row, string field, IReadOnlyList<T> found, Func<JsonField, T> read)
        {
            if (row.Optional(field) is { } list)
            {
                Compare(field, [.. list.Items().Select(read)], found);
            }
        }

        public void Compare<T>(string field, IReadOnlyList<T> expected, IReadOnlyList<T> found)
        {
            if (expected.SequenceEqual(found))
            {
                return;
            }

            Failures++;
            if (_mismatches.Count < keep)
            {
                int first = 0;
                while (first < expected.Count && first < found.Count && EqualityComparer<T>.Default.Equals(expected[first], found[first]))
                {
                    first++;
                }

                _mismatches.Add(new TokenizerMismatch(_file, _line, field, _text, Around(expected, first), Around(found, first)));
            }
        }

        private static string Around<T>(IReadOnlyList<T> values, int place)
        {
            int start = Math.Max(0, place - 2);
            return $"{values.Count} items, from {start}: {string.Join(" ", values.Skip(start).Take(8).Select(value => JsonSerializer.Serialize(value?.ToString())))}";
        }
    }
}
