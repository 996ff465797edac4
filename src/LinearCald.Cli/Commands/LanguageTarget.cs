using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Scoring;

namespace LinearCald.Cli.Commands;

/// <summary>A language model under evaluation.</summary>
/// <param name="Session">Where to print.</param>
/// <param name="Request">What was asked for.</param>
/// <param name="Scorer">The model.</param>
/// <param name="Encoder">Its tokenizer.</param>
/// <param name="Against">Answers to compare with.</param>
internal sealed record LanguageTarget(Session Session, LanguageEvaluation.Request Request, TokenScorer Scorer, RequestEncoder Encoder, PredictionFile? Against)
{
    /// <summary>The beginning of a row of results. A model without a limit of positions is called a student.</summary>
    public JsonLine Row(string task, string metric, double value) => new JsonLine()
        .Add("task", task).Add("mode", Scorer.Model.MaximumPositions is null ? "student" : "teacher").Add("metric", metric).Add("value", value)
        .Add("parameters", Scorer.Model.ParameterCount());
}
