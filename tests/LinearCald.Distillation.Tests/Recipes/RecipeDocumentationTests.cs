using System.Text;
using LinearCald.Distillation.Recipes;

namespace LinearCald.Distillation.Tests.Recipes;

/// <summary>docs/recipes.md says what the program does.</summary>
public sealed class RecipeDocumentationTests
{
    private static string Page() => File.ReadAllText(TestFiles.InCheckout("docs/recipes.md")).ReplaceLineEndings("\n");

    [Fact]
    public void TheTablesOfKeysAreThoseOfTheProgram()
    {
        StringBuilder tables = new("## Keys\n");
        foreach (string? section in RecipeSchema.Keys.Select(key => key.Section).Distinct())
        {
            tables.Append($"\n### {(section is null ? "At the top" : $"`{section}`")}\n\n| key | default | takes | meaning |\n|---|---|---|---|\n");
            foreach (RecipeKey key in RecipeSchema.Keys.Where(key => key.Section == section))
                tables.Append($"| `{key.Name}` | `{key.Default}` | {key.Allowed} | {key.Meaning} |\n");
        }

        // When keys change, paste the printed text over the end of the page.
        Assert.True(Page().EndsWith(tables.ToString(), StringComparison.Ordinal), $"docs/recipes.md should end with:\n{tables}");
    }

    [Theory]
    [InlineData(LossConvention.Nlp, 2)]
    [InlineData(LossConvention.Lm, 3)]
    [InlineData(LossConvention.Speech, 4)]
    [InlineData(LossConvention.Masked, 5)]
    public void TheTableOfConventionsIsThatOfTheProgram(LossConvention convention, int column)
    {
        string[] rows = [.. Page().Split('\n').SkipWhile(line => !line.StartsWith("| key | `nlp`", StringComparison.Ordinal)).Skip(2).Take(7)];
        Recipe recipe = Recipe.Parse($"guidance: {{ convention: {RecipeSchema.NameOf(convention)} }}");
        foreach (string row in rows)
        {
            string[] cells = [.. row.Split('|').Select(cell => cell.Trim(' ', '`'))];
            RecipeKey key = RecipeSchema.Find("guidance." + cells[1], "docs");
            Assert.Equal(cells[column], RecipeKey.Format(key.Get(recipe)));
        }
    }
}
