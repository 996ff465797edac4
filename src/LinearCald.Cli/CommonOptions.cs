using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using LinearCald.Distillation.Recipes;

namespace LinearCald.Cli;

/// <summary>Options that mean the same in every command that has them.</summary>
internal static class CommonOptions
{
    public static Option<bool> Json { get; } = new("--json") { Description = "Print results as JSON, one object a line" };

    public static Option<bool> Quiet { get; } = new("--quiet") { Description = "No progress and no notes on standard error", Recursive = true };

    public static Option<bool> Verbose { get; } = new("--verbose") { Description = "Show where in the program an error came from", Recursive = true };

    public static Argument<string[]> Recipes { get; } = new("RECIPE")
    {
        Description = "Recipe files or names of embedded recipes (see `cald recipes`), merged from left to right",
        Arity = ArgumentArity.OneOrMore,
    };

    public static Option<string[]> Set { get; } = new("--set")
    {
        Description = "Change one key of the recipe, for example --set training.lr=2e-3; may be repeated",
        HelpName = "KEY=VALUE",
        AllowMultipleArgumentsPerToken = false,
        Arity = ArgumentArity.OneOrMore,
    };

    public static Option<string?> Data { get; } = new("--data") { Description = "Data folder; short for --set task.data=DIR", HelpName = "DIR" };

    public static Option<int?> Seed { get; } = WholeNumber("--seed", "Seed of teacher and student", 0, int.MaxValue);

    public static Option<string> Device { get; } = new("--device")
    {
        Description = "Where to compute: cpu, cuda (the first GPU), cuda:N, or debug (the GPU's kernels on CPU threads, every access checked)",
        HelpName = "DEVICE",
        DefaultValueFactory = _ => "cpu",
        CustomParser = result => LinearCald.Tensors.Device.IsName(result.Tokens[0].Value) ? result.Tokens[0].Value : Refuse<string>(result, LinearCald.Tensors.Device.Names),
    };

    public static Option<int?> Threads { get; } =
        WholeNumber("--threads", "Threads of the CPU kernels, by default one a core; results do not depend on it", 1, 1024);

    public static Option<Precision?> Precision { get; } = new("--precision")
    {
        Description = "Number format of products and activations: fp32; on a GPU also tf32, bf16, fp16. Weights, norms, softmax and losses stay fp32",
        HelpName = "FORMAT",
        CustomParser = result => Enum.GetValues<Precision>().Cast<Precision?>().FirstOrDefault(p => RecipeSchema.NameOf(p!) == result.Tokens[0].Value)
            ?? Refuse<Precision?>(result, string.Join(", ", Enum.GetValues<Precision>().Select(p => RecipeSchema.NameOf(p)))),
    };

    public static Option<string?> Out { get; } = new("--out") { Description = "Run folder to write (default: runs/NAME, with a number when that is taken)", HelpName = "DIR" };

    public static Option<bool> Resume { get; } = new("--resume") { Description = "Go on from the newest checkpoint in the run folder" };

    /// <summary>RECIPE…, --set, --data and --seed; read them with <see cref="LoadRecipe"/>.</summary>
    public static void AddRecipe(Command command)
    {
        command.Add(Recipes);
        AddOverrides(command);
    }

    /// <summary>--set, --data and --seed, for a command whose recipe is not an argument.</summary>
    public static void AddOverrides(Command command)
    {
        command.Add(Set);
        command.Add(Data);
        command.Add(Seed);
    }

    /// <summary>--device, --threads and --precision.</summary>
    public static void AddCompute(Command command)
    {
        command.Add(Device);
        command.Add(Threads);
        command.Add(Precision);
    }

    /// <summary>--out and --resume.</summary>
    public static void AddRun(Command command)
    {
        command.Add(Out);
        command.Add(Resume);
    }

    /// <summary>The merged recipe with --data, --seed, --precision and then --set applied: --set has the last word.</summary>
    /// <param name="arguments">Of a command that had <see cref="AddRecipe"/> or <see cref="AddOverrides"/>.</param>
    /// <param name="sources">Recipes instead of the arguments.</param>
    public static Recipe LoadRecipe(ParseResult arguments, params IReadOnlyList<string> sources) =>
        Recipe.Load(sources.Count > 0 ? sources : arguments.GetValue(Recipes) ?? [], Overrides(arguments));

    private static List<string> Overrides(ParseResult arguments)
    {
        List<string> overrides = [];
        if (Has(arguments, Data))
            overrides.Add($"task.data={arguments.GetValue(Data)}");
        if (Has(arguments, Seed) && arguments.GetValue(Seed) is { } seed)
            overrides.AddRange($"teacher.seed={seed}", $"training.seed={seed}");
        if (Has(arguments, Precision) && arguments.GetValue(Precision) is { } precision)
            overrides.AddRange($"teacher.precision={RecipeSchema.NameOf(precision)}", $"training.precision={RecipeSchema.NameOf(precision)}");
        overrides.AddRange(arguments.GetValue(Set) ?? []);
        return overrides;
    }

    private static bool Has(ParseResult arguments, Option option) => arguments.GetResult(option) is { Implicit: false };

    /// <summary>An option that takes a whole number between bounds and says so when given anything else.</summary>
    public static Option<int?> WholeNumber(string name, string description, int min, int max) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result =>
            int.TryParse(result.Tokens[0].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) && number >= min && number <= max
                ? number
                : Refuse<int?>(result, $"a whole number from {min} {(max < int.MaxValue || IsAboveInt32(result.Tokens[0].Value) ? $"to {max}" : "up")}"),
    };

    /// <summary>Lets an option take one of a few words, and says which when given anything else.</summary>
    public static void AcceptOnly<T>(Option<T> option, params string[] words)
        where T : class? => option.CustomParser = result =>
            words.Contains(result.Tokens[0].Value) ? (T)(object)result.Tokens[0].Value : Refuse<T>(result, string.Join(", ", words));

    private static bool IsAboveInt32(string text) =>
        BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out BigInteger number) && number > int.MaxValue;

    /// <summary>An option that takes a number between bounds and says so when given anything else.</summary>
    public static Option<double?> Number(string name, string description, string help, double min, double max) => new(name)
    {
        Description = description,
        HelpName = help,
        CustomParser = result =>
            double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number >= min && number <= max
                ? number
                : Refuse<double?>(result, string.Create(CultureInfo.InvariantCulture, $"a number from {min} to {max}")),
    };

    internal static T? Refuse<T>(ArgumentResult result, string allowed)
    {
        result.AddError($"{(result.Parent as OptionResult)?.Option.Name}: '{result.Tokens[0].Value}' is not allowed; give {allowed}");
        return default;
    }
}
