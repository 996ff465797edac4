using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Distillation.Recipes;

namespace LinearCald.Distillation.Tests.Recipes;

/// <summary>Writing and reading are inverse for any recipe, not just those that somebody thought of.</summary>
public sealed class RecipeRoundTripTests
{
    private static Gen<string> Texts { get; } = ArbMap.Default.GeneratorFor<string?>()
        .Select(text => new string([.. (text ?? "").EnumerateRunes().Where(rune => rune != Rune.ReplacementChar).SelectMany(rune => rune.ToString())]));

    private static Gen<double> Numbers(double max) => Gen.Choose(0, int.MaxValue).Select(n => n / (double)int.MaxValue * max);

    private static Gen<T> Any<T>()
        where T : struct, Enum => Gen.Elements(Enum.GetValues<T>());

    private static Gen<Recipe> Recipes { get; } =
        from texts in Texts.ListOf(6)
        from numbers in Numbers(1).ListOf(6)
        from whole in Gen.Choose(1, 100_000).ListOf(4)
        from flag in ArbMap.Default.GeneratorFor<bool>()
        from mode in Any<GuidanceMode>()
        from convention in Any<LossConvention>()
        from entries in Any<LayerEntries>()
        from share in Any<ShareMode>()
        select new Recipe
        {
            Name = texts[0],
            Description = texts[1],
            Faithful = flag,
            Task = new TaskRecipe { Kind = TaskKind.Tsv, Data = flag ? null : texts[2], LabelColumn = texts[3], Labels = new NameList([.. texts.Distinct()]) },
            Model = new ModelRecipe { Source = texts[4] },
            Student = new StudentRecipe { Rank = whole[0] % 65_536 + 1, ShareMode = share, InitNoise = numbers[0] },
            Teacher = new TeacherRecipe { Lr = numbers[1], Checkpoint = texts[5], Dropout = flag ? numbers[2] * 0.99 : null },
            Training = new TrainingRecipe { Lr = numbers[3], BatchSize = whole[1], WarmupSteps = flag ? whole[2] : null, Seed = whole[3] },
            Guidance = new GuidanceRecipe { Mode = mode, Convention = convention, Entries = entries, AlphaLayer = numbers[4] * 1e9, KlBetaSquared = flag },
        };

    [Fact]
    public void YamlReadsBackToTheSameRecipe() => Prop.ForAll(
        Recipes.ToArbitrary(),
        recipe => recipe.Equals(Recipe.Parse(recipe.ToYaml()))).Holds();

    [Fact]
    public void AnyNumberSetIsTheNumberRead() => Prop.ForAll(
        Numbers(100).ToArbitrary(),
        lr => Recipe.Parse("", "recipe", $"training.lr={lr.ToString("R", CultureInfo.InvariantCulture)}").Training.Lr == lr).Holds();

    [Fact]
    public void AnyTextEitherIsARecipeOrOneClearError() => Prop.ForAll(
        Gen.OneOf(Texts, Mutations()).ToArbitrary(),
        text =>
        {
            try
            {
                return Recipe.Parse(text) is not null;
            }
            catch (CaldException e)
            {
                return e.Message.Length > 0;
            }
        }).Holds(2_000);

    // A written recipe with one stretch replaced by something else.
    private static Gen<string> Mutations()
    {
        string yaml = Recipe.Load("glue/qnli").ToYaml();
        return from start in Gen.Choose(0, yaml.Length - 1)
               from length in Gen.Choose(0, 12)
               from patch in Gen.Elements("", "\n", ":", "- ", "{", "]", "\"", "&a ", "null", "-1", "\t", "? ", "!!int ", "|\n", "%")
               select yaml[..start] + patch + yaml[Math.Min(yaml.Length, start + length)..];
    }
}
