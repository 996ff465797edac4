namespace LinearCald.Data.Tokenizers;

/// <summary>
/// A text on its way to the model, with the range of the original text that each of its UTF-16 units came from.
/// Immutable. While nothing has changed it the alignment is a plain shift and takes no memory.
/// </summary>
internal sealed class NormalizedText
{
    private readonly int _shift;
    private readonly int[]? _starts;
    private readonly int[]? _ends;

    /// <param name="text">Text that stands in the original at <paramref name="shift"/>, unchanged.</param>
    /// <param name="shift">Where it begins there, in UTF-16 units.</param>
    public NormalizedText(string text, int shift = 0)
    {
        Text = text;
        _shift = shift;
    }

    /// <param name="text">Changed text.</param>
    /// <param name="starts">For each unit, the first original unit it stands for.</param>
    /// <param name="ends">For each unit, one past the last.</param>
    public NormalizedText(string text, int[] starts, int[] ends)
    {
        Text = text;
        _starts = starts;
        _ends = ends;
    }

    public string Text { get; }

    /// <summary>First original UTF-16 unit of the unit at <paramref name="index"/>.</summary>
    public int OriginalStart(int index) => _starts is null ? _shift + index : _starts[index];

    /// <summary>One past the last original UTF-16 unit of the unit at <paramref name="index"/>.</summary>
    public int OriginalEnd(int index) => _ends is null ? _shift + index + 1 : _ends[index];

    /// <summary>A part of the text with its alignment; the text itself when the part is all of it.</summary>
    public NormalizedText Slice(int start, int length)
    {
        if (length == Text.Length)
        {
            return this;
        }

        string part = Text.Substring(start, length);
        return _starts is null
            ? new NormalizedText(part, _shift + start)
            : new NormalizedText(part, _starts.AsSpan(start, length).ToArray(), _ends.AsSpan(start, length).ToArray());
    }
}

/// <summary>Writes a new <see cref="NormalizedText"/> from an older one; what is not appended is dropped.</summary>
internal sealed class NormalizedTextBuilder
{
    private readonly NormalizedText _source;
    private char[] _text;
    private int[] _starts;
    private int[] _ends;

    /// <param name="source">The text whose units the appended ones are aligned with.</param>
    public NormalizedTextBuilder(NormalizedText source)
    {
        _source = source;
        int capacity = source.Text.Length + 16;
        _text = new char[capacity];
        _starts = new int[capacity];
        _ends = new int[capacity];
    }

    /// <summary>UTF-16 units appended so far.</summary>
    public int Length { get; private set; }

    /// <summary>Appends a code point that stands for the source units [<paramref name="sourceIndex"/>, + <paramref name="sourceUnits"/>).</summary>
    public void Append(int codePoint, int sourceIndex, int sourceUnits)
    {
        if (Length + 2 > _text.Length)
        {
            Array.Resize(ref _text, 2 * _text.Length);
            Array.Resize(ref _starts, _text.Length);
            Array.Resize(ref _ends, _text.Length);
        }

        int start = _source.OriginalStart(sourceIndex), end = _source.OriginalEnd(sourceIndex + sourceUnits - 1);
        if (codePoint >= 0x10000)
        {
            Put((char)(0xD7C0 + (codePoint >> 10)), start, end);
            Put((char)(0xDC00 | codePoint & 0x3FF), start, end);
        }
        else
        {
            Put((char)codePoint, start, end);
        }
    }

    /// <summary>Appends a string that stands, each of its units, for the same source units.</summary>
    public void Append(string text, int sourceIndex, int sourceUnits)
    {
        for (int i = 0, units; i < text.Length; i += units)
        {
            Append(Unicode.CharClasses.CodePointAt(text, i, out units), sourceIndex, sourceUnits);
        }
    }

    public NormalizedText Build() =>
        new(new string(_text, 0, Length), _starts.AsSpan(0, Length).ToArray(), _ends.AsSpan(0, Length).ToArray());

    private void Put(char unit, int start, int end)
    {
        _text[Length] = unit;
        _starts[Length] = start;
        _ends[Length++] = end;
    }
}
