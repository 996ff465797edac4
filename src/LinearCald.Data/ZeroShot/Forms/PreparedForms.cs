using LinearCald.Data.Tasks.Files;

namespace LinearCald.Data.ZeroShot.Forms;

/// <summary><c>{context, continuation}</c>: a greedy match, as LAMBADA with the last word cut off.</summary>
internal sealed class CompletionForm : QuestionForm
{
    public override IReadOnlyList<string> Fields { get; } = ["context", "continuation"];

    public override Question Read(JsonRow row)
    {
        // Some files keep the blank before the continuation, and some a line's end behind it.
        string continuation = row.Text("continuation").Trim();
        return new Question([new ZeroShotCandidate(row.Text("context").TrimEnd(), Delimiter + continuation, Length(continuation))], null);
    }
}

/// <summary><c>{context_options, continuation, gold}</c>: contexts to choose from, as in Winograd schemas.</summary>
internal sealed class ContextOptionsForm : QuestionForm
{
    public override IReadOnlyList<string> Fields { get; } = ["context_options", "continuation", "gold"];

    public override Question Read(JsonRow row) =>
        ChooseContext(row.Texts("context_options").Select(context => context.TrimEnd()), row.Text("continuation").Trim(), row.Integer("gold"));
}

/// <summary>
/// <c>{query, choices, gold}</c>. Queries that begin with a heading (<c>Question:</c>, <c>Passage:</c>, <c>Context:</c>) get the harness's
/// <c>Answer:</c> on a line of its own unless they end in it; others (a sentence to go on with) stay as they are.
/// </summary>
internal sealed class QueryForm : QuestionForm
{
    private const string Answer = "Answer:";

    private static readonly string[] Headings = ["Question:", "Passage:", "Context:"];

    public override IReadOnlyList<string> Fields { get; } = ["query", "choices", "gold"];

    public override Question Read(JsonRow row)
    {
        string query = row.Text("query").TrimEnd();
        bool headed = Headings.Any(heading => query.StartsWith(heading, StringComparison.Ordinal));
        string context = headed && !query.EndsWith(Answer, StringComparison.Ordinal) ? $"{query}\n{Answer}" : query;
        return Choose(context, row.Texts("choices").Select(choice => choice.Trim()), row.Integer("gold"));
    }
}
