using System.Text;
using Spectre.Console;

namespace LinearCald.Cli.Tests;

/// <summary>Runs command lines inside the test process and keeps what they wrote.</summary>
internal sealed class Capture
{
    private readonly StringBuilder output = new();
    private readonly StringBuilder error = new();

    private Capture(bool interactive, bool ansi, int width)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(new StringWriter(error)),
            Ansi = ansi ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
        });
        console.Profile.Width = width;
        Terminal = new Terminal(new StringWriter(output), console, interactive);
    }

    public Terminal Terminal { get; }

    public int ExitCode { get; private set; }

    public string Out => output.ToString();

    public string Error => error.ToString();

    public static Capture Of(bool interactive = false, bool ansi = false, int width = 120) => new(interactive, ansi, width);

    public static Capture Run(params string[] arguments) => Run(Stream.Null, arguments);

    /// <summary>Runs a command line with something on its standard input.</summary>
    public static Capture Run(Stream input, params string[] arguments)
    {
        Capture capture = Of();
        capture.ExitCode = CommandLine.Run(arguments, capture.Terminal with { Input = () => input });
        return capture;
    }
}
