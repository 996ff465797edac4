using System.Globalization;
using LinearCald.Data.Audio;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Cli.Commands;

/// <summary>What `cald inspect` says about an audio file.</summary>
internal static class AudioSummary
{
    /// <summary>Lines for people.</summary>
    public static string Text(AudioReport report)
    {
        AudioInfo info = report.Info;
        string verdict = report.NotFinite == 0 ? "all finite" : $"{report.NotFinite:N0} samples are NaN or infinite";
        string channels = info.Channels == 1 ? "1 channel" : $"{info.Channels} channels (below: their mean)";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            {info.Format}
            {info.SampleRate} Hz, {channels}, {info.Frames:N0} sample frames, {info.Seconds:F3} s
            range {report.Lowest:G4} to {report.Highest:G4}, mean {report.Mean:G3}, RMS {report.Level:G4} ({Decibels(report.Level)}); {verdict}

            """);
    }

    /// <summary>One object.</summary>
    public static string Json(string path, AudioReport report) => new JsonLine()
        .Add("file", path).Add("format", report.Info.Format).Add("sample_rate", (long)report.Info.SampleRate).Add("channels", (long)report.Info.Channels)
        .Add("frames", report.Info.Frames).Add("seconds", report.Info.Seconds)
        .Add("min", (double)report.Lowest).Add("max", (double)report.Highest).Add("mean", report.Mean).Add("rms", report.Level)
        .Add("not_finite", report.NotFinite).ToString() + "\n";

    private static string Decibels(double level) =>
        level > 0 ? string.Create(CultureInfo.InvariantCulture, $"{20 * Math.Log10(level):F1} dB") : "silence";
}
