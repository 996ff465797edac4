using System.CommandLine;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Cli;

/// <summary>What a command is given when it runs: its parsed arguments and the world around it.</summary>
/// <param name="Arguments">Read with the options in <see cref="CommonOptions"/> and the command's own.</param>
/// <param name="Terminal">Where to write.</param>
internal sealed record Session(ParseResult Arguments, Terminal Terminal)
{
    /// <summary>Print results as one JSON object a line.</summary>
    public bool Json => Arguments.GetResult(CommonOptions.Json) is not null && Arguments.GetValue(CommonOptions.Json);

    /// <summary>No progress, no notes; errors still.</summary>
    public bool Quiet => Arguments.GetValue(CommonOptions.Quiet);

    /// <summary>Whether an option was typed, not filled in by its default.</summary>
    public bool IsGiven(Option option) => Arguments.GetResult(option) is { Implicit: false };

    /// <summary>A line of news on standard error, unless --quiet.</summary>
    public void Note(string line)
    {
        if (!Quiet)
            Terminal.Say(line);
    }

    /// <summary>A progress line on a terminal; silence when redirected or with --quiet. Dispose to clear the line.</summary>
    public ConsoleProgress Progress() => new(Terminal, enabled: Terminal.IsInteractive && !Quiet);

    /// <summary>
    /// Takes over Ctrl+C until disposed: the first press makes the request, the second ends the process. For commands that look at the
    /// request between steps; others leave Ctrl+C as it is.
    /// </summary>
    public Interrupts HandleInterrupts(StopRequest stop) => new(stop, Terminal);
}
