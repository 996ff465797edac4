using LinearCald.Distillation.Recipes;

namespace LinearCald.Distillation.Tests.Recipes;

/// <summary>The embedded recipes as a set.</summary>
public sealed class RecipeLibraryTests
{
    [Fact]
    public void TheListIsComplete()
    {
        Assert.Equal(["demo", "glue/imdb", "glue/qnli", "glue/qqp", "glue/sst2", "imdb-small", "lm-demo", "lm-small", "lm/pile-05", "lm/pile-1", "lm/pile-2", "sections-small", "sections-tiny", "sentiment-small", "speaker-small", "speech-demo", "speech-small", "speech/slurp", "speech/tedlium", "speech/voxceleb1"], RecipeLibrary.Names);
        string[] modes = ["teacher", "unguided", "target", "source-init", "trajectory", "waypoint", "hybrid"];
        foreach (string task in (string[])["qnli", "qqp", "sst2", "imdb"])
            foreach (string mode in modes)
                Assert.Contains($"glue/{task}/{mode}", RecipeLibrary.AllNames());
    }

    [Fact]
    public void EveryOneLoadsDescribesItselfAndRoundTrips()
    {
        foreach (string name in RecipeLibrary.AllNames())
        {
            Recipe recipe = Recipe.Load(name);
            Assert.Equal(name, recipe.Name);
            Assert.NotEmpty(recipe.Description);
            Assert.Equal(recipe, Recipe.Parse(recipe.ToYaml()));
        }
    }

    [Theory]
    [InlineData("demo", "weights/roberta-tiny", 1e-3)]
    [InlineData("sections-tiny", "weights/roberta-tiny", 1e-3)]
    [InlineData("sections-small", "weights/roberta-small", 5e-4)]
    public void OurOwnStartWhereTheyShould(string name, string source, double teacherLr)
    {
        Recipe recipe = Recipe.Load(name);
        Assert.Equal(source, recipe.Model.Source);
        Assert.Equal((teacherLr, teacherLr), (recipe.Teacher.Lr, recipe.Variant("unguided").Training.Lr));
        Recipe target = recipe.Variant("target");
        Assert.Equal((2 * teacherLr, 20, 32, 3, 48),
            (target.Training.Lr, target.Guidance.AlphaLayer, target.Student.Rank, target.Training.Epochs, target.Task.MaxLength));
        Assert.Equal(ProjectionInit.Pool, recipe.Variant("unguided-pool").Student.ProjectionInit);
    }

    [Fact]
    public void UnknownNamesGetTheNearest()
    {
        Assert.Contains("did you mean 'demo'?", Assert.Throws<CaldException>(() => Recipe.Load("dmeo")).Message, StringComparison.Ordinal);
        Assert.Contains("did you mean 'glue/qnli/target'?", Assert.Throws<CaldException>(() => Recipe.Load("glue/qnli/targt")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kitten", "kitten", 0)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("lr", "rl", 1)]
    [InlineData("", "abc", 3)]
    [InlineData("Target", "target", 0)]
    public void EditDistance(string a, string b, int distance)
    {
        Assert.Equal(distance, NearestName.Distance(a, b));
        Assert.Equal(distance, NearestName.Distance(b, a));
    }
}
