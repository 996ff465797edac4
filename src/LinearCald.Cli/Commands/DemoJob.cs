using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Recipes;

namespace LinearCald.Cli.Commands;

/// <summary>One of the main jobs that `cald demo` shows.</summary>
internal abstract class DemoJob
{
    /// <summary>The jobs by the name that the command line has for them.</summary>
    public static IReadOnlyDictionary<string, DemoJob> All { get; } = new Dictionary<string, DemoJob> { ["text"] = new Text(), ["lm"] = new Language(), ["speech"] = new Speech() };

    /// <summary>Name of the embedded recipe.</summary>
    public abstract string Recipe { get; }

    /// <summary>Rows that are run unless all are asked for.</summary>
    public abstract IReadOnlyList<string> Variants { get; }

    /// <summary>What is about to happen.</summary>
    public abstract string Announce(Recipe recipe);

    /// <summary>What the table says, in a sentence or two.</summary>
    /// <param name="value">The metric of a row by its name.</param>
    public abstract string Explain(Func<string, double> value);

    /// <summary>How fast teacher and student are.</summary>
    /// <param name="output">Prints the table.</param>
    /// <param name="recipe">Names the source.</param>
    /// <param name="teacher">Model folder of the teacher's run.</param>
    /// <param name="student">The converted model's folder.</param>
    public abstract void Speed(ComparisonOutput output, Recipe recipe, string teacher, string student);

    /// <summary>What one can do with the converted model; empty for nothing beyond what is printed already.</summary>
    public virtual string Next(string student) => "";

    private sealed class Text : DemoJob
    {
        public override string Recipe => "demo";

        public override IReadOnlyList<string> Variants => ["unguided", "target", "target-pool"];

        public override string Announce(Recipe recipe) => $"RoBERTa (tiny) → Linformer of rank {recipe.Student.Rank} on {recipe.Task.MaxLength}-token package descriptions";

        public override string Explain(Func<string, double> value) =>
            $"The guided student (target) is {100 * (value("teacher") - value("target")):F1} points below its teacher and {100 * (value("target") - value("unguided")):F1} above the unguided one.\n"
            + "Rows named -pool start the projections as averages of neighbouring positions, which is not in the paper.\n";

        public override void Speed(ComparisonOutput output, Recipe recipe, string teacher, string student) => output.ClassifierSpeed(teacher, student, [128, 512], batch: 8);
    }

    private sealed class Language : DemoJob
    {
        public override string Recipe => "lm-demo";

        public override IReadOnlyList<string> Variants => ["unguided", "target"];

        public override string Announce(Recipe recipe) => $"Pythia (tiny) → Mamba of state {recipe.Student.StateSize} on rows of {recipe.Task.MaxLength} tokens of two novels";

        public override string Explain(Func<string, double> value) =>
            $"Perplexity, lower is better: the guided student (target) has {value("target") / value("teacher"):F2} times its teacher's, the unguided one {value("unguided") / value("teacher"):F2} times.\n";

        public override void Speed(ComparisonOutput output, Recipe recipe, string teacher, string student) =>
            output.ReadingSpeed(ModelSource.Resolve(recipe.Model.Source), student, [512, 2048, 8192]);

        public override string Next(string student) => $"; try: cald generate --model {student} \"It was\"";
    }

    private sealed class Speech : DemoJob
    {
        public override string Recipe => "speech-demo";

        public override IReadOnlyList<string> Variants => ["unguided", "target"];

        public override string Announce(Recipe recipe) => $"Wav2Vec2 (tiny) → a Mamba-2 in each direction, state {recipe.Student.StateSize}, on spoken digits";

        public override string Explain(Func<string, double> value) =>
            $"Word error rate, lower is better: the guided student (target) makes {100 * value("target"):F1} errors in 100 words, its teacher {100 * value("teacher"):F1}, the unguided student {100 * value("unguided"):F1}.\n";

        public override void Speed(ComparisonOutput output, Recipe recipe, string teacher, string student) => output.ListeningSpeed(teacher, student, [10, 60, 240]);

        public override string Next(string student) => $"; try: cald transcribe --model {student} FILE.wav";
    }
}
