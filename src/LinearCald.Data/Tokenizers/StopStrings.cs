using System.Text;

namespace LinearCald.Data.Tokenizers;

/// <summary>
/// Cuts a text that comes in pieces before the first of some strings that is complete, wherever the pieces end. What could be the beginning of one is held back until the next piece.
/// </summary>
public sealed class StopStrings
{
    private readonly string[] _stops;
    private readonly StringBuilder _held = new();

    /// <exception cref="CaldException">A string is empty.</exception>
    public StopStrings(IEnumerable<string> stops)
    {
        ArgumentNullException.ThrowIfNull(stops);
        _stops = [.. stops];
        if (_stops.Contains(""))
        {
            throw new CaldException("an empty stop string would stop before the first character; leave it out");
        }
    }

    /// <summary>The string that was found; null so far.</summary>
    public string? Found { get; private set; }

    /// <summary>Takes a piece.</summary>
    /// <returns>The text that is certain to come before any of the strings.</returns>
    public string Append(string piece)
    {
        if (Found is not null)
        {
            return "";
        }

        string text = _held.Append(piece).ToString();
        int cut = text.Length, end = int.MaxValue;
        foreach (string stop in _stops)
        {
            // The one that is complete first counts, so that pieces do not matter; of two at the same place the longer.
            int at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0 && (at + stop.Length < end || (at + stop.Length == end && at < cut)))
            {
                (cut, end, Found) = (at, at + stop.Length, stop);
            }
        }

        _held.Clear();
        if (Found is null)
        {
            cut -= _stops.Length == 0 ? 0 : _stops.Max(stop => Overlap(text, stop));
            _held.Append(text, cut, text.Length - cut);
        }

        return text[..cut];
    }

    /// <summary>What was held back: the text ended without it becoming one of the strings.</summary>
    public string Flush()
    {
        string text = _held.ToString();
        _held.Clear();
        return text;
    }

    // Length of the longest end of the text that is a beginning of the string.
    private static int Overlap(string text, string stop)
    {
        int length = Math.Min(text.Length, stop.Length - 1);
        while (length > 0 && !text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length)))
        {
            length--;
        }

        return length;
    }
}
