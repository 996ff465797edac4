using LinearCald.Data.Speech;

namespace LinearCald.Data.Tests.Speech;

public class TranscriptsReaderTests
{
    private const string Header = "file\tsplit\tlang\tspeaker\tseconds\ttext\tnorm";

    [Fact]
    public void Columns_are_found_by_name()
    {
        using SpeechFolder folder = Small();
        SpeechCorpus corpus = folder.Read(SpeechFormat.Transcripts, new SpeechOptions { Targets = ["speaker"], Language = "en" });
        Assert.Equal(["a/1.wav", "a/2.wav"], corpus.Parts.Train.Select(example => example.Name));
        Assert.Equal("one two", corpus.Parts.Train[0].Transcript);
        Assert.Equal((8000, 8000), (corpus.Parts.Train[0].Samples, corpus.Parts.Validation[0].Samples)); // half a second at 16 and at 8 kHz
        Assert.Equal(["ann", "bob"], Assert.Single(corpus.Targets).Classes);
        Assert.Equal([0, 1], corpus.Parts.Train.Select(example => example.Labels[0]));
        Assert.Equal("bob", corpus.Parts.Train[1].Speaker);
        Assert.Contains(corpus.Notes, note => note.Contains("1 of \"de\"", StringComparison.Ordinal));
        Assert.Contains(corpus.Notes, note => note.Contains("1 of \"extra\"", StringComparison.Ordinal));
        Assert.Contains(corpus.Notes, note => note.Contains("1 files have another length", StringComparison.Ordinal));
        Assert.Contains("no utterances for test", corpus.Notes);

        SpeechCorpus other = folder.Read(SpeechFormat.Transcripts, new SpeechOptions
        {
            TranscriptColumn = "text",
            Normalisation = TranscriptRule.Letters,
            Train = ["extra", "train"],
            Test = ["valid"],
        });
        Assert.Equal(["one two", "three", "vier", "five"], other.Parts.Train.Select(example => example.Transcript));
        Assert.Equal((0, 1), (other.Parts.Validation.Count, other.Parts.Test.Count));
    }

    [Fact]
    public void Given_classes_keep_their_order_and_refuse_others()
    {
        using SpeechFolder folder = Small();
        SpeechOptions options = new() { Targets = ["speaker"], Language = "en", Classes = [new SpeechTarget("speaker", ["zoe", "bob", "ann"])] };
        SpeechCorpus corpus = folder.Read(SpeechFormat.Transcripts, options);
        Assert.Equal([2, 1], corpus.Parts.Train.Select(example => example.Labels[0]));
        Assert.Contains(corpus.Notes, note => note.Contains("zoe", StringComparison.Ordinal));
        folder.Refuses(SpeechFormat.Transcripts, options with { Classes = [new SpeechTarget("speaker", ["zoe", "bob"])] }, "ann", "does not have");
        folder.Refuses(SpeechFormat.Transcripts, options with { Classes = [new SpeechTarget("speaker", ["zoe", "bob", "zoe"])] }, "twice");
    }

    [Fact]
    public void Missing_files_are_all_listed_or_all_counted()
    {
        using SpeechFolder folder = Small();
        folder.With("many.tsv", ["file\ttext", "a/1.wav\tone", .. Enumerable.Range(0, 30).Select(i => $"gone/{i}.wav\tgone")]);
        CaldException error = Assert.Throws<CaldException>(() => folder.Read(SpeechFormat.Transcripts, new SpeechOptions { Manifest = "many.tsv" }));
        Assert.Contains("30 audio files", error.Message, StringComparison.Ordinal);
        Assert.All(Enumerable.Range(0, 20), i => Assert.Contains($"{i}.wav", error.Message, StringComparison.Ordinal));
        Assert.DoesNotContain("20.wav", error.Message, StringComparison.Ordinal);
        Assert.Contains("and 10 more", error.Message, StringComparison.Ordinal);
        SpeechCorpus corpus = folder.Read(SpeechFormat.Transcripts, new SpeechOptions { Manifest = "many.tsv", MissingFiles = ProblemRule.Skip });
        Assert.Equal("a/1.wav", Assert.Single(corpus.Parts.Train).Name);
        Assert.Contains(corpus.Notes, note => note.StartsWith("30 audio files named in a manifest are missing (left out)", StringComparison.Ordinal));
    }

