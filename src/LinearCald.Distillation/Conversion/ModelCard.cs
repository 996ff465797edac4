using LinearCald.Distillation.Recipes;

namespace LinearCald.Distillation.Conversion;

/// <summary>What a model's card says beside its recipe.</summary>
/// <param name="Pipeline">HuggingFace's name of the task.</param>
/// <param name="What">The model in a few words.</param>
/// <param name="Facts">Lines of a list.</param>
/// <param name="Next">What one does with it.</param>
public sealed record ModelCard(string Pipeline, string What, IReadOnlyList<string> Facts, string Next)
{
    /// <summary>The card as a README.</summary>
    /// <param name="recipe">What was run.</param>
    /// <param name="stage">Which of its models this is.</param>
    public string ToMarkdown(Recipe recipe, string stage)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return $"""
            ---
            library_name: linearcald
            pipeline_tag: {Pipeline}
            ---
            # {recipe.Name}: {stage}

            {What}. Made by LinearCald (Cross-Architecture Layerwise Distillation, He and Garner, arXiv 2410.06846) from `{recipe.Model.Source}`.

            {string.Join('\n', Facts.Select(fact => "- " + fact))}

            The recipe is `recipe.yaml` of the run folder. {Next}

            """;
    }
}
