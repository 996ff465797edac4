using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Reflection;
using LinearCald.Cli.Commands;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Cli;

/// <summary>Builds the command tree, runs what was asked for and turns the outcome into lines and exit codes.</summary>
internal static class CommandLine
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;

    /// <summary>The commands, in the order of the help.</summary>
    private static CaldCommand[] Commands() =>
    [
        new DemoCommand(), new FinetuneCommand(), new ConvertCommand(), new CompareCommand(), new PlanCommand(), new DriftCommand(), new EvalCommand(), new GenerateCommand(), new TranscribeCommand(),
        new VerifyCommand(), new BenchCommand(), new InspectCommand(), new RecipesCommand(), new DoctorCommand(), new PtxCommand(),
    ];

    /// <summary>Runs one command line.</summary>
    /// <returns>The exit code.</returns>
    public static int Run(string[] arguments, Terminal terminal)
    {
        Command root = Root(terminal);
        ParseResult parsed = CommandLineParser.Parse(root, arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        bool asksForHelp = parsed.GetResult(root.Options.OfType<HelpOption>().Single()) is { Implicit: false };
        bool isUnknownCommand = parsed.CommandResult.Command == root && parsed.UnmatchedTokens is [{ } word, ..] && !word.StartsWith('-');
        if ((!asksForHelp || isUnknownCommand) && Mistake(parsed, arguments) is { } mistake)
        {
            terminal.Fail($"{mistake} (see `{Path(parsed)} --help`)");
            return Usage;
        }

        return parsed.Invoke(new InvocationConfiguration
        {
            Output = terminal.Out,
            Error = terminal.Error.Profile.Out.Writer,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        });
    }

    private static Command Root(Terminal terminal)
    {
        // A plain Command named cald: RootCommand would take its name from whatever hosts the process.
        Command root = new("cald",
            "LinearCald: turns pretrained transformers into models whose cost grows linearly with length, by cross-architecture layerwise distillation. `cald demo` shows it.");
        foreach (CaldCommand command in Commands())
        {
            command.SetAction(parsed => Execute(command, new Session(parsed, terminal)));
            root.Add(command);
        }

        root.Add(CommonOptions.Quiet);
        root.Add(CommonOptions.Verbose);
        HelpOption help = new("--help", "-h") { Recursive = true, Description = "Show help and exit" };
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        root.Add(help);
        Option<bool> version = new("--version") { Description = "Show the version and exit" };
        root.Add(version);
        root.SetAction(parsed =>
        {
            terminal.Out.WriteLine($"cald {Version}");
            return Done;
        });
        root.Validators.Add(result =>
        {
            if (result.GetResult(version) is null && !result.Children.OfType<CommandResult>().Any() && result.GetResult(help) is null)
                result.AddError("no command given");
        });
        return root;
    }

    /// <summary>The version without the build's suffix.</summary>
    public static string Version { get; } = typeof(CommandLine).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private static int Execute(CaldCommand command, Session session)
    {
        try
        {
            return command.Execute(session);
        }
        catch (RunStoppedException e)
        {
            session.Terminal.Say(e.Message);
            return Failed;
        }
        catch (CaldException e)
        {
            session.Terminal.Fail(e.Message);
            if (session.Arguments.GetValue(CommonOptions.Verbose))
                session.Terminal.Say(e.ToString());
            return Failed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The system's own words name the file.
            session.Terminal.Fail(e.Message);
            if (session.Arguments.GetValue(CommonOptions.Verbose))
                session.Terminal.Say(e.ToString());
            return Failed;
        }
        catch (Exception e)
        {
            // A defect of ours: say so, with the kind of exception, and keep the trace for --verbose.
            bool verbose = session.Arguments.GetValue(CommonOptions.Verbose);
            session.Terminal.Fail($"internal error: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}{(verbose ? "" : " (--verbose shows where; please report it)")}");
            if (verbose)
                session.Terminal.Say(e.ToString());
            return Failed;
        }
    }

    /// <summary>What is wrong with the command line, in one phrase, or null.</summary>
    private static string? Mistake(ParseResult parsed, string[] arguments)
    {
        Command command = parsed.CommandResult.Command;
        bool isRoot = parsed.CommandResult.Parent is null;

        // Unknown options would be taken for arguments where a command takes any number of these.
        HashSet<string> known = [.. Chain(parsed).SelectMany(c => c.Options.Where(o => o.Recursive || c == command)).SelectMany(o => o.Aliases.Append(o.Name))];
        string? option = arguments.TakeWhile(a => a != "--").FirstOrDefault(
            a => a.StartsWith("--", StringComparison.Ordinal) && !known.Contains(a.Split('=', 2)[0]));
        if (option is not null)
            return $"unknown option '{option.Split('=', 2)[0]}'{NearestName.Hint(option.Split('=', 2)[0], known.Where(name => name.StartsWith("--", StringComparison.Ordinal)))}";
        if (isRoot && parsed.UnmatchedTokens is [{ } word, ..])
            return $"unknown command '{word}'{NearestName.Hint(word, command.Subcommands.Select(c => c.Name))}";
        OptionResult? nameless = parsed.CommandResult.Children.OfType<OptionResult>()
            .FirstOrDefault(result => result.Option.HelpName is "DIR" or "FILE" or "FILE.arpa" && result.Tokens.Any(token => string.IsNullOrWhiteSpace(token.Value)));
        if (nameless is not null)
            return $"{nameless.Option.Name} needs the name of a {(nameless.Option.HelpName == "DIR" ? "folder" : "file")}";
        return parsed.Errors is [{ } error, ..] ? error.Message.TrimEnd('.') : null;
    }

    private static IEnumerable<Command> Chain(ParseResult parsed)
    {
        for (SymbolResult? result = parsed.CommandResult; result is not null; result = result.Parent)
            if (result is CommandResult command)
                yield return command.Command;
    }

    private static string Path(ParseResult parsed) => string.Join(' ', Chain(parsed).Reverse().Select(command => command.Name));
}
