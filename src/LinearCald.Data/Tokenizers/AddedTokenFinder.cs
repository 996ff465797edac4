using System.Buffers;
using LinearCald.Data.Tokenizers.Unicode;

namespace LinearCald.Data.Tokenizers;

/// <summary>Finds added tokens in a text: from the left, the longest at each place, not overlapping.</summary>
internal sealed class AddedTokenFinder
{
    private readonly Node _root = new();
    private readonly SearchValues<char> _firsts;

    /// <param name="tokens">Tokens and the text to look for (their content, or its normalised form); empty texts are passed over.</param>
    public AddedTokenFinder(IEnumerable<(AddedToken Token, string Text)> tokens)
    {
        foreach ((AddedToken token, string text) in tokens)
        {
            if (text.Length == 0)
            {
                continue;
            }

            Node node = _root;
            foreach (char c in text)
            {
                node = node.Add(c);
            }

            node.Token = token;
        }

        _firsts = SearchValues.Create([.. _root.Children]);
    }

    /// <summary>Cuts a text into stretches that are one added token (with the blanks it takes along) and stretches that hold none. Empty stretches are left out.</summary>
    public void Split(string text, List<Stretch> output)
    {
        int done = 0, at = 0;
        while (at < text.Length)
        {
            int ahead = text.AsSpan(at).IndexOfAny(_firsts);
            if (ahead < 0)
            {
                break;
            }

            at += ahead;
            AddedToken? token = LongestAt(text, at, out int length);
            if (token is null)
            {
                at++;
                continue;
            }

            int start = at, end = at + length;
            at = end;
            if (token.SingleWord && (EndsWithWord(text.AsSpan(0, start)) || StartsWithWord(text.AsSpan(end))))
            {
                continue;
            }

            if (token.StripLeft)
            {
                start = text.AsSpan(0, start).TrimEnd().Length;
            }

            if (token.StripRight)
            {
                end = text.Length - text.AsSpan(end).TrimStart().Length;
            }

            start = Math.Max(start, done);
            if (start > done)
            {
                output.Add(new Stretch(null, done, start - done));
            }

            output.Add(new Stretch(token, start, end - start));
            done = end;
            at = Math.Max(at, end);
        }

        if (done < text.Length)
        {
            output.Add(new Stretch(null, done, text.Length - done));
        }
    }

    private AddedToken? LongestAt(string text, int start, out int length)
    {
        AddedToken? found = null;
        length = 0;
        Node? node = _root;
        for (int i = start; i < text.Length; i++)
        {
            node = node.Find(text[i]);
            if (node is null)
            {
                break;
            }

            if (node.Token is not null)
            {
                found = node.Token;
                length = i + 1 - start;
            }
        }

        return found;
    }

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        text.Length > 0 && (CharClasses.Of(CharClasses.CodePointAt(text, 0, out _)) & CharClass.Word) != 0;

    private static bool EndsWithWord(ReadOnlySpan<char> text)
    {
        if (text.Length == 0)
        {
            return false;
        }

        int last = text.Length > 1 && char.IsSurrogatePair(text[^2], text[^1]) ? text.Length - 2 : text.Length - 1;
        return StartsWithWord(text[last..]);
    }

    /// <summary>A part of a text.</summary>
    /// <param name="Token">The added token it is, or null.</param>
    /// <param name="Start">First UTF-16 unit.</param>
    /// <param name="Length">UTF-16 units.</param>
    public readonly record struct Stretch(AddedToken? Token, int Start, int Length);

    private sealed class Node
    {
        private readonly Dictionary<char, Node> _children = [];

        public AddedToken? Token { get; set; }

        public IEnumerable<char> Children => _children.Keys;

        public Node? Find(char c) => _children.GetValueOrDefault(c);

        public Node Add(char c)
        {
            if (!_children.TryGetValue(c, out Node? child))
            {
                _children[c] = child = new Node();
            }

            return child;
        }
    }
}
