namespace LinearCald.Nn.Files;

/// <summary>
/// Python's json module writes numbers that JSON does not have as the bare words <c>Infinity</c>, <c>-Infinity</c> and <c>NaN</c>; published configs hold them
/// (a Mamba-2's time_step_limit). transformers 5 wraps them instead: <c>{"__float__": "Infinity"}</c>.
/// </summary>
internal static class NonFiniteNumbers
{
    private static ReadOnlySpan<byte> Open => "{\"__float__\":\""u8;

    private static ReadOnlySpan<byte> Close => "\"}"u8;

    /// <summary>The text with bare words wrapped as transformers 5 does; the same text if it has none.</summary>
    public static ReadOnlyMemory<byte> Wrapped(ReadOnlyMemory<byte> json)
    {
        ReadOnlySpan<byte> text = json.Span;
        if (text.IndexOf("Infinity"u8) < 0 && text.IndexOf("NaN"u8) < 0)
        {
            return json;
        }

        List<byte> wrapped = [];
        bool inString = false;
        for (int i = 0; i < text.Length;)
        {
            int word = inString ? 0 : WordAt(text[i..]);
            if (word > 0)
            {
                wrapped.AddRange(Open);
                wrapped.AddRange(text.Slice(i, word));
                wrapped.AddRange(Close);
                i += word;
                continue;
            }

            int step = inString && text[i] == '\\' && i + 1 < text.Length ? 2 : 1; // an escaped quote does not end the string
            inString ^= step == 1 && text[i] == '"';
            wrapped.AddRange(text.Slice(i, step));
            i += step;
        }

        return wrapped.ToArray();
    }

    /// <summary>Length of the word that the text begins with; 0 if it is none of the three.</summary>
    private static int WordAt(ReadOnlySpan<byte> text) =>
        text.StartsWith("Infinity"u8) ? 8
        : text.StartsWith("-Infinity"u8) ? 9
        : text.StartsWith("NaN"u8) ? 3
        : 0;
}
