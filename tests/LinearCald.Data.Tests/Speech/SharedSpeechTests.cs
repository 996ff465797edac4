using LinearCald.Data.Speech;

namespace LinearCald.Data.Tests.Speech;

public class SharedSpeechTests
{
    [SharedFact("data/speech/fsdd/transcripts.tsv")]
    public void Spoken_digits_are_read_for_recognition_and_speakers()
    {
        CharacterVocabulary vocabulary = CharacterVocabulary.English();
        SpeechCorpus corpus = SpeechCorpora.Read(
            SpeechFormat.Transcripts, TestFiles.InShared("data/speech/fsdd")!, new SpeechOptions
            {
                Targets = ["speaker", "norm"],
                Vocabulary = vocabulary,
                ShortClips = ProblemRule.Skip,
                LongLabels = ProblemRule.Skip,
            });
        Assert.Equal("fsdd", corpus.Name);
        Assert.Equal((2220, 180, 300), (corpus.Parts.Train.Count, corpus.Parts.Validation.Count, corpus.Parts.Test.Count));
        Assert.Equal(["george", "jackson", "lucas", "nicolas", "theo", "yweweler"], corpus.Targets[0].Classes);
        Assert.Equal(10, corpus.Targets[1].Classes.Count);
        Assert.All(corpus.Parts.All, example =>
        {
            Assert.InRange(example.Seconds, 0.1, 3);
            Assert.Equal(example.Speaker, corpus.Targets[0].Classes[example.Labels[0]]);
            Assert.Equal(example.Transcript, corpus.Targets[1].Classes[example.Labels[1]]);
        });
    }

    [SharedFact("data/speech/asterisk/transcripts.tsv")]
    public void Announcements_are_read_with_their_written_text_too()
    {
        string folder = TestFiles.InShared("data/speech/asterisk")!;
        SpeechOptions options = new() { Language = "en", Vocabulary = CharacterVocabulary.English(), ShortClips = ProblemRule.Skip, LongLabels = ProblemRule.Skip };
        SpeechCorpus spoken = SpeechCorpora.Read(SpeechFormat.Transcripts, folder, options);
        Assert.InRange(spoken.Parts.Count, 400, 438);
        Assert.Empty(spoken.Targets);
        SpeechCorpus written = SpeechCorpora.Read(
            SpeechFormat.Transcripts, folder, options with { TranscriptColumn = "text", Normalisation = TranscriptRule.Letters, UnknownCharacters = ProblemRule.Keep });
        Assert.Equal("users will join the conference", written.Parts.Test.Single(example => example.Name.EndsWith("conf-userswilljoin.flac", StringComparison.Ordinal)).Transcript);
        CaldException none = Assert.Throws<CaldException>(() => SpeechCorpora.Read(SpeechFormat.Transcripts, folder, options with { Language = "de" }));
        Assert.Contains("no utterances", none.Message, StringComparison.Ordinal);
    }
}
