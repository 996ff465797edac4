using LinearCald.Distillation.Reporting;

namespace LinearCald.Distillation.Speech.Transcription;

/// <summary>What a recording says.</summary>
/// <param name="Name">Its file.</param>
/// <param name="Words">In the order they are said; none in silence.</param>
/// <param name="Seconds">Length of the audio.</param>
/// <param name="ComputeSeconds">Time that model and decoder took for it; its share where it went through the model beside others.</param>
/// <param name="LogProbability">ln of the probability of what was decoded, as the decoder counts it.</param>
public sealed record TranscribedClip(string Name, IReadOnlyList<TimedWord> Words, double Seconds, double ComputeSeconds, double LogProbability)
{
    /// <summary>The words with a space between each.</summary>
    public string Text => string.Join(' ', Words.Select(word => word.Text));

    /// <summary>Seconds of computing a second of audio; below 1 is faster than speech.</summary>
    public double RealTimeFactor => ComputeSeconds / Seconds;

    /// <summary>The clip as one JSON object.</summary>
    /// <param name="model">Folder of the model.</param>
    /// <param name="device">Where it ran.</param>
    public string ToJson(string model, string device) => new JsonLine()
        .Add("file", Name).Add("text", Text)
        .AddList("words", Words.Select(word => new JsonLine().Add("word", word.Text).Add("start", Math.Round(word.Start, 3)).Add("end", Math.Round(word.End, 3))))
        .Add("seconds", Math.Round(Seconds, 3)).Add("compute_seconds", Math.Round(ComputeSeconds, 4)).Add("real_time_factor", double.Round(RealTimeFactor, 5))
        .Add("log_probability", LogProbability).Add("model", model).Add("device", device).ToString();
}
