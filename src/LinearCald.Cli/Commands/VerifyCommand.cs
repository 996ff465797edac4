using System.CommandLine;
using System.Globalization;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Verification;
using LinearCald.Tensors;

namespace LinearCald.Cli.Commands;

/// <summary>`cald verify`: compares with golden fixtures.</summary>
internal sealed class VerifyCommand : CaldCommand
{
    private static readonly Argument<string[]> Folders = new("DIR")
    {
        Description = "Folders of cases: golden fixtures (expected.safetensors) and tokenizers (fixtures.jsonl), in them or below",
        Arity = ArgumentArity.OneOrMore,
    };

    public VerifyCommand()
        : base(
            "verify",
            "Compares this implementation with the results of PyTorch and transformers, a line for each case; exit code 1 when one is out of its budget.",
            "tests/fixtures",
            "tokenizers/roberta-base # tokenizer files with fixtures.jsonl beside them",
            "tests/fixtures --json")
    {
        Add(Folders);
        CommonOptions.AddCompute(this);
        Add(CommonOptions.Json);
    }

    public override int Execute(Session session)
    {
        Device device = RunOptions.DeviceOf(session);
        Precision precision = session.Arguments.GetValue(CommonOptions.Precision) ?? Precision.Fp32;
        bool pass = true;
        int compared = 0;
        foreach (CaseResult result in session.Arguments.GetRequiredValue(Folders).SelectMany(folder => FixtureVerifier.Verify(folder, device, precision)))
        {
            session.Terminal.Out.WriteLine(session.Json ? result.ToJson() : Line(result));
            compared += result.Skipped is null ? 1 : 0;
            pass &= result.Skipped is not null || result.Pass;
        }

        if (compared == 0)
            throw new CaldException("nothing was compared: every case is of a kind that this version does not have");
        return pass ? CommandLine.Done : CommandLine.Failed;
    }

    private static string Line(CaseResult result) => (result.Skipped is { } reason
        ? $"skip  {result.Case,-28} {reason}"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{(result.Pass ? "pass" : "FAIL")}  {result.Case,-28} {result.Device,-5} worst {result.Worst,-9:G3} budget {result.Budget,-6:G3} {result.Compared} compared  {result.Where}")).TrimEnd();
}
