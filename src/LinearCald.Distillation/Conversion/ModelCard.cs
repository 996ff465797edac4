using System.Globalization;
using LinearCald.Data.Tokenizers;
using LinearCald.Distillation.Recipes;
using LinearCald.Models.Roberta;
using LinearCald.Nn.Files;

namespace LinearCald.Distillation.Conversion;

/// <summary>What a saved model folder holds beside config and weights: the tokenizer's files and a README.</summary>
internal static class ModelCard
{
    public static void Furnish(string folder, Tokenizer tokenizer, Recipe recipe, string stage, RobertaForSequenceClassification model)
    {
        tokenizer.Save(folder);
        AtomicFile.WriteText(Path.Combine(folder, "README.md"), Text(recipe, stage, model));
    }

    private static string Text(Recipe recipe, string stage, RobertaForSequenceClassification model)
    {
        RobertaConfig c = model.Config;
        string what = c.Linformer is { } l
            ? string.Create(CultureInfo.InvariantCulture, $"Linformer student (rank {l.Rank}, projections shared: {l.Sharing.ToString().ToLowerInvariant()}), cost linear in length")
            : "RoBERTa transformer, fine-tuned";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            ---
            library_name: linearcald
            pipeline_tag: text-classification
            ---
            # {recipe.Name}: {stage}

            {what}. Made by LinearCald (Cross-Architecture Layerwise Distillation, He and Garner, arXiv 2410.06846) from `{recipe.Model.Source}`.

            - {c.Layers} layers, width {c.HiddenSize}, {c.Heads} heads, {model.ParameterCount():N0} parameters
            - longest training text {recipe.Task.MaxLength} tokens
            - classes: {string.Join(", ", c.Labels)}

            The recipe is `recipe.yaml` of the run folder. Evaluate with `cald eval --model FOLDER --task RECIPE`.

            """);
    }
}
