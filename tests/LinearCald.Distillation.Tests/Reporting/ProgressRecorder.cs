using LinearCald.Distillation.Reporting;

namespace LinearCald.Distillation.Tests.Reporting;

/// <summary>Keeps the news of a run and passes its reports on.</summary>
internal sealed class ProgressRecorder : IProgressSink
{
    public List<string> Lines { get; } = [];

    public Action<StepReport>? OnStep { get; init; }

    public Action<EvaluationReport>? OnEvaluation { get; init; }

    public void Report(in StepReport step) => OnStep?.Invoke(step);

    public void Report(in EvaluationReport evaluation) => OnEvaluation?.Invoke(evaluation);

    public void Note(string line) => Lines.Add(line);
}
