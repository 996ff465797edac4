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

    /// <summary>One line of text on standard error, unwrapped and without markup.</summary>
    public void Say(string line) => Error.Profile.Out.Writer.WriteLine(line);

    /// <summary>`error: …`, in red where the terminal has colours.</summary>
    public void Fail(string message)
    {
        bool colours = Error.Profile.Capabilities.ColorSystem != ColorSystem.NoColors && IsInteractive;
        Say((colours ? "\e[31merror:\e[0m " : "error: ") + message);
    }
}
