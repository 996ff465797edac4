using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Nn;

namespace LinearCald.Distillation.Conversion;

/// <summary>
/// What differs between kinds of conversion: how the source is read, what guides, what the student is, and what the task's data are. One implementation for
/// each family of source models.
/// </summary>
public abstract class ConversionDomain
{
    /// <summary>The task's data.</summary>
    public abstract TrainingData Data { get; }

    /// <summary>Layers of the source.</summary>
    public abstract int Layers { get; }

    /// <summary>Whether training makes a new head, so that a teacher must be fine-tuned before it can guide; a language model guides as it is.</summary>
    public abstract bool HasNewHead { get; }

    /// <summary>What the task's loss is called in plans.</summary>
    public abstract string TaskLoss { get; }

    /// <summary>The size of the data, for plans.</summary>
    public abstract string DataSize { get; }

    /// <summary>The source model, ready for the task: its body from the folder, a new head where the task needs one.</summary>
    public abstract TaskModel LoadSource(OptimisationRecipe recipe, BuildContext context);

    /// <summary>Reads a model that guides, and makes sure that it fits the task and the student.</summary>
    /// <exception cref="CaldException">It does not fit.</exception>
    public abstract TaskModel LoadTeacher(string folder, BuildContext context);

    /// <summary>The student of a transformer, as a recipe asks for it.</summary>
    public abstract TaskModel Convert(TaskModel transformer, Recipe recipe, BuildContext context);

    /// <summary>The student with nothing loaded, for plans.</summary>
    public abstract TaskModel Blank(Recipe recipe, BuildContext context);

    /// <summary>Whether a parameter belongs to a head that the source does not have.</summary>
    public abstract bool IsHead(string parameter);

    /// <summary>How a new parameter of the student starts, in words.</summary>
    public abstract string StartOf(string parameter, Recipe recipe);

    /// <summary>Values that the student's activations take in a step, roughly.</summary>
    public abstract long ActivationsOf(Recipe recipe);

    /// <summary>What kind of start the student's new parameters have, to tell rows apart; null where there is only one.</summary>
    public virtual string? StartName(Recipe recipe) => null;

    /// <summary>Adds the tokenizer and a card to a model folder that is being written.</summary>
    public abstract void Furnish(string folder, Recipe recipe, string stage, TaskModel model);

    /// <summary>Tokenizer files and a README in the form of a model card.</summary>
    /// <param name="folder">The folder that is being written.</param>
    /// <param name="saveTokenizer">Writes the source's tokenizer into a folder.</param>
    /// <param name="recipe">What was run.</param>
    /// <param name="stage">Which of its models this is.</param>
    /// <param name="pipeline">HuggingFace's name of the task.</param>
    /// <param name="what">The model in a few words.</param>
    /// <param name="facts">Lines of a list.</param>
    /// <param name="next">What one does with it.</param>
    protected static void Furnish(string folder, Action<string> saveTokenizer, Recipe recipe, string stage, string pipeline, string what, IEnumerable<string> facts, string next)
    {
        ArgumentNullException.ThrowIfNull(saveTokenizer);
        ArgumentNullException.ThrowIfNull(recipe);
        saveTokenizer(folder);
        string card = $"""
            ---
            library_name: linearcald
            pipeline_tag: {pipeline}
            ---
            # {recipe.Name}: {stage}

            {what}. Made by LinearCald (Cross-Architecture Layerwise Distillation, He and Garner, arXiv 2410.06846) from `{recipe.Model.Source}`.

            {string.Join('\n', facts.Select(fact => "- " + fact))}

            The recipe is `recipe.yaml` of the run folder. {next}

            """;
        Nn.Files.AtomicFile.WriteText(Path.Combine(folder, "README.md"), card);
    }
}
