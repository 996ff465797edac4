using System.Reflection;
using LinearCald.TestRunner;

// run-tests [--list] [--skip TEXT] [--marked] [TEXT …]: runs the tests whose full name contains one of the texts, on a machine that has a GPU but no SDK;
// with --marked also those that are marked as skipped for good.
List<string> wanted = [];
List<string> unwanted = [];
bool list = false;
bool marked = false;
for (int i = 0; i < args.Length; i++)
{
    if (args[i] == "--list")
        list = true;
    else if (args[i] == "--marked")
        marked = true;
    else if (args[i] == "--skip" && i + 1 < args.Length)
        unwanted.Add(args[++i]);
    else
        wanted.Add(args[i]);
}

Assembly[] assemblies = [Assembly.Load("LinearCald.Gpu.Tests"), Assembly.Load("LinearCald.Tensors.Cuda.Tests"), Assembly.Load("LinearCald.Distillation.Tests")];
TestCase[] cases =
[
    .. assemblies.SelectMany(TestCase.Find)
        .Where(c => wanted.Count == 0 || wanted.Any(w => c.Name.Contains(w, StringComparison.Ordinal)))
        .Where(c => !unwanted.Any(w => c.Name.Contains(w, StringComparison.Ordinal))),
];
if (list)
{
    foreach (TestCase c in cases)
        Console.WriteLine(c.Name);
    return 0;
}

int passed = 0, failed = 0, skipped = 0;
foreach (TestCase c in cases)
{
    TestOutcome outcome = c.Run(marked);
    switch (outcome.Kind)
    {
        case TestKind.Passed:
            passed++;
            break;
        case TestKind.Skipped:
            skipped++;
            Console.WriteLine($"skip  {c.Name}: {outcome.Message}");
            break;
        default:
            failed++;
            Console.WriteLine($"FAIL  {c.Name} ({outcome.Seconds:F1} s)\n{outcome.Message}");
            break;
    }
}

Console.WriteLine($"passed {passed}, failed {failed}, skipped {skipped}");
return failed == 0 ? 0 : 1;
