using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;
using LinearCald.Models.GptNeoX;
using LinearCald.Models.Language;
using LinearCald.Models.Roberta;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Cli.Commands;

/// <summary>Runs a comparison and prints its rows as they come, its table, and the speed of teacher and student.</summary>
internal sealed class ComparisonOutput
{
    private readonly Session _session;
    private readonly Recipe _recipe;
    private readonly string _folder;

    public ComparisonOutput(Session session, Recipe recipe, string folder)
    {
        _session = session;
        _recipe = recipe;
        _folder = folder;
    }

    /// <summary>Runs the variants for all seeds.</summary>
    public IReadOnlyList<ResultRow> Run(IReadOnlyList<string> variants, IReadOnlyList<int> seeds)
    {
        StopRequest stop = new();
        using ConsoleProgress progress = _session.Progress();
        using Interrupts interrupts = _session.HandleInterrupts(stop);
        Comparison comparison = new(_recipe, RunOptions.SessionOf(_session, progress, stop, _folder), _folder);
        List<ResultRow> rows = [];
        foreach (ResultRow row in comparison.Run(variants, seeds))
        {
            progress.Clear();
            rows.Add(row);
            string seed = seeds.Count > 1 ? $" (seed {row.Seed})" : "";
            _session.Note($"  {row.Variant ?? row.Mode,-16}{seed} {TaskMetrics.Text(row.Metric, row.Value)} {row.Metric}, {row.Seconds:F1} s");
            if (_session.Json)
                _session.Terminal.Out.WriteLine(row.ToJson());
        }

        if (!_session.Json)
            _session.Terminal.Out.WriteLine("\n" + ResultRow.Table(ResultRow.OverSeeds(rows)));
        return rows;
    }

    /// <summary>Inference of two classifiers, a teacher and one student, at several lengths.</summary>
    public void ClassifierSpeed(string teacherFolder, string studentFolder, IReadOnlyList<int> lengths, int batch)
    {
        Device device = RunOptions.DeviceOf(_session);
        using RobertaForSequenceClassification teacher = RobertaFiles.LoadClassifier(teacherFolder, BuildContext.For(device, 0));
        using RobertaForSequenceClassification student = RobertaFiles.LoadClassifier(studentFolder, BuildContext.For(device, 0));
        Speed(lengths, batch, length => SpeedProbe.Inference(teacher, length, batch, device), length => SpeedProbe.Inference(student, length, batch, device));
    }

    /// <summary>How fast two causal models, a teacher and one student, read texts of several lengths. The teacher is timed beyond its trained positions too.</summary>
    public void ReadingSpeed(string teacherFolder, string studentFolder, IReadOnlyList<int> lengths)
    {
        Device device = RunOptions.DeviceOf(_session);
        int longest = lengths.Max();
        using CausalLanguageModel teacher = LanguageModelFiles.Load(
            teacherFolder, BuildContext.For(device, 0), out _, config => config is GptNeoXConfig c ? c with { MaximumPositions = Math.Max(longest, c.MaximumPositions) } : config);
        using CausalLanguageModel student = LanguageModelFiles.Load(studentFolder, BuildContext.For(device, 0));
        Speed(lengths, 1, length => SpeedProbe.Reading(teacher, length, 1, device), length => SpeedProbe.Reading(student, length, 1, device));
    }

    /// <summary>How many seconds of audio a teacher and one student hear in a second, for clips of several lengths.</summary>
    public void ListeningSpeed(string teacherFolder, string studentFolder, IReadOnlyList<int> seconds)
    {
        Device device = RunOptions.DeviceOf(_session);
        using Wav2Vec2ForCTC teacher = Wav2Vec2Files.LoadCtc(teacherFolder, BuildContext.For(device, 0));
        using Wav2Vec2ForCTC student = Wav2Vec2Files.LoadCtc(studentFolder, BuildContext.For(device, 0));
        TextTable table = new("seconds of audio", "teacher × real time", "student × real time", "ratio");
        foreach (int length in seconds)
        {
            double t = length / SpeedProbe.Listening(teacher, length, device);
            double s = length / SpeedProbe.Listening(student, length, device);
            table.Add($"{length}", $"{t:N0}", $"{s:N0}", $"{s / t:F2}");
            if (_session.Json)
            {
                foreach ((string mode, double speed) in (ReadOnlySpan<(string, double)>)[("teacher", t), ("student", s)])
                {
                    _session.Terminal.Out.WriteLine(new JsonLine().Add("mode", mode).Add("metric", "times_real_time").Add("value", Math.Round(speed, 1)).Add("audio_seconds", length));
                }
            }
        }

        if (!_session.Json)
            _session.Terminal.Out.WriteLine(table);
    }

    private void Speed(IReadOnlyList<int> lengths, int batch, Func<int, SpeedResult> teacher, Func<int, SpeedResult> student)
    {
        TextTable table = new("length", "teacher tokens/s", "student tokens/s", "ratio");
        foreach (int length in lengths)
        {
            SpeedResult t = teacher(length);
            SpeedResult s = student(length);
            table.Add($"{length}", $"{t.TokensPerSecond:N0}", $"{s.TokensPerSecond:N0}", $"{s.TokensPerSecond / t.TokensPerSecond:F2}");
            if (_session.Json)
            {
                foreach ((string mode, SpeedResult speed) in (ReadOnlySpan<(string, SpeedResult)>)[("teacher", t), ("student", s)])
                {
                    _session.Terminal.Out.WriteLine(new JsonLine().Add("mode", mode).Add("metric", "tokens_per_second").Add("value", Math.Round(speed.TokensPerSecond, 1))
                        .Add("length", length).Add("batch", batch).Add("ms", Math.Round(speed.Milliseconds, 3)));
                }
            }
        }

        if (!_session.Json)
            _session.Terminal.Out.WriteLine(table);
    }
}
