namespace LinearCald.Data.Tokenizers;

/// <summary>
/// The text of tokens that come one after another: what it gives adds up to <see cref="Tokenizer.Decode"/> of all of them. A character whose bytes are spread over
/// several tokens comes with the last of them.
/// </summary>
/// <param name="tokenizer">Whose tokens.</param>
/// <param name="skipSpecialTokens">Special tokens stand for nothing.</param>
public sealed class TokenTextStream(Tokenizer tokenizer, bool skipSpecialTokens = true)
{
    private const char Replacement = '\uFFFD';

    // Tokens whose text was given last, which decide on the blank before the next ones in vocabularies without blanks, and those after them.
    private readonly List<int> _tokens = [];
    private int _given;
    private bool _anyText;

    /// <summary>Takes a token.</summary>
    /// <returns>The text that is certain now; empty while a character is not complete.</returns>
    public string Append(int token)
    {
        _tokens.Add(token);
        string text = Pending();
        return text.Length == 0 || text[^1] == Replacement ? "" : Give(text);
    }

    /// <summary>The rest: bytes that are no whole character become U+FFFD.</summary>
    public string Flush()
    {
        string text = Pending();
        return text.Length == 0 ? "" : Give(text);
    }

    private string Pending()
    {
        string before = _anyText ? tokenizer.Decode(_tokens.Take(_given), skipSpecialTokens) : "";
        string all = tokenizer.Decode(_tokens, skipSpecialTokens);
        return all.Length > before.Length ? all[before.Length..] : "";
    }

    private string Give(string text)
    {
        _tokens.RemoveRange(0, _given);
        _given = _tokens.Count;
        _anyText = true;
        return text;
    }
}
