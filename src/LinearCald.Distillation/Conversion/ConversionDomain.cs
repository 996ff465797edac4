using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Nn;
using LinearCald.Nn.Files;

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

    /// <summary>Adds the tokenizer, and a README in the form of a model card, to a model folder that is being written.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="recipe">What was run.</param>
    /// <param name="stage">Which of its models this is.</param>
    /// <param name="model">The model.</param>
    public void Furnish(string folder, Recipe recipe, string stage, TaskModel model)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(recipe);
        SaveTokenizer(folder);
        AtomicFile.WriteText(Path.Combine(folder, "README.md"), CardOf(model, recipe).ToMarkdown(recipe, stage));
    }

    /// <summary>Writes the source's tokenizer, or what stands for one, into a folder.</summary>
    protected abstract void SaveTokenizer(string folder);

    /// <summary>What the card of one of the recipe's models says.</summary>
    protected abstract ModelCard CardOf(TaskModel model, Recipe recipe);
}
