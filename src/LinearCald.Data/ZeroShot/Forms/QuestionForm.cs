using LinearCald.Data.Tasks.Files;

namespace LinearCald.Data.ZeroShot.Forms;

/// <summary>What a line of a task's file says.</summary>
/// <param name="Candidates">The choices.</param>
/// <param name="Gold">The right one, as the file has it; null for a completion. Not checked yet.</param>
internal readonly record struct Question(IReadOnlyList<ZeroShotCandidate> Candidates, int? Gold);

/// <summary>A way to write a question as a JSON object, and the prompt that lm-eval 0.4.3 makes of it.</summary>
internal abstract class QuestionForm
{
    /// <summary>What the harness puts between context and continuation.</summary>
    protected const string Delimiter = " ";

    /// <summary>The fields that tell this form from the others.</summary>
    public abstract IReadOnlyList<string> Fields { get; }

    /// <exception cref="CaldException">A field is missing or of another type.</exception>
    public abstract Question Read(JsonRow row);

    /// <summary>One context, several continuations.</summary>
    protected static Question Choose(string context, IEnumerable<string> choices, int gold) =>
        new([.. choices.Select(choice => new ZeroShotCandidate(context, Delimiter + choice, Length(choice)))], gold);

    /// <summary>Several contexts, one continuation.</summary>
    protected static Question ChooseContext(IEnumerable<string> contexts, string continuation, int gold) =>
        new([.. contexts.Select(context => new ZeroShotCandidate(context, Delimiter + continuation, Length(context)))], gold);

    /// <summary>The length of a text as Python counts it.</summary>
    protected static int Length(string text) => text.Length - text.Where((c, i) => i > 0 && char.IsSurrogatePair(text[i - 1], c)).Count();
}
