namespace LinearCald.Testing.Ptx.Parsing;

/// <summary>Cuts PTX text into tokens; comments vanish.</summary>
internal static class Lexer
{
    public static List<Token> Read(string text)
    {
        List<Token> tokens = [];
        int line = 1;
        int i = 0;
        while (i < text.Length)
        {
            char c = text[i];
            int start = i;
            if (c == '\n')
            {
                line++;
                i++;
            }
            else if (char.IsWhiteSpace(c))
            {
                i++;
            }
            else if (c == '/' && i + 1 < text.Length && text[i + 1] == '/')
            {
                while (i < text.Length && text[i] != '\n')
                {
                    i++;
                }
            }
            else if (c == '/' && i + 1 < text.Length && text[i + 1] == '*')
            {
                int end = text.IndexOf("*/", i + 2, StringComparison.Ordinal);
                if (end < 0)
                {
                    throw new CaldException($"PTX line {line}: a comment has no end");
                }

                line += text.AsSpan(i, end - i).Count('\n');
                i = end + 2;
            }
            else if (c == '"')
            {
                int end = text.IndexOf('"', i + 1);
                if (end < 0)
                {
                    throw new CaldException($"PTX line {line}: a string has no end");
                }

                i = end + 1;
                tokens.Add(new Token(TokenKind.Text, text[(start + 1)..end], line, start, i));
            }
            else if (char.IsAsciiDigit(c))
            {
                i = NumberEnd(text, i);
                tokens.Add(new Token(TokenKind.Number, text[start..i], line, start, i));
            }
            else if (IsWordStart(c))
            {
                i = WordEnd(text, i);
                tokens.Add(new Token(TokenKind.Word, text[start..i], line, start, i));
            }
            else if ("[]{}(),;:+-!|@<>=".Contains(c, StringComparison.Ordinal))
            {
                i++;
                tokens.Add(new Token(TokenKind.Punctuation, c.ToString(), line, start, i));
            }
            else
            {
                throw new CaldException($"PTX line {line}: unexpected character '{c}'");
            }
        }

        tokens.Add(new Token(TokenKind.End, "", line, text.Length, text.Length));
        return tokens;
    }

    private static bool IsWordStart(char c) => char.IsAsciiLetter(c) || c is '_' or '$' or '%' or '.';

    private static bool IsWordPart(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' or '%' or '.';

    private static int WordEnd(string text, int i)
    {
        while (i < text.Length)
        {
            if (IsWordPart(text[i]))
            {
                i++;
            }
            else if (text[i] == ':' && i + 1 < text.Length && text[i + 1] == ':')
            {
                i += 2;
            }
            else
            {
                break;
            }
        }

        return i;
    }

    private static int NumberEnd(string text, int i)
    {
        bool isBits = text[i] == '0' && i + 1 < text.Length && text[i + 1] is 'x' or 'X' or 'f' or 'F' or 'd' or 'D' or 'b' or 'B';
        int start = i;
        while (i < text.Length)
        {
            bool isExponentSign = !isBits && text[i] is '+' or '-' && i > start && text[i - 1] is 'e' or 'E' && text[start..i].Contains('.', StringComparison.Ordinal);
            if (!IsWordPart(text[i]) && !isExponentSign)
            {
                break;
            }

            i++;
        }

        return i;
    }
}
