using System.Globalization;
using LinearCald.Data.Tasks.Files;

namespace LinearCald.Data.Speech.Decoding;

/// <summary>Reads the ARPA form: <c>\data\</c> with the counts, a section of n-grams for every n, <c>\end\</c>. What stands before <c>\data\</c> is a comment.</summary>
internal sealed class ArpaReader(string path)
{
    private const int MostOrder = 12;
    private const long MostCount = 1L << 30;

    private readonly List<long> _counts = [];
    private readonly Dictionary<string, int> _words = new(StringComparer.Ordinal);
    private readonly Dictionary<(int Context, int Word), int> _nodes = [];
    private readonly List<float> _probability = [float.NaN];
    private readonly List<float> _backoff = [0];
    private int _line;

    public ArpaLanguageModel Read()
    {
        int section = -1; // before \data\, then 0 for the counts, then n
        long inSection = 0;
        bool ended = false;
        foreach (TextLine line in TextLineReader.Read(path))
        {
            _line = line.Number;
            string text = line.Text.Trim();
            if (ended || text.Length == 0)
            {
                continue;
            }

            if (section < 0)
            {
                section = text == @"\data\" ? 0 : section;
            }
            else if (text[0] == '\\')
            {
                CheckCount(section, inSection);
                ended = text == @"\end\";
                section = ended ? section + 1 : Section(text, section);
                inSection = 0;
            }
            else if (section == 0)
            {
                AddCount(text);
            }
            else
            {
                AddGram(text, section);
                inSection++;
            }
        }

        if (section < 0)
        {
            throw new CaldException($@"{path} is no language model in the ARPA form: it has no line \data\");
        }

        if (!ended || section != _counts.Count + 1)
        {
            throw Bad(ended
                ? $@"\end\ comes before the section of {section}-grams, which \data\ announces"
                : @"the file ends without \end\; it was cut off");
        }

        return new ArpaLanguageModel(_counts.Count, _words, _nodes, [.. _probability], [.. _backoff]);
    }

    private int Section(string text, int section)
    {
        int next = section + 1;
        if (text != $@"\{next}-grams:")
        {
            throw Bad($@"'{Short(text)}' stands where \{next}-grams: should begin");
        }

        return next <= _counts.Count ? next : throw Bad($@"a section of {next}-grams that \data\ does not announce");
    }

    private void CheckCount(int section, long found)
    {
        if (section == 0 && _counts.Count == 0)
        {
            throw Bad(@"\data\ announces no n-grams; lines such as 'ngram 1=1000' are missing");
        }

        if (section > 0 && found != _counts[section - 1])
        {
            throw Bad($"{found} {section}-grams were listed, but {_counts[section - 1]} announced");
        }
    }

    private void AddCount(string text)
    {
        string[] parts = text.Split('=');
        bool known = parts.Length == 2 && parts[0].StartsWith("ngram ", StringComparison.Ordinal)
            && int.TryParse(parts[0].AsSpan(6).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int order) && order == _counts.Count + 1;
        if (!known || !long.TryParse(parts[1].AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long count))
        {
            throw Bad($"'{Short(text)}' should read 'ngram {_counts.Count + 1}=COUNT'");
        }

        if (_counts.Count == MostOrder || count > MostCount)
        {
            throw Bad($"'{Short(text)}': n-grams up to n = {MostOrder} and {MostCount:N0} of a kind are read");
        }

        _counts.Add(count);
    }

    /// <summary>log10 probability, n words, and maybe the log10 back-off weight.</summary>
    private void AddGram(string text, int order)
    {
        string[] fields = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length != order + 1 && fields.Length != order + 2)
        {
            throw Bad($"{fields.Length} fields in '{Short(text)}'; a {order}-gram has a log-probability, {order} words and maybe a back-off weight");
        }

        float probability = Number(fields[0]), backoff = fields.Length == order + 2 ? Number(fields[^1]) : 0;
        if (probability > 1e-4f)
        {
            throw Bad($"a log-probability of {fields[0]}; it cannot be above 0");
        }

        int node = 0;
        for (int i = 1; i <= order; i++)
        {
            if (order == 1)
            {
                _words.TryAdd(fields[i], _words.Count);
            }

            if (!_words.TryGetValue(fields[i], out int word))
            {
                throw Bad($"the word '{Short(fields[i])}' is not among the 1-grams");
            }

            if (!_nodes.TryGetValue((node, word), out int next))
            {
                next = _probability.Count;
                _nodes.Add((node, word), next);
                _probability.Add(float.NaN);
                _backoff.Add(0);
            }

            node = next;
        }

        if (!float.IsNaN(_probability[node]))
        {
            throw Bad($"'{Short(string.Join(' ', fields[1..(order + 1)]))}' is listed twice");
        }

        _probability[node] = Math.Min(probability, 0);
        _backoff[node] = backoff;
    }

    private float Number(string field) =>
        float.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && !float.IsNaN(value) && value < float.PositiveInfinity
            ? Math.Max(value, -99)
            : throw Bad($"'{Short(field)}' is no number");

    private static string Short(string text) => text.Length <= 60 ? text : text[..57] + "...";

    private CaldException Bad(string what) => new($"{path}:{_line}: {what}");
}
