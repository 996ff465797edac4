using System.CommandLine;
using System.Globalization;
using LinearCald.Cli.Verification;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Cli.Commands;

/// <summary>`cald verify`: compares this implementation with results of others.</summary>
internal sealed class VerifyCommand : CaldCommand
{
    private const int SearchDepth = 4;

    /// <summary>The kinds of folder that can be verified.</summary>
    private static readonly IFixtureVerifier[] Verifiers = [new TokenizerVerifier()];

    private static readonly Argument<string[]> Folders = new("DIR")
    {
        Description = "Fixture folders, or folders of such folders",
        Arity = ArgumentArity.OneOrMore,
    };

    public VerifyCommand()
        : base(
            "verify",
            "Compares this implementation with the results of others, a line for each case; exit code 1 when one is out of its budget.",
            "tokenizers/roberta-base # tokenizer files with fixtures.jsonl beside them",
            "tokenizers --json # every case below a folder")
    {
        Add(Folders);
        Add(CommonOptions.Device);
        Add(CommonOptions.Json);
    }

    public override int Execute(Session session)
    {
        string device = session.Arguments.GetRequiredValue(CommonOptions.Device);
        List<string> skipped = [];
        bool pass = true;
        foreach (string folder in session.Arguments.GetRequiredValue(Folders))
        {
            string[] cases = [.. Cases(folder, SearchDepth, skipped)];
            if (cases.Length == 0)
                throw new CaldException($"{folder}: nothing to verify; expected, in it or below, a folder with {string.Join(", or with ", Verifiers.Select(v => v.Expects))}");
            foreach (string each in cases)
                pass &= Print(session, Verifiers.First(v => v.Recognises(each)).Verify(each, device));
        }

        if (skipped.Count > 0)
            session.Note($"skipped, being of no kind that this version verifies: {string.Join(", ", skipped.Select(Path.GetFileName))}");
        return pass ? CommandLine.Done : CommandLine.Failed;
    }

    private static bool Print(Session session, VerifyResult result)
    {
        if (session.Json)
        {
            session.Terminal.Out.WriteLine(new JsonLine().Add("case", result.Case).Add("device", result.Device)
                .Add("worst", result.Worst).Add("budget", result.Budget).Add("pass", result.Pass).Add("where", result.Where.Length > 0 ? result.Where : null));
        }
        else
        {
            session.Terminal.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{(result.Pass ? "pass" : "FAIL")}  {result.Case,-22} {result.Device,-7} worst {result.Worst,-9:G3} budget {result.Budget:G3}  {result.Where}").TrimEnd());
        }

        return result.Pass;
    }

    private static IEnumerable<string> Cases(string folder, int depth, List<string> skipped)
    {
        if (!Directory.Exists(folder))
            throw new CaldException($"{folder}: there is no such folder");
        if (Verifiers.Any(v => v.Recognises(folder)))
            return [folder];
        string[] inside = [.. Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal)];
        if (inside.Length == 0 && File.Exists(Path.Combine(folder, "expected.safetensors")))
            skipped.Add(folder);
        return depth == 0 ? [] : inside.SelectMany(each => Cases(each, depth - 1, skipped));
    }
}
