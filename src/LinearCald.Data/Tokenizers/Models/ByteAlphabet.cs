namespace LinearCald.Data.Tokenizers.Models;

/// <summary>
/// The printable character by which byte-level vocabularies write each byte: printable Latin-1 bytes stand for themselves, the other
/// 68 for U+0100 onwards in order. So a blank is Ġ (U+0120) and a line feed Ċ (U+010A).
/// </summary>
internal static class ByteAlphabet
{
    /// <summary>The character of a blank, by which a token shows that a word begins.</summary>
    public const char Blank = 'Ġ';

    private static readonly char[] Chars = BuildChars();
    private static readonly short[] Bytes = BuildBytes();

    public static char ToChar(byte value) => Chars[value];

    /// <summary>False when the character stands for no byte.</summary>
    public static bool TryToByte(char value, out byte result)
    {
        int found = value < Bytes.Length ? Bytes[value] : -1;
        result = (byte)found;
        return found >= 0;
    }

    private static char[] BuildChars()
    {
        char[] chars = new char[256];
        char next = '\u0100';
        for (int i = 0; i < chars.Length; i++)
        {
            bool printable = i is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            chars[i] = printable ? (char)i : next++;
        }

        return chars;
    }

    private static short[] BuildBytes()
    {
        short[] bytes = new short[0x144];
        Array.Fill(bytes, (short)-1);
        for (int i = 0; i < Chars.Length; i++)
        {
            bytes[Chars[i]] = (short)i;
        }

        return bytes;
    }
}
