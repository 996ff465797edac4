using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace LinearCald.Cli;

/// <summary>A subcommand: its purpose, its examples and its handler in one class.</summary>
internal abstract class CaldCommand : Command
{
    private readonly string[] examples;

    /// <param name="name">As typed.</param>
    /// <param name="purpose">What it does, for the list of commands and the top of its help.</param>
    /// <param name="examples">Lines for the end of its help, without the leading `cald name`; a part after " # " is a remark.</param>
    protected CaldCommand(string name, string purpose, params string[] examples)
        : base(name, purpose)
    {
        this.examples = examples;
    }

    /// <summary>Does the work.</summary>
    /// <returns>0, or 1 where the answer is "no": a verification that failed.</returns>
    /// <exception cref="CaldException">Whatever the user can act on; becomes one line and exit code 1.</exception>
    public abstract int Execute(Session session);

    internal void WriteExamples(TextWriter output)
    {
        if (examples.Length == 0)
            return;
        output.WriteLine("Examples:");
        string[][] parts = [.. examples.Select(example => $"  cald {Name} {example}".Split(" # "))];
        int width = parts.Max(part => part[0].Length);
        foreach (string[] part in parts)
            output.WriteLine(part is [{ } line, { } remark] ? $"{line.PadRight(width)}   # {remark}" : part[0].TrimEnd());

        output.WriteLine();
    }
}

/// <summary>The usual help followed by the command's examples.</summary>
internal sealed class HelpWithExamples(HelpAction usual) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        usual.Invoke(parseResult);
        (parseResult.CommandResult.Command as CaldCommand)?.WriteExamples(parseResult.InvocationConfiguration.Output);
        return 0;
    }
}
