using LinearCald.Data.Tasks.Files;

namespace LinearCald.Data.ZeroShot.Forms;

/// <summary>PIQA: <c>{goal, sol1, sol2, label}</c>.</summary>
internal sealed class PiqaForm : QuestionForm
{
    public override IReadOnlyList<string> Fields { get; } = ["goal", "sol1", "sol2", "label"];

    public override Question Read(JsonRow row) =>
        Choose($"Question: {row.Text("goal")}\nAnswer:", [row.Text("sol1"), row.Text("sol2")], row.Integer("label"));
}

/// <summary>WinoGrande: <c>{sentence, option1, option2, answer}</c> with a blank <c>_</c> in the sentence and the answer 1 or 2.</summary>
internal sealed class WinograndeForm : QuestionForm
{
    public override IReadOnlyList<string> Fields { get; } = ["sentence", "option1", "option2", "answer"];

    public override Question Read(JsonRow row)
    {
        string sentence = row.Text("sentence");
        int blank = sentence.IndexOf('_', StringComparison.Ordinal);
        if (blank < 0)
            throw new CaldException($"{row.Place}: no blank (_) in the sentence");
        string before = sentence[..blank];
        return ChooseContext([before + row.Text("option1"), before + row.Text("option2")], sentence[(blank + 1)..].Trim(), row.Integer("answer") - 1);
    }
}

/// <summary>SciQ: <c>{question, correct_answer, distractor1, distractor2, distractor3, support}</c>; the right choice comes last.</summary>
internal sealed class SciqForm : QuestionForm
{
    public override IReadOnlyList<string> Fields { get; } = ["question", "correct_answer", "distractor1", "distractor2", "distractor3"];

    public override Question Read(JsonRow row)
    {
        string support = row.Has("support") ? row.Text("support").TrimStart() : "";
        return Choose(
            $"{support}\nQuestion: {row.Text("question")}\nAnswer:",
            [row.Text("distractor1"), row.Text("distractor2"), row.Text("distractor3"), row.Text("correct_answer")],
            3);
    }
}

/// <summary>
/// ARC: <c>{question, choices: {text: […], label: […]}, answerKey}</c>, or as first published
/// <c>{question: {stem, choices: [{text, label}]}, answerKey}</c>.
/// </summary>
internal sealed class ArcForm : QuestionForm
{
    public override IReadOnlyList<string> Fields { get; } = ["question", "answerKey"];

    public override Question Read(JsonRow row)
    {
        string stem;
        IReadOnlyList<string> texts, labels;
        if (row.HasObject("question"))
        {
            JsonRow question = row.Object("question");
            IReadOnlyList<JsonRow> choices = question.Objects("choices");
            (stem, texts, labels) = (question.Text("stem"), [.. choices.Select(c => c.Text("text"))], [.. choices.Select(c => c.Text("label"))]);
        }
        else
        {
            JsonRow choices = row.Object("choices");
            (stem, texts, labels) = (row.Text("question"), choices.Texts("text"), choices.Texts("label"));
        }

        if (texts.Count != labels.Count)
            throw new CaldException($"{row.Place}: {texts.Count} choices and {labels.Count} labels");
        string key = row.Text("answerKey");
        int gold = labels.ToList().IndexOf(key);
        return gold >= 0
            ? Choose($"Question: {stem}\nAnswer:", texts, gold)
            : throw new CaldException($"{row.Place}: the answer key {key} is none of the labels {string.Join(", ", labels)}");
    }
}

/// <summary>LogiQA: <c>{context, question, options, label}</c>; the label is a letter from a, or a number from 0.</summary>
internal sealed class LogiqaForm : QuestionForm
{
    public override IReadOnlyList<string> Fields { get; } = ["context", "question", "options", "label"];

    public override Question Read(JsonRow row)
    {
        IReadOnlyList<string> options = row.Texts("options");
        string listed = string.Concat(options.Select((option, i) => $"{(char)('A' + i)}. {option}\n"));
        return Choose($"Passage: {row.Text("context")}\nQuestion: {row.Text("question")}\nChoices:\n{listed}Answer:", options, Label(row));
    }

    private static int Label(JsonRow row) =>
        row.HasText("label") && row.Text("label") is [char letter] && char.IsAsciiLetter(letter) ? char.ToLowerInvariant(letter) - 'a' : row.Integer("label");
}

/// <summary>LAMBADA: <c>{text}</c>; the last word, from the last blank on, is to be guessed.</summary>
internal sealed class LambadaForm : QuestionForm
{
    public override IReadOnlyList<string> Fields { get; } = ["text"];

    public override Question Read(JsonRow row)
    {
        string text = row.Text("text");
        int blank = text.LastIndexOf(' ');
        if (blank < 0 || blank == text.Length - 1)
            throw new CaldException($"{row.Place}: the text needs at least two words, and no blank at its end");
        string word = text[(blank + 1)..];
        return new Question([new ZeroShotCandidate(text[..blank], Delimiter + word, Length(word))], null);
    }
}