    [Fact]
    public void Files_that_are_no_audio_and_clips_without_a_frame_are_refused_or_counted()
    {
        using SpeechFolder folder = Small();
        folder.With("noise.wav", "this is no sound").WithAudio(399 / 16000.0, 16000, "short.wav").WithAudio(400 / 16000.0, 16000, "frame.wav");
        folder.With("transcripts.tsv", "file\ttext", "noise.wav\ta", "short.wav\tb", "frame.wav\tc");
        folder.Refuses(SpeechFormat.Transcripts, null, "noise.wav", "1 utterance whose audio cannot be read");
        folder.Refuses(SpeechFormat.Transcripts, new SpeechOptions { UnreadableFiles = ProblemRule.Skip }, "short.wav", "399 samples");
        SpeechCorpus corpus = folder.Read(SpeechFormat.Transcripts, new SpeechOptions { UnreadableFiles = ProblemRule.Skip, ShortClips = ProblemRule.Skip });
        Assert.Equal(400, Assert.Single(corpus.Parts.Train).Samples);
        Assert.Equal(2, corpus.Notes.Count(note => note.Contains("(left out)", StringComparison.Ordinal)));
        folder.Refuses(SpeechFormat.Transcripts, new SpeechOptions { ShortClips = ProblemRule.Keep }, "cannot be Keep");
    }

    [Fact]
    public void Transcripts_a_model_cannot_learn_are_refused_or_counted()
    {
        using SpeechFolder folder = new SpeechFolder().WithAudio(0.2, 16000, "1.wav", "2.wav", "3.wav", "4.wav"); // 9 frames each
        folder.With("transcripts.tsv", "file\tsplit\ttext", "1.wav\ttrain\tabcdefgh", "2.wav\ttrain\tzählen", "3.wav\ttrain\taabbccd", "4.wav\ttest\taaaaaa!");
        SpeechOptions options = new() { Vocabulary = CharacterVocabulary.English() };
        folder.Refuses(SpeechFormat.Transcripts, options, "2 transcripts with characters outside", "2.wav has 'ä'", "4.wav has '!'");
        folder.Refuses(SpeechFormat.Transcripts, options with { UnknownCharacters = ProblemRule.Keep }, "3.wav needs 10 frames and has 9", "4.wav needs 12");
        SpeechCorpus kept = folder.Read(SpeechFormat.Transcripts, options with { UnknownCharacters = ProblemRule.Keep, LongLabels = ProblemRule.Keep });
        Assert.Equal((3, 1), (kept.Parts.Train.Count, kept.Parts.Test.Count));
        SpeechCorpus skipped = folder.Read(SpeechFormat.Transcripts, options with { UnknownCharacters = ProblemRule.Skip, LongLabels = ProblemRule.Skip });
        Assert.Equal("1.wav", Assert.Single(skipped.Parts.Train).Name);
        Assert.Single(skipped.Parts.Test); // what is evaluated stays
        Assert.Contains(skipped.Notes, note => note.Contains("1 left out, 1 kept in validation and test", StringComparison.Ordinal));
    }

