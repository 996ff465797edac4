namespace LinearCald.Data.Speech.Decoding;

/// <summary>
/// A back-off n-gram model of words in the ARPA form that SRILM, KenLM and others write. p(w | context) is that of the longest n-gram that is listed, times the back-off
/// weights of the contexts that were given up on the way (Katz 1987). Natural logarithms; immutable.
/// </summary>
public sealed class ArpaLanguageModel
{
    /// <summary>What a word costs that is not listed, in a model without <c>&lt;unk&gt;</c>: log10.</summary>
    private const double UnlistedWord = -10;

    private readonly Dictionary<string, int> _words;
    private readonly Dictionary<(int Context, int Word), int> _nodes;
    private readonly float[] _probability; // log10, NaN where the n-gram itself is not listed
    private readonly float[] _backoff; // log10
    private readonly int _unknown;

    internal ArpaLanguageModel(int order, Dictionary<string, int> words, Dictionary<(int Context, int Word), int> nodes, float[] probability, float[] backoff)
    {
        Order = order;
        _words = words;
        _nodes = nodes;
        _probability = probability;
        _backoff = backoff;
        _unknown = Find("<unk>", "<UNK>");
        int start = Find("<s>", "<S>");
        StartContext = start < 0 || order == 1 ? [] : [start];
        End = Find("</s>", "</S>");
    }

    /// <summary>The longest n-grams: n.</summary>
    public int Order { get; }

    /// <summary>Number of words listed, sentence marks included.</summary>
    public int Count => _words.Count;

    /// <summary>The context at the beginning of a text: <c>&lt;s&gt;</c>, where the model has it.</summary>
    internal int[] StartContext { get; }

    private int End { get; }

    /// <summary>Reads a file, plain or gzip.</summary>
    /// <exception cref="CaldException">It cannot be read or is not in the ARPA form; the line is named.</exception>
    public static ArpaLanguageModel Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return new ArpaReader(path).Read();
    }

    /// <summary>ln p of a sentence with its end, words separated by white space.</summary>
    public double LogProbability(string sentence)
    {
        ArgumentNullException.ThrowIfNull(sentence);
        double total = 0;
        int[] context = StartContext;
        foreach (string word in sentence.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            int id = WordOf(word);
            total += LogProbability(context, id);
            context = Extend(context, id);
        }

        return total + EndLogProbability(context);
    }

    /// <summary>The number of a word, in another case where the model has it only so; otherwise that of <c>&lt;unk&gt;</c>, or −1.</summary>
    internal int WordOf(string word)
    {
        int id = Find(word, word.ToLowerInvariant(), word.ToUpperInvariant());
        return id >= 0 ? id : _unknown;
    }

    /// <summary>ln p(word | context).</summary>
    internal double LogProbability(ReadOnlySpan<int> context, int word)
    {
        double backoff = 0;
        for (ReadOnlySpan<int> seen = context; word >= 0; seen = seen[1..])
        {
            int node = NodeOf(seen);
            if (node >= 0)
            {
                if (_nodes.TryGetValue((node, word), out int listed) && !float.IsNaN(_probability[listed]))
                {
                    return (backoff + _probability[listed]) * Math.Log(10);
                }

                backoff += _backoff[node];
            }

            if (seen.IsEmpty)
            {
                break;
            }
        }

        return (backoff + UnlistedWord) * Math.Log(10);
    }

    /// <summary>ln p(end of sentence | context); 0 in a model without <c>&lt;/s&gt;</c>.</summary>
    internal double EndLogProbability(ReadOnlySpan<int> context) => End < 0 ? 0 : LogProbability(context, End);

    /// <summary>The context after one more word. An unlisted one (−1) empties it: no n-gram holds it.</summary>
    internal int[] Extend(int[] context, int word)
    {
        if (word < 0 || Order == 1)
        {
            return [];
        }

        int kept = Math.Min(context.Length, Order - 2);
        return [.. context.AsSpan(context.Length - kept), word];
    }

    private int Find(params ReadOnlySpan<string> spellings)
    {
        foreach (string word in spellings)
        {
            if (_words.TryGetValue(word, out int id))
            {
                return id;
            }
        }

        return -1;
    }

    /// <summary>The node of a context; the root, 0, of the empty one; −1 if it is not listed.</summary>
    private int NodeOf(ReadOnlySpan<int> context)
    {
        int node = 0;
        foreach (int word in context)
        {
            if (!_nodes.TryGetValue((node, word), out node))
            {
                return -1;
            }
        }

        return node;
    }
}
