using System.Globalization;
using System.Reflection;

namespace LinearCald.Data.Tokenizers.Unicode;

/// <summary>
/// Combining classes, decompositions and compositions, read once from the embedded <c>normalization.txt</c>
/// (made by tools/unicode/make_normalization_table.py from the Unicode character database). Hangul is arithmetic and not in the file.
/// </summary>
internal sealed class DecompositionTable
{
    public const int HangulFirst = 0xAC00, HangulCount = 11172;
    private const int LFirst = 0x1100, VFirst = 0x1161, TFirst = 0x11A7, LCount = 19, VCount = 21, TCount = 28;

    private static readonly Lazy<DecompositionTable> Shared = new(Read);

    private readonly Dictionary<int, int[]> _canonical = [];
    private readonly Dictionary<int, int[]> _compatible = [];
    private readonly Dictionary<long, int> _compositions = [];
    private readonly Dictionary<int, byte> _combiningClass = [];
    private readonly byte[] _mayChange = new byte[0x10000]; // bit f: the code point is not plainly at home in form f
    private readonly Dictionary<int, byte> _mayChangeAstral = [];

    private DecompositionTable()
    {
    }

    public static DecompositionTable Instance => Shared.Value;

    public int CombiningClass(int codePoint) => _combiningClass.GetValueOrDefault(codePoint);

    /// <summary>False: the code point has class 0, stays itself in <paramref name="form"/> and never joins with what stands before it. A text of such is already in the form.</summary>
    public bool MayChange(int codePoint, UnicodeForm form)
    {
        byte bits = codePoint < 0x10000 ? _mayChange[codePoint] : _mayChangeAstral.GetValueOrDefault(codePoint);
        return (bits >> (int)form & 1) != 0;
    }

    /// <summary>Appends the full decomposition of <paramref name="codePoint"/> (itself if it has none), not yet in canonical order.</summary>
    public void Decompose(int codePoint, bool compatibility, List<int> output)
    {
        int hangul = codePoint - HangulFirst;
        if ((uint)hangul < HangulCount)
        {
            output.Add(LFirst + hangul / (VCount * TCount));
            output.Add(VFirst + hangul / TCount % VCount);
            if (hangul % TCount != 0)
            {
                output.Add(TFirst + hangul % TCount);
            }

            return;
        }

        if (_canonical.TryGetValue(codePoint, out int[]? parts) || (compatibility && _compatible.TryGetValue(codePoint, out parts)))
        {
            foreach (int part in parts)
            {
                Decompose(part, compatibility, output);
            }

            return;
        }

        output.Add(codePoint);
    }

    /// <summary>The primary composite of two code points, if there is one.</summary>
    public bool TryCompose(int first, int second, out int composite)
    {
        if ((uint)(first - LFirst) < LCount && (uint)(second - VFirst) < VCount)
        {
            composite = HangulFirst + ((first - LFirst) * VCount + second - VFirst) * TCount;
            return true;
        }

        if ((uint)(first - HangulFirst) < HangulCount && (first - HangulFirst) % TCount == 0 && second > TFirst && second < TFirst + TCount)
        {
            composite = first + second - TFirst;
            return true;
        }

        return _compositions.TryGetValue(Key(first, second), out composite);
    }

    private static long Key(int first, int second) => (long)first << 32 | (uint)second;

    private static DecompositionTable Read()
    {
        DecompositionTable table = new();
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("normalization.txt")
            ?? throw new InvalidOperationException("the resource normalization.txt is missing from the assembly");
        using StreamReader reader = new(stream);
        while (reader.ReadLine() is { } line)
        {
            table.AddLine(line.Split(' '));
        }

        table.MarkHangul();
        return table;
    }

    private void AddLine(string[] fields)
    {
        if (fields[0] == "#")
        {
            return;
        }

        if (fields[0] == "c")
        {
            byte combiningClass = byte.Parse(fields[3], CultureInfo.InvariantCulture);
            for (int c = Hex(fields[1]); c <= Hex(fields[2]); c++)
            {
                _combiningClass[c] = combiningClass;
                Mark(c, UnicodeForm.Nfc, UnicodeForm.Nfd, UnicodeForm.Nfkc, UnicodeForm.Nfkd);
            }

            return;
        }

        int code = Hex(fields[1]);
        int[] parts = [.. fields.Skip(2).Select(Hex)];
        switch (fields[0])
        {
            case "~":
                _compatible[code] = parts;
                Mark(code, UnicodeForm.Nfkc, UnicodeForm.Nfkd);
                break;
            case "=":
                _canonical[code] = parts;
                _compositions[Key(parts[0], parts[1])] = code;
                Mark(code, UnicodeForm.Nfd, UnicodeForm.Nfkd, UnicodeForm.Nfkc); // its parts may have a compatibility mapping
                Mark(parts[1], UnicodeForm.Nfc, UnicodeForm.Nfkc);
                break;
            default:
                _canonical[code] = parts;
                Mark(code, UnicodeForm.Nfc, UnicodeForm.Nfd, UnicodeForm.Nfkc, UnicodeForm.Nfkd);
                break;
        }
    }

    private void MarkHangul()
    {
        for (int i = 0; i < HangulCount; i++)
        {
            Mark(HangulFirst + i, UnicodeForm.Nfd, UnicodeForm.Nfkd);
        }

        for (int i = 0; i < VCount; i++)
        {
            Mark(VFirst + i, UnicodeForm.Nfc, UnicodeForm.Nfkc);
        }

        for (int i = 1; i < TCount; i++)
        {
            Mark(TFirst + i, UnicodeForm.Nfc, UnicodeForm.Nfkc);
        }
    }

    private void Mark(int codePoint, params ReadOnlySpan<UnicodeForm> forms)
    {
        foreach (UnicodeForm form in forms)
        {
            if (codePoint < 0x10000)
            {
                _mayChange[codePoint] |= (byte)(1 << (int)form);
            }
            else
            {
                _mayChangeAstral[codePoint] = (byte)(_mayChangeAstral.GetValueOrDefault(codePoint) | 1 << (int)form);
            }
        }
    }

    private static int Hex(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
