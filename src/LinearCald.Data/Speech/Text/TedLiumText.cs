using System.Text.RegularExpressions;

namespace LinearCald.Data.Speech.Text;

/// <summary>
/// The text of TED-LIUM's STM files as it is spoken: signs, money, decimals, ordinals and integers in words, Latin letters in ASCII, lower case.
/// The reference's rules, with thousands separators read as such ($1,250 is one thousand two hundred fifty dollars), decimals digit by digit, and digits
/// that touch letters set apart.
/// </summary>
public static partial class TedLiumText
{
    private static readonly Dictionary<char, (string One, string Many, string? SmallOne, string? SmallMany)> Currencies = new()
    {
        ['$'] = ("dollar", "dollars", "cent", "cents"),
        ['€'] = ("euro", "euros", "cent", "cents"),
        ['£'] = ("pound", "pounds", "penny", "pence"),
        ['¥'] = ("yen", "yen", null, null),
    };

    /// <summary>The normalised text; what could not be understood (<c>&lt;unk&gt;</c>) is <c>[UNK]</c>.</summary>
    public static string Normalise(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] passages = text.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal)
            .Split("<unk>").Select(Spoken).ToArray();
        return TranscriptText.Collapse(string.Join($" {TranscriptText.UnknownMark} ", passages));
    }

    private static string Spoken(string text)
    {
        text = Money().Replace(AsciiText.Of(text), SpokenMoney).ToLowerInvariant();
        text = text.Replace("&", " and ", StringComparison.Ordinal).Replace("%", " percent ", StringComparison.Ordinal)
            .Replace("+", " plus ", StringComparison.Ordinal).Replace("@", " at ", StringComparison.Ordinal);
        text = Decimals().Replace(text, match => $" {SpokenDecimal(match.Value)} ");
        text = Ordinals().Replace(text, match => $" {SpokenOrdinal(match.Groups[1].Value)} ");
        text = Plurals().Replace(text, match => $" {Plural(SpokenInteger(match.Groups[1].Value))} ");
        text = Integers().Replace(text, match => $" {SpokenInteger(match.Value)} ");
        return TranscriptText.Collapse(text);
    }

    private static string SpokenMoney(Match match)
    {
        (string one, string many, string? smallOne, string? smallMany) = Currencies[match.Groups["sign"].ValueSpan[0]];
        string whole = match.Groups["whole"].Value, fraction = match.Groups["fraction"].Value, scale = match.Groups["scale"].Value;

        // A scale ($1.5 million), or a fraction that is no number of cents: the whole amount is a number of dollars.
        if (scale.Length > 0 || (fraction.Length > 0 && (fraction.Length != 2 || smallOne is null)))
        {
            string amount = fraction.Length > 0 ? SpokenDecimal($"{whole}.{fraction}") : SpokenAmount(whole);
            return $" {amount} {(scale.Length > 0 ? scale + " " : "")}{many} ";
        }

        List<string> parts = [];
        bool noCents = fraction.AsSpan().TrimStart('0').IsEmpty;
        if (whole.AsSpan().ContainsAnyExcept('0', ',') || noCents)
        {
            string digits = whole.Length == 0 ? "0" : whole;
            parts.Add($"{SpokenAmount(digits)} {(digits == "1" ? one : many)}");
        }

        if (!noCents)
        {
            ulong cents = NumberWords.Value(fraction);
            parts.Add($"{NumberWords.Cardinal(cents)} {(cents == 1 ? smallOne : smallMany)}");
        }

        return $" {string.Join(' ', parts)} ";
    }

    /// <summary>3.14 ↦ three point one four; 1.2.3 ↦ one point two point three; .5 ↦ point five.</summary>
    private static string SpokenDecimal(string number)
    {
        string[] parts = number.Split('.');
        string whole = parts[0].Length == 0 ? "" : SpokenAmount(parts[0]) + " ";
        return whole + string.Join(' ', parts.Skip(1).Select(digits => $"point {NumberWords.Digits(digits)}"));
    }

    private static string SpokenOrdinal(string digits)
    {
        string plain = digits.Replace(",", "", StringComparison.Ordinal);
        return NumberWords.IsCode(plain) ? NumberWords.Digits(plain) : NumberWords.Ordinal(NumberWords.Value(plain));
    }

    /// <summary>An integer; with separators it is no year.</summary>
    private static string SpokenInteger(string digits) => digits.Contains(',', StringComparison.Ordinal) || NumberWords.IsCode(digits)
        ? SpokenAmount(digits)
        : NumberWords.YearOrCardinal(NumberWords.Value(digits));

    /// <summary>A number of things, never a year.</summary>
    private static string SpokenAmount(string digits)
    {
        string plain = digits.Replace(",", "", StringComparison.Ordinal);
        return NumberWords.IsCode(plain) ? NumberWords.Digits(plain) : NumberWords.Cardinal(NumberWords.Value(plain));
    }

    /// <summary>nineteen ninety ↦ nineteen nineties; six ↦ sixes.</summary>
    private static string Plural(string words) =>
        words.EndsWith('y') ? words[..^1] + "ies" : words.EndsWith('x') || words.EndsWith('o') ? words + "es" : words + "s";

    [GeneratedRegex(@"(?<sign>[$€£¥])\s?(?:(?<whole>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.(?<fraction>[0-9]+))?|(?<whole>)\.(?<fraction>[0-9]+))(?:[\s-](?<scale>hundred|thousand|million|billion|trillion)\b)?", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Money();

    [GeneratedRegex(@"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)+|(?<![0-9.])\.[0-9]+", RegexOptions.CultureInvariant)]
    private static partial Regex Decimals();

    [GeneratedRegex(@"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:st|nd|rd|th)\b", RegexOptions.CultureInvariant)]
    private static partial Regex Ordinals();

    [GeneratedRegex(@"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)'?s\b", RegexOptions.CultureInvariant)]
    private static partial Regex Plurals();

    [GeneratedRegex(@"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+", RegexOptions.CultureInvariant)]
    private static partial Regex Integers();
}
