using System.CommandLine;
using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Cli.Commands;

/// <summary>`cald plan`: what a conversion would do.</summary>
internal sealed class PlanCommand : CaldCommand
{
    private static readonly Option<string?> Mode = ModeOption.Create();

    public PlanCommand()
        : base(
            "plan",
            "Shows what a conversion would do, without doing it: every tensor's fate, losses, updates, memory.",
            "demo --mode target",
            "glue/sst2 --mode source-init --data SST-2 --set model.source=roberta-base")
    {
        CommonOptions.AddRecipe(this);
        Add(Mode);
        CommonOptions.AddCompute(this);
        Add(CommonOptions.Json);
    }

    public override int Execute(Session session)
    {
        Recipe recipe = ModeOption.Apply(CommonOptions.LoadRecipe(session.Arguments), session.Arguments.GetValue(Mode));
        ConversionSession conversion = new(recipe, new SessionOptions { Device = RunOptions.DeviceOf(session), OnlyPlans = true });
        ConversionPlan plan = ConversionPlan.Of(recipe, conversion);
        TextWriter output = session.Terminal.Out;
        if (session.Json)
        {
            foreach (ParameterPlan parameter in plan.Parameters)
                output.WriteLine(parameter.ToJson());
            foreach (string name in plan.Unused)
                output.WriteLine(new JsonLine().Add("parameter", name).Add("fate", "not used"));
            foreach ((string name, string value) in plan.Facts)
                output.WriteLine(new JsonLine().Add("fact", name).Add("value", value));
            return CommandLine.Done;
        }

        TextTable table = new("parameter", "shape", "fate", "from", "decay", "frozen");
        foreach (ParameterPlan p in plan.Parameters)
            table.Add(p.Name, p.Shape, p.Fate, p.Origin, p.Decayed ? "yes" : "no", p.FrozenUpdates == 0 ? "no" : $"{p.FrozenUpdates} updates");
        output.WriteLine(table);
        if (plan.Unused.Count > 0)
            output.WriteLine($"not used of the source: {string.Join(", ", plan.Unused)}\n");
        int width = plan.Facts.Max(f => f.Name.Length);
        foreach ((string name, string value) in plan.Facts)
            output.WriteLine($"{name.PadRight(width)}  {value}");
        return CommandLine.Done;
    }
}
