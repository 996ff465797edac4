using System.Text;
using LinearCald.Data.Tokenizers.Models;

namespace LinearCald.Data.Tokenizers;

/// <summary>Tokens back to text.</summary>
internal abstract class TokenDecoder
{
    /// <summary>The text of the tokens in order.</summary>
    public abstract string Decode(IEnumerable<string> tokens);
}

/// <summary>Reads tokens as bytes and the bytes as UTF-8; what is not valid UTF-8 becomes U+FFFD. A token that is not written in bytes stands for its own text.</summary>
internal sealed class ByteLevelDecoder : TokenDecoder
{
    public override string Decode(IEnumerable<string> tokens)
    {
        using MemoryStream bytes = new();
        foreach (string token in tokens)
        {
            long start = bytes.Length;
            foreach (char c in token)
            {
                if (!ByteAlphabet.TryToByte(c, out byte value))
                {
                    bytes.SetLength(start);
                    bytes.Write(Encoding.UTF8.GetBytes(token));
                    break;
                }

                bytes.WriteByte(value);
            }
        }

        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }
}

/// <summary>Joins WordPiece tokens: words with blanks between, continuations without.</summary>
/// <param name="prefix">Marks a continuation, such as <c>##</c>.</param>
/// <param name="cleanUp">Also draw punctuation and English contractions to the word before them.</param>
internal sealed class WordPieceDecoder(string prefix, bool cleanUp) : TokenDecoder
{
    private static readonly (string Found, string Replacement)[] CleanUps =
    [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" do not", " don't"),
        (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ];

    public override string Decode(IEnumerable<string> tokens)
    {
        StringBuilder text = new();
        bool first = true;
        foreach (string token in tokens)
        {
            string piece = first ? token : token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..] : " " + token;
            foreach ((string found, string replacement) in cleanUp ? CleanUps : [])
            {
                piece = piece.Replace(found, replacement, StringComparison.Ordinal);
            }

            text.Append(piece);
            first = false;
        }

        return text.ToString();
    }
}

/// <summary>Joins tokens with a fixed text between.</summary>
/// <param name="separator">A blank where the file names no decoder, nothing where it says <c>Fuse</c>.</param>
internal sealed class JoinDecoder(string separator) : TokenDecoder
{
    public override string Decode(IEnumerable<string> tokens) => string.Join(separator, tokens);
}