    [Fact]
    public void Samples_of_large_parts_are_always_the_same()
    {
        string[] names = [.. Enumerable.Range(10, 40).Select(i => $"{i}.wav")];
        using SpeechFolder folder = new SpeechFolder().WithAudio(0.05, 8000, names);
        folder.With("transcripts.tsv", ["file\ttext", .. names.Select(name => $"{name}\tx")]);
        SpeechOptions options = new() { MaximumTrainExamples = 10 };
        string[] drawn = [.. folder.Read(SpeechFormat.Transcripts, options).Parts.Train.Select(example => example.Name)];
        Assert.Equal(10, drawn.Length);
        Assert.Equal(drawn.Order(), drawn);
        Assert.NotEqual(names[..10], drawn);
        Assert.Equal(drawn, folder.Read(SpeechFormat.Transcripts, options).Parts.Train.Select(example => example.Name));
        folder.WithAudio(0.5, 8000, names[3]);
        SpeechCorpus shorter = folder.Read(SpeechFormat.Transcripts, new SpeechOptions { MaximumTrainSamples = 7999 });
        Assert.Equal(39, shorter.Parts.Train.Count);
        Assert.Contains("1 training utterances longer than 7999 samples were left out", shorter.Notes);
    }

    [Theory]
    [InlineData("no column \"file\"", "path\ttext", "a/1.wav\tx")]
    [InlineData("3 columns where the header has 2", "file\ttext", "a/1.wav\tx\ty")]
    [InlineData("names a column twice", "file\ttext\ttext")]
    [InlineData("neither a transcript", "file\tsplit", "a/1.wav\ttrain")]
    [InlineData("there twice", "file\ttext", "a/1.wav\tx", "a/1.wav\tx")]
    [InlineData("is empty", "file\ttext", "\tx")]
    [InlineData("no length in seconds", "file\ttext\tseconds", "a/1.wav\tx\tlong")]
    [InlineData("no utterances of the parts", "file\ttext\tsplit", "a/1.wav\tx\tother")]
    [InlineData("has no utterances", "file\ttext")]
    [InlineData("is empty", "")]
    public void Damaged_manifests_are_refused(string said, params string[] lines)
    {
        using SpeechFolder folder = Small().With("transcripts.tsv", lines);
        folder.Refuses(SpeechFormat.Transcripts, null, said, folder.Path);
    }

    [Fact]
    public void Senseless_choices_are_refused()
    {
        using SpeechFolder folder = Small();
        folder.Refuses(SpeechFormat.Transcripts, new SpeechOptions { Targets = ["mood"] }, "no column \"mood\"");
        folder.Refuses(SpeechFormat.Transcripts, new SpeechOptions { Targets = ["speaker", "speaker"] }, "twice");
        folder.Refuses(SpeechFormat.Transcripts, new SpeechOptions { Train = ["trian"] }, "trian", "train", "valid");
        folder.Refuses(SpeechFormat.Transcripts, new SpeechOptions { Train = ["train"], Test = ["train"] }, "one part");
        folder.Refuses(SpeechFormat.Transcripts, new SpeechOptions { AudioFolder = "sounds" }, "sounds", "does not exist");
        folder.Refuses(SpeechFormat.Transcripts, new SpeechOptions { Manifest = "other.tsv" }, "other.tsv");
        folder.Refuses(SpeechFormat.LibriSpeech, new SpeechOptions { Language = "en" }, "Language means nothing");
        Assert.Throws<CaldException>(() => SpeechCorpora.Read(SpeechFormat.Transcripts, folder.Path + "/nowhere", new SpeechOptions()));
        Assert.Throws<CaldException>(() => SpeechCorpora.Read(SpeechFormat.Transcripts, folder.Path + "/transcripts.tsv", new SpeechOptions()));
    }

    private static SpeechFolder Small() => new SpeechFolder()
        .WithAudio(0.5, 16000, "a/1.wav", "a/2.wav", "a/4.wav", "a/5.wav")
        .WithAudio(0.5, 8000, "a/3.wav")
        .With(
            "transcripts.tsv",
            Header,
            "a/1.wav\ttrain\ten\tann\t0.50\tOne, two!\tone two",
            "a/2.wav\ttrain\ten\tbob\t3.00\tThree.\tthree",
            "",
            "a/3.wav\tvalid\ten\tann\t0.50\tThree?\tthree",
            "a/4.wav\ttrain\tde\tbob\t0.50\tVier.\tvier",
            "a/5.wav\textra\ten\tbob\t\tFive\tfive");
}
