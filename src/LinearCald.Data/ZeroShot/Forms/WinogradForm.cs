using LinearCald.Data.Tasks.Files;

namespace LinearCald.Data.ZeroShot.Forms;

/// <summary>
/// WSC273: <c>{text, pronoun, pronoun_loc, options, label}</c>. Each option stands in for the pronoun; the text behind it is scored.
/// The harness puts its blank before that text although the text begins with one, so the continuation begins with two.
/// </summary>
internal sealed class WinogradForm : QuestionForm
{
    private static readonly string[] Possessives = ["my", "his", "her", "our", "their"];
    private static readonly string[] Capitalised = ["A", "An", "The", "She", "He", "It", "They", "My", "His", "Her", "Their"];

    public override IReadOnlyList<string> Fields { get; } = ["text", "pronoun", "pronoun_loc", "options", "label"];

    public override Question Read(JsonRow row)
    {
        string text = row.Text("text"), pronoun = row.Text("pronoun");
        int place = Unit(text, row.Integer("pronoun_loc"));
        if (place < 0 || !text.AsSpan(place).StartsWith(pronoun, StringComparison.Ordinal))
            throw new CaldException($"{row.Place}: the pronoun \"{pronoun}\" is not at character {row.Integer("pronoun_loc")} of the text");
        string before = SingleBlanks(text[..place]), after = SingleBlanks(text[(place + pronoun.Length)..]);
        bool startsSentence = before.Length < 2 || before[^2] == '.';
        return ChooseContext(row.Texts("options").Select(option => before + Fitted(option, pronoun, startsSentence)), after, row.Integer("label"));
    }

    private static string Fitted(string option, string pronoun, bool startsSentence)
    {
        if (Possessives.Contains(pronoun, StringComparer.OrdinalIgnoreCase))
            option += "'s";
        string first = option.Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries).FirstOrDefault("");
        return !startsSentence && Capitalised.Contains(first, StringComparer.Ordinal)
            ? option.Replace(first, first.ToLowerInvariant(), StringComparison.Ordinal)
            : option;
    }

    private static string SingleBlanks(string text) => text.Replace("  ", " ", StringComparison.Ordinal);

    /// <summary>The UTF-16 unit where code point <paramref name="count"/> begins; −1 past the end.</summary>
    private static int Unit(string text, int count)
    {
        if (count < 0)
            return -1;
        int unit = 0;
        for (; count > 0 && unit < text.Length; count--)
            unit += unit + 1 < text.Length && char.IsSurrogatePair(text[unit], text[unit + 1]) ? 2 : 1;
        return count == 0 ? unit : -1;
    }
}
