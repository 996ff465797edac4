namespace LinearCald.Cli;

/// <summary>The `cald` command. Exit codes: 0 done, 1 failed or stopped, 2 wrong usage.</summary>
internal static class Program
{
    private static int Main(string[] arguments) => CommandLine.Run(arguments, Terminal.OfProcess());
}
