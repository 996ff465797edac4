namespace LinearCald.Data.Tokenizers.Unicode;

/// <summary>
/// Unicode normalisation (UAX 15) that keeps the alignment with the original text. Managed, because <c>string.Normalize</c> returns
/// its input unchanged when the application runs with invariant globalisation.
/// </summary>
internal static class UnicodeNormalization
{
    /// <summary>The text in <paramref name="form"/>; the same object when it already is.</summary>
    /// <remarks>A decomposed character's parts align with the character; a composed one with the first of the characters it was made of.</remarks>
    public static NormalizedText Normalize(NormalizedText text, UnicodeForm form)
    {
        if (IsNormalized(text.Text, form))
        {
            return text;
        }

        List<Item> items = Decompose(text.Text, form is UnicodeForm.Nfkc or UnicodeForm.Nfkd);
        Reorder(items);
        if (form is UnicodeForm.Nfc or UnicodeForm.Nfkc)
        {
            Compose(items);
        }

        NormalizedTextBuilder builder = new(text);
        foreach (Item item in items)
        {
            builder.Append(item.Code, item.Index, item.Units);
        }

        return builder.Build();
    }

    /// <summary>The text alone.</summary>
    public static string Normalize(string text, UnicodeForm form) => Normalize(new NormalizedText(text), form).Text;

    /// <summary>The quick check: true only if nothing can change; a false may still turn out to change nothing.</summary>
    private static bool IsNormalized(string text, UnicodeForm form)
    {
        int index = 0;
        while (index < text.Length && text[index] < 0xA0)
        {
            index++;
        }

        DecompositionTable table = DecompositionTable.Instance;
        while (index < text.Length)
        {
            int code = CharClasses.CodePointAt(text, index, out int units);
            if (table.MayChange(code, form))
            {
                return false;
            }

            index += units;
        }

        return true;
    }

    private static List<Item> Decompose(string text, bool compatibility)
    {
        DecompositionTable table = DecompositionTable.Instance;
        List<Item> items = new(text.Length + 8);
        List<int> parts = [];
        for (int i = 0, units; i < text.Length; i += units)
        {
            int code = CharClasses.CodePointAt(text, i, out units);
            parts.Clear();
            table.Decompose(code, compatibility, parts);
            foreach (int part in parts)
            {
                items.Add(new Item(part, i, units, table.CombiningClass(part)));
            }
        }

        return items;
    }

    /// <summary>Canonical order: a stable sort by combining class of each run of non-starters.</summary>
    private static void Reorder(List<Item> items)
    {
        for (int i = 1; i < items.Count; i++)
        {
            Item item = items[i];
            int j = i;
            while (item.Class != 0 && j > 0 && items[j - 1].Class > item.Class)
            {
                items[j] = items[j - 1];
                j--;
            }

            items[j] = item;
        }
    }

    private static void Compose(List<Item> items)
    {
        DecompositionTable table = DecompositionTable.Instance;
        int starter = -1, lastClass = -1, count = 0; // lastClass −1: nothing stands between the starter and here
        for (int i = 0; i < items.Count; i++)
        {
            Item item = items[i];
            if (starter >= 0 && (lastClass == -1 || lastClass < item.Class) && table.TryCompose(items[starter].Code, item.Code, out int composite))
            {
                items[starter] = items[starter] with { Code = composite };
                continue;
            }

            if (item.Class == 0)
            {
                starter = count;
                lastClass = -1;
            }
            else
            {
                lastClass = item.Class;
            }

            items[count++] = item;
        }

        items.RemoveRange(count, items.Count - count);
    }

    /// <summary>A code point, the UTF-16 range of the input it came from, and its combining class.</summary>
    private readonly record struct Item(int Code, int Index, int Units, int Class);
}
