using System.Text.Json;
using LinearCald.Data.Audio;
using LinearCald.Data.Speech.Decoding;
using LinearCald.Distillation.Speech.Transcription;
using LinearCald.Models.Wav2Vec2;

namespace LinearCald.Distillation.Tests.Speech;

/// <summary>Text and times of recordings.</summary>
public sealed class TranscriberTests
{
    [Fact]
    public void WordsLastFromTheirFirstCharacterToTheEndOfTheirLast()
    {
        SpeechDecoder decoder = new(TinySpeech.Vocabulary);

        // "ab c": a at frame 2, b at 5, delimiter at 7, c at 9; an unknown token is no text, and delimiters at the ends make no words.
        CtcPath path = new([1, 3, 4, 1, 1, 5, 2, 1], [0, 2, 5, 7, 8, 9, 11, 12], -1.5);
        Assert.Equal([new TimedWord("ab", 0.04, 0.12), new TimedWord("c", 0.18, 0.24)], Rounded(decoder.Words(path, 0.02)));
        Assert.Empty(decoder.Words(new CtcPath([], [], 0), 0.02));
        Assert.Empty(decoder.Words(new CtcPath([1, 2, 1], [0, 1, 2], 0), 0.02));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RecordingsTogetherAreRecordingsAlone(bool student)
    {
        using Wav2Vec2ForCTC model = TinySpeech.Recogniser(student);
        Transcriber transcriber = new(model, TinySpeech.Device, new SpeechDecoder(TinySpeech.Vocabulary));
        (string, AudioClip)[] recordings = [.. new[] { 5_000, 16_000, 400, 9_999 }.Select((samples, i) => ($"r{i}", new AudioClip(TinySpeech.Noise(samples, i), 16_000)))];
        IReadOnlyList<TranscribedClip> together = transcriber.Transcribe(recordings);
        IReadOnlyList<TranscribedClip> alone = [.. recordings.Select(r => transcriber.Transcribe([r])[0])];
        Assert.Equal(["r0", "r1", "r2", "r3"], together.Select(t => t.Name));
        Assert.Equal(alone.Select(t => t.Text), together.Select(t => t.Text));
        Assert.Equal(alone.SelectMany(t => t.Words), together.SelectMany(t => t.Words));
        Assert.Contains(together, t => t.Words.Count > 0);
        Assert.All(together, t => Assert.All(t.Words, w => Assert.True(w.Start >= 0 && w.Start < w.End && w.End <= t.Seconds + 0.02)));
        Assert.All(together, t => Assert.True(t.ComputeSeconds > 0 && t.RealTimeFactor == t.ComputeSeconds / t.Seconds));
    }

    [Fact]
    public void JsonHasTextWordsAndSpeed()
    {
        TranscribedClip clip = new("talk \"1\".wav", [new TimedWord("it", 0.5, 0.62), new TimedWord("was", 0.7000000001, 1)], 2, 0.5, -3.25);
        JsonElement row = JsonDocument.Parse(clip.ToJson("models/student", "cpu")).RootElement;
        Assert.Equal(
            ["file", "text", "words", "seconds", "compute_seconds", "real_time_factor", "log_probability", "model", "device"], row.EnumerateObject().Select(p => p.Name));
        Assert.Equal(("talk \"1\".wav", "it was", 2.0, 0.25), (row.GetProperty("file").GetString(), row.GetProperty("text").GetString(), row.GetProperty("seconds").GetDouble(), row.GetProperty("real_time_factor").GetDouble()));
        JsonElement word = row.GetProperty("words")[1];
        Assert.Equal(("was", 0.7, 1.0), (word.GetProperty("word").GetString(), word.GetProperty("start").GetDouble(), word.GetProperty("end").GetDouble()));
        Assert.Equal(0, JsonDocument.Parse(new TranscribedClip("silence", [], 1, 1, 0).ToJson("m", "cpu")).RootElement.GetProperty("words").GetArrayLength());
    }

    [Fact]
    public void WhatCannotBeTranscribedIsNamed()
    {
        using Wav2Vec2ForCTC model = TinySpeech.Recogniser(student: true);
        Transcriber transcriber = new(model, TinySpeech.Device, new SpeechDecoder(TinySpeech.Vocabulary));
        Assert.Contains("has 8000 samples a second, the model reads 16000", Fails(new AudioClip(new float[800], 8_000)), StringComparison.Ordinal);
        Assert.Contains("click: 160 samples at 16000 Hz (0.01 s) are fewer than the 400 that one frame", Fails(new AudioClip(new float[160], 16_000)), StringComparison.Ordinal);

        string Fails(AudioClip audio) => Assert.Throws<CaldException>(() => transcriber.Transcribe([("click", audio)])).Message;
    }

    private static TimedWord[] Rounded(IReadOnlyList<TimedWord> words) => [.. words.Select(w => new TimedWord(w.Text, Math.Round(w.Start, 9), Math.Round(w.End, 9)))];
}
