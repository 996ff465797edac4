namespace LinearCald.Distillation.Recipes;

/// <summary>Rules that take more than one key.</summary>
internal static class RecipeRules
{
    /// <exception cref="CaldException">Two keys contradict each other; names both and says what to change.</exception>
    public static void Check(Recipe recipe)
    {
        Check(recipe, "teacher", recipe.Teacher);
        Check(recipe, "training", recipe.Training);
        if (!MetricsOf(recipe.Task).Contains(recipe.Task.Metric))
            throw Error(recipe, $"task.metric {RecipeSchema.NameOf(recipe.Task.Metric)} does not go with {WhatIs(recipe.Task)}, which has {string.Join(", ", MetricsOf(recipe.Task).Select(m => RecipeSchema.NameOf(m)))}");
        if (!recipe.Task.IsSpeech && recipe.Task.Targets.Count > 0)
            throw Error(recipe, $"task.targets is for speech; task.kind {RecipeSchema.NameOf(recipe.Task.Kind)} has one label");
        if (recipe.Task.Targets.Distinct().Count() != recipe.Task.Targets.Count)
            throw Error(recipe, "task.targets names a target twice");
        if (recipe.Task is { Kind: TaskKind.Megatron, Metric: TaskMetric.BitsPerByte })
            throw Error(recipe, "task.metric bits-per-byte needs the text, which task.kind megatron does not have; use perplexity");
        if (recipe.Task.Kind is not (TaskKind.Jsonl or TaskKind.Tsv or TaskKind.Corpus or TaskKind.Transcripts) && recipe.Task.TextColumns.Count > 0)
            throw Error(recipe, $"task.text_columns is for task.kind tsv, jsonl, corpus and transcripts; {RecipeSchema.NameOf(recipe.Task.Kind)} has columns of its own");
        if (recipe.Task.TextColumns.Count > 2)
            throw Error(recipe, $"task.text_columns names {recipe.Task.TextColumns.Count} columns; give one, or two for pairs");
        if (recipe.Task.Labels.Distinct().Count() != recipe.Task.Labels.Count)
            throw Error(recipe, "task.labels names a class twice");
        foreach (string name in recipe.Variants.Names)
            if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') || name.All(c => c == '.'))
                throw Error(recipe, $"variant '{name}': letters, digits, -, _ and . make the name of a variant, because its run folder is called so");
        foreach (string name in recipe.Variants.Names)
            if (!recipe.Variants[name].ContainsKey("guidance.mode") && Recipe.TryParseMode(name) is null)
                throw Error(recipe, $"variant '{name}' has no guidance.mode; set it, start it `like` another variant, or name it after a mode ({Recipe.ModeNames})");
    }

    private static void Check(Recipe recipe, string section, OptimisationRecipe run)
    {
        if (run.BatchSize % run.GradientAccumulation != 0)
            throw Error(recipe, $"{section}.gradient_accumulation {run.GradientAccumulation} does not divide {section}.batch_size {run.BatchSize}");
        if (run.Schedule == ScheduleKind.Exponential && run.FinalLr <= 0)
            throw Error(recipe, $"{section}.schedule exponential needs {section}.final_lr above 0");
        if (run.FinalLr > run.Lr)
            throw Error(recipe, $"{section}.final_lr {run.FinalLr} is above {section}.lr {run.Lr}");
    }

    private static TaskMetric[] MetricsOf(TaskRecipe task) =>
        task.IsLanguage ? [TaskMetric.Perplexity, TaskMetric.BitsPerByte]
        : task.IsRecognition ? [TaskMetric.Wer, TaskMetric.Cer]
        : task.IsSpeech ? [TaskMetric.Accuracy, TaskMetric.JointAccuracy]
        : [TaskMetric.Accuracy, TaskMetric.F1, TaskMetric.Matthews];

    private static string WhatIs(TaskRecipe task)
    {
        string kind = $"task.kind {RecipeSchema.NameOf(task.Kind)}";
        return task.IsLanguage ? kind + " (a language model)"
            : task.IsRecognition ? kind + " (speech recognition; task.targets makes it classification)"
            : task.IsSpeech ? kind + " with task.targets (speech classification)"
            : kind + " (classification)";
    }

    private static CaldException Error(Recipe recipe, string message) => new($"recipe {recipe.Name}: {message}");
}
