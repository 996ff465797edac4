using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using LinearCald.Data.Audio;
using LinearCald.Distillation.Reporting;
using LinearCald.Nn.Files;

namespace LinearCald.Cli.Commands;

/// <summary>`cald inspect`: what is in a safetensors file, a model folder or an audio file, and whether it is sound.</summary>
internal sealed class InspectCommand : CaldCommand
{
    private static readonly Argument<string> Target = new("PATH") { Description = "A safetensors file, an index of shards, a model folder, or an audio file" };

    public InspectCommand()
        : base(
            "inspect",
            "Shows the tensors of a safetensors file or model folder: names, shapes, types, ranges, NaN counts; of an audio file: format, duration, range.",
            "weights/roberta-tiny",
            "recording.flac # rate, channels, duration, range, NaN count",
            "model.safetensors --json # one JSON object a tensor")
    {
        Add(Target);
        Add(CommonOptions.Json);
    }

    public override int Execute(Session session)
    {
        string path = session.Arguments.GetRequiredValue(Target);
        if (AudioFile.IsAudio(path))
        {
            AudioReport audio = AudioFile.Inspect(path);
            session.Terminal.Out.Write(session.Json ? AudioSummary.Json(path, audio) : AudioSummary.Text(audio));
            return CommandLine.Done;
        }

        WeightsReport report = WeightsReport.Of(path);
        if (session.Json)
        {
            foreach (TensorReport tensor in report.Tensors)
                session.Terminal.Out.WriteLine(Row(tensor));
            return CommandLine.Done;
        }

        if (File.Exists(Path.Combine(path, ModelFolder.ConfigName)))
            session.Terminal.Out.WriteLine(Terminal.Printable(Architecture(ModelFolder.ReadConfig(path))));
        session.Terminal.Out.Write(Table(report));
        session.Terminal.Out.WriteLine();
        session.Terminal.Out.WriteLine(Summary(report));
        return CommandLine.Done;
    }

    private static TextTable Table(WeightsReport report)
    {
        TextTable table = new("name", "type", "shape", "min", "max", "mean", "sd", "NaN", "inf");
        foreach (TensorReport t in report.Tensors)
        {
            table.Add(
                NameOf(t), t.Entry.TypeName, t.Entry.Shape.Length == 0 ? "scalar" : string.Join("×", t.Entry.Shape), Figure(t.Min), Figure(t.Max), Figure(t.Mean), Figure(t.Deviation),
                t.NaNs.ToString(CultureInfo.InvariantCulture), t.Infinities.ToString(CultureInfo.InvariantCulture));
        }

        return table;
    }

    /// <summary>In one line, whatever the file calls it.</summary>
    private static string NameOf(TensorReport t) => Terminal.Printable(t.Entry.Name).ReplaceLineEndings("\\n").Replace("\t", "\\t", StringComparison.Ordinal);

    private static string Row(TensorReport t) => new JsonLine()
        .Add("name", t.Entry.Name).Add("type", t.Entry.TypeName).AddList("shape", t.Entry.Shape)
        .Add("min", t.Min).Add("max", t.Max).Add("mean", t.Mean).Add("deviation", t.Deviation)
        .Add("nans", t.NaNs).Add("infinities", t.Infinities).Add("bytes", t.Entry.ByteLength).ToString();

    private static string Summary(WeightsReport report)
    {
        string[] unsound = [.. report.Tensors.Where(t => t.NaNs + t.Infinities > 0).Select(NameOf)];
        string verdict = unsound.Length == 0 ? "all finite" : $"{unsound.Length} with NaN or infinity: {string.Join(", ", unsound.Take(5))}{(unsound.Length > 5 ? ", …" : "")}";
        return string.Create(CultureInfo.InvariantCulture, $"{Count(report.Tensors.Count, "tensor")}, {Count(report.Elements, "element")}, {report.Bytes / 1e6:F1} MB; {verdict}");
    }

    private static string Count(long n, string what) => string.Create(CultureInfo.InvariantCulture, $"{n:N0} {what}{(n == 1 ? "" : "s")}");

    private static string Architecture(JsonElement config)
    {
        string Of(string name) => config.TryGetProperty(name, out JsonElement value) ? value.ToString() : "?";
        return $"model_type {Of("model_type")}, {Of("num_hidden_layers")} layers, hidden {Of("hidden_size")}, {Of("num_attention_heads")} heads, vocabulary {Of("vocab_size")}";
    }

    private static string Figure(double? value) => value is { } number ? number.ToString("G4", CultureInfo.InvariantCulture) : "-";
}
