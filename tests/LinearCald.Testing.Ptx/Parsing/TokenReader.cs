using System.Globalization;

namespace LinearCald.Testing.Ptx.Parsing;

/// <summary>The tokens of a PTX text, one after the other.</summary>
internal sealed class TokenReader(string text)
{
    private readonly List<Token> _tokens = Lexer.Read(text);
    private int _at;

    /// <summary>The next token, which stays.</summary>
    public Token Current => _tokens[_at];

    /// <summary>The one behind <see cref="Current"/>, which must not be the end.</summary>
    public Token Following => _tokens[_at + 1];

    /// <summary>What stands between two places, white space made single blanks.</summary>
    public string Text(int start, int end) => string.Join(' ', text[start..end].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Takes a token; the end stays.</summary>
    public Token Next()
    {
        Token token = _tokens[_at];
        if (token.Kind != TokenKind.End)
        {
            _at++;
        }

        return token;
    }

    /// <summary>Takes a token that must be this.</summary>
    public void Expect(string value)
    {
        Token token = Next();
        if (token.Value != value)
        {
            throw Error(token, $"expected '{value}' instead of {token}");
        }
    }

    /// <summary>Takes an integer.</summary>
    public ulong Number() => Integer(Next());

    /// <summary>Takes the rest of the line that a token stands in.</summary>
    public void SkipLine(Token token)
    {
        while (Current.Line == token.Line && Current.Kind != TokenKind.End)
        {
            Next();
        }
    }

    /// <summary>Takes all up to and with the next semicolon.</summary>
    public void SkipStatement()
    {
        while (!Next().Is(";"))
        {
            if (Current.Kind == TokenKind.End)
            {
                throw Error(Current, "expected ';'");
            }
        }
    }

    /// <summary>An integer's value.</summary>
    public static ulong Integer(Token token)
    {
        string value = token.Value.TrimEnd('U', 'u');
        bool isHex = value.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        if (token.Kind != TokenKind.Number
            || !ulong.TryParse(isHex ? value[2..] : value, isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out ulong result))
        {
            throw Error(token, $"{token} is no integer");
        }

        return result;
    }

    /// <summary>What is wrong, with the line.</summary>
    public static CaldException Error(Token token, string message) => new($"PTX line {token.Line}: {message}");
}
