using System.Globalization;
using System.Text;
using Spectre.Console;

namespace LinearCald.Cli;

/// <summary>
/// Where a command writes: results to <see cref="Out"/>, everything about the work itself to <see cref="Error"/>, so that `cald … | jq`
/// sees results only.
/// </summary>
/// <param name="Out">Standard output.</param>
/// <param name="Error">Standard error, with its width and its abilities.</param>
/// <param name="IsInteractive">Standard error is a terminal, so a line may be redrawn.</param>
internal sealed record Terminal(TextWriter Out, IAnsiConsole Error, bool IsInteractive)
{
    /// <summary>Opens standard input, to be read once.</summary>
    public Func<Stream> Input { get; init; } = Console.OpenStandardInput;

    /// <summary>The process's own streams.</summary>
    public static Terminal OfProcess() => new(
        Console.Out,
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }),
        !Console.IsErrorRedirected);

    /// <summary>
    /// A text fit for a terminal: control characters but line ends and tabs are escaped. Names out of files that somebody else made could move the cursor or
    /// colour what follows.
    /// </summary>
    public static string Printable(string text)
    {
        if (!text.Any(IsControl))
            return text;
        StringBuilder escaped = new(text.Length + 16);
        foreach (char c in text)
            escaped.Append(IsControl(c) ? string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}") : c.ToString());
        return escaped.ToString();

        static bool IsControl(char c) => char.IsControl(c) && c is not ('\n' or '\t');
    }

    /// <summary>One line of text on standard error, unwrapped and without markup.</summary>
    public void Say(string line) => Error.Profile.Out.Writer.WriteLine(Printable(line));

    /// <summary>`error: …`, in red where the terminal has colours.</summary>
    public void Fail(string message)
    {
        bool colours = Error.Profile.Capabilities.ColorSystem != ColorSystem.NoColors && IsInteractive;
        Error.Profile.Out.Writer.WriteLine((colours ? "\e[31merror:\e[0m " : "error: ") + Printable(message));
    }
}
