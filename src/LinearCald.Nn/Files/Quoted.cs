using System.Globalization;
using System.Text;

namespace LinearCald.Nn.Files;

/// <summary>Names out of untrusted files, made fit for one line of a message: in quotes, control characters escaped, cut after eighty characters.</summary>
internal static class Quoted
{
    private const int Limit = 80;

    /// <summary><paramref name="name"/> in single quotes.</summary>
    public static string Of(string name)
    {
        StringBuilder text = new("'", Limit + 8);
        foreach (char c in name.AsSpan(0, Math.Min(name.Length, Limit)))
        {
            if (char.IsControl(c) || char.IsSurrogate(c) || char.GetUnicodeCategory(c) == UnicodeCategory.Format)
                text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                text.Append(c);
        }

        return text.Append(name.Length > Limit ? "…'" : "'").ToString();
    }
}
