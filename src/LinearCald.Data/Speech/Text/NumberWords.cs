using System.Globalization;

namespace LinearCald.Data.Speech.Text;

/// <summary>Numbers in English words: American, without "and" and without hyphens.</summary>
public static class NumberWords
{
    private static readonly string[] Small =
    [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen",
        "sixteen", "seventeen", "eighteen", "nineteen",
    ];

    private static readonly string[] Tens = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

    private static readonly (ulong Size, string Name)[] Powers =
    [
        (1_000_000_000_000_000_000, "quintillion"), (1_000_000_000_000_000, "quadrillion"), (1_000_000_000_000, "trillion"), (1_000_000_000, "billion"),
        (1_000_000, "million"), (1_000, "thousand"), (100, "hundred"),
    ];

    private static readonly Dictionary<string, string> IrregularOrdinals = new(StringComparer.Ordinal)
    {
        ["one"] = "first",
        ["two"] = "second",
        ["three"] = "third",
        ["five"] = "fifth",
        ["eight"] = "eighth",
        ["nine"] = "ninth",
        ["twelve"] = "twelfth",
    };

    /// <summary>4321 ↦ four thousand three hundred twenty one.</summary>
    public static string Cardinal(ulong number)
    {
        List<string> words = [];
        Append(words, number);
        return string.Join(' ', words);
    }

    /// <summary>21 ↦ twenty first.</summary>
    public static string Ordinal(ulong number)
    {
        string words = Cardinal(number);
        int last = words.LastIndexOf(' ') + 1;
        string word = words[last..];
        string ordinal = IrregularOrdinals.TryGetValue(word, out string? irregular) ? irregular
            : word.EndsWith('y') ? word[..^1] + "ieth"
            : word + "th";
        return words[..last] + ordinal;
    }

    /// <summary>
    /// A number without separators as it is usually said: 1001 … 2999 as years, in pairs of digits (1999 nineteen ninety nine, 1805 eighteen oh
    /// five, 1900 nineteen hundred), but 2000 … 2009 two thousand …; others plainly.
    /// </summary>
    public static string YearOrCardinal(ulong number)
    {
        if (number is <= 1000 or >= 3000 or (>= 2000 and <= 2009))
        {
            return Cardinal(number);
        }

        (ulong century, ulong rest) = Math.DivRem(number, 100);
        return rest switch
        {
            0 => $"{Cardinal(century)} hundred",
            < 10 => $"{Cardinal(century)} oh {Cardinal(rest)}",
            _ => $"{Cardinal(century)} {Cardinal(rest)}",
        };
    }

    /// <summary>Digits as they stand, one word each: 007 ↦ zero zero seven.</summary>
    public static string Digits(ReadOnlySpan<char> digits)
    {
        List<string> words = new(digits.Length);
        foreach (char digit in digits)
        {
            words.Add(Small[digit - '0']);
        }

        return string.Join(' ', words);
    }

    /// <summary>Whether digits are to be said one by one: they begin with a zero that is not all of them, or are more than a number of 18 digits.</summary>
    internal static bool IsCode(ReadOnlySpan<char> digits) => digits.Length > 18 || (digits.Length > 1 && digits[0] == '0');

    /// <summary>The value of at most 18 digits.</summary>
    internal static ulong Value(ReadOnlySpan<char> digits) => ulong.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);

    private static void Append(List<string> words, ulong number)
    {
        if (number < 20)
        {
            words.Add(Small[number]);
            return;
        }

        if (number < 100)
        {
            words.Add(Tens[number / 10]);
            if (number % 10 > 0)
            {
                words.Add(Small[number % 10]);
            }

            return;
        }

        (ulong size, string name) = Powers.First(power => number >= power.Size);
        Append(words, number / size);
        words.Add(name);
        if (number % size > 0)
        {
            Append(words, number % size);
        }
    }
}
