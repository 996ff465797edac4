using LinearCald.Data.Audio;
using LinearCald.Data.Speech;

namespace LinearCald.Data.Tests.Speech;

/// <summary>The spoken digits that travel with the program.</summary>
public class SampleSpeechTests
{
    private static readonly string[] Digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "oh"];

    private static readonly string[][] Rows =
        [.. File.ReadLines(Path.Combine(SampleSpeech.Folder, "transcripts.tsv")).Skip(1).Select(line => line.Split('\t'))];

    [Fact]
    public void EveryPartHasEveryVoiceEquallyOftenAndNoSentenceOfAnother()
    {
        Assert.Equal(Rows.Length, Rows.Select(row => row[5]).Distinct().Count());
        foreach ((string part, int clips) in new[] { ("train", 260), ("valid", 50), ("test", 80) })
        {
            string[][] rows = [.. Rows.Where(row => row[1] == part)];
            Assert.Equal(clips, rows.Length);
            Assert.Equal(Enumerable.Repeat(clips / 10, 10), rows.GroupBy(row => row[3]).Select(voice => voice.Count()));
            Assert.Equal(Digits.Order(), rows.SelectMany(row => row[5].Split(' ')).Distinct().Order());
        }

        Assert.True(Rows.Where(row => row[1] == "test").Sum(row => row[5].Split(' ').Length) >= 200);
    }

    [Fact]
    public void TheCorpusHasPartsVoicesAndAudio()
    {
        SpeechCorpus corpus = SampleSpeech.Read(new SpeechOptions { Targets = ["speaker"] });
        Assert.Equal((260, 50, 80), (corpus.Parts.Train.Count, corpus.Parts.Validation.Count, corpus.Parts.Test.Count));
        Assert.Equal(("digits", 10), (corpus.Name, Assert.Single(corpus.Targets).Classes.Count));
        SpeechExample clip = corpus.Parts.Test[3];
        AudioClip audio = AudioFile.Read(clip.File);
        Assert.Equal((clip.Samples, 16_000), (audio.Samples.Length, audio.SampleRate));
        Assert.InRange(audio.Samples.Max(Math.Abs), 0.02f, 0.05f);
    }

    [Fact]
    public void EveryRowHasItsFile()
    {
        Assert.All(Rows, row => Assert.True(File.ReadAllBytes(Path.Combine(SampleSpeech.Folder, row[0])).AsSpan().StartsWith("fLaC"u8)));
        Assert.Equal(Rows.Length, Directory.GetFiles(Path.Combine(SampleSpeech.Folder, "flac")).Length);
    }
}
