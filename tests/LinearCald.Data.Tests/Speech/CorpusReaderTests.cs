using LinearCald.Data.Speech;

namespace LinearCald.Data.Tests.Speech;

public class CorpusReaderTests
{
    [Fact]
    public void Talks_are_cut_into_segments()
    {
        using SpeechFolder folder = Talks();
        SpeechCorpus corpus = folder.Read(SpeechFormat.TedLium, new SpeechOptions { Targets = ["speaker"] });
        Assert.Equal(["AnnLee_2010_00000001", "AnnLee_2010_00000002", "BobRoy_2011_00000000"], corpus.Parts.Train.Select(example => example.Name));
        Assert.Equal(["it's nineteen ninety nine", "one dollar fifty cents", "well known"], corpus.Parts.Train.Select(example => example.Transcript));
        SpeechExample first = corpus.Parts.Train[0], last = corpus.Parts.Train[1];
        Assert.Equal((4016L, 7984L, 7984), (first.FirstFrame, first.Frames, first.Samples)); // 0.251 s to 0.75 s
        Assert.Equal((12000L, 4000L), (last.FirstFrame, last.Frames)); // cut at the end of the file
        Assert.EndsWith(Path.Combine("train", "sph", "AnnLee_2010.sph"), first.File, StringComparison.Ordinal);
        Assert.Equal(["Ann_Lee", "Bob_Roy", "Cyd"], corpus.Targets[0].Classes);
        Assert.Contains("1 segments are marked as not to be scored and were left out", corpus.Notes);
        Assert.Contains(corpus.Notes, note => note.StartsWith("1 segments reach", StringComparison.Ordinal));
        Assert.Equal(
            "<unk> it 's 1999",
            folder.Read(SpeechFormat.TedLium, new SpeechOptions { Normalisation = TranscriptRule.AsWritten }).Parts.Train[0].Transcript);
    }

    [Theory]
    [InlineData("AnnLee_2010 1 Ann 0.1", "4 fields")]
    [InlineData("AnnLee_2010 1 Ann 0.5 0.5 <o,f0,male> x", "not after its start")]
    [InlineData("AnnLee_2010 1 Ann 0.5 soon <o,f0,male> x", "no time in seconds")]
    [InlineData("AnnLee_2010 1 Ann -1 1 <o,f0,male> x", "no time in seconds")]
    [InlineData("AnnLee_2010 2 Ann 0.1 0.5 <o,f0,male> x", "channel 2")]
    [InlineData("AnnLee_2010 1 Ann 7 8 <o,f0,male> x", "lies outside its file")]
    [InlineData("AnnLee_2010 1 Ann 0.5 9 <o,f0,male> x", "lies outside its file")]
    [InlineData("../AnnLee 1 Ann 0.1 0.5 <o,f0,male> x", "no name of a file")]
    [InlineData("Nobody 1 Ann 0.1 0.5 <o,f0,male> x", "Nobody.sph")]
    public void Damaged_segments_are_refused(string line, string said)
    {
        using SpeechFolder folder = Talks().With("legacy/train/stm/AnnLee_2010.stm", line);
        folder.Refuses(SpeechFormat.TedLium, null, said, "AnnLee_2010.stm:1");
    }

    [Fact]
    public void Every_recording_of_a_command_is_an_utterance()
    {
        using SpeechFolder folder = new SpeechFolder()
            .WithAudio(0.3, 16000, "slurp_real/a1.wav", "slurp_real/a2.wav", "slurp_real/d1.wav", "slurp_real/t1.wav", "slurp_synth/s1.wav")
            .With("dataset/slurp/train.jsonl",
                Command("set an alarm", "alarm", "set", "a1.wav", "a2.wav"), Command("again", "alarm", "set", "a1.wav"))
            .With("dataset/slurp/train_synthetic.jsonl", Command("play jazz", "music", "play", "s1.wav"))
            .With("dataset/slurp/devel.jsonl", Command("stop", "alarm", "remove", "d1.wav"))
            .With("dataset/slurp/test.jsonl", Command("play rock", "music", "play", "t1.wav"));
        SpeechCorpus corpus = folder.Read(SpeechFormat.Slurp, new SpeechOptions { Targets = ["scenario", "action", "intent"] });
        Assert.Equal(["a1", "a2", "s1"], corpus.Parts.Train.Select(example => example.Name));
        Assert.Equal((1, 1), (corpus.Parts.Validation.Count, corpus.Parts.Test.Count));
        Assert.Equal(["alarm", "music"], corpus.Targets[0].Classes);
        Assert.Equal(["play", "remove", "set"], corpus.Targets[1].Classes);
        Assert.Equal(["alarm_remove", "alarm_set", "music_play"], corpus.Targets[2].Classes);
        Assert.Equal([0, 2, 1], corpus.Parts.Train[0].Labels);
        Assert.Equal([1, 0, 2], corpus.Parts.Train[2].Labels);
        Assert.EndsWith(Path.Combine("slurp_synth", "s1.wav"), corpus.Parts.Train[2].File, StringComparison.Ordinal);
        Assert.Contains("1 recordings are named more than once; each is used the first time", corpus.Notes);
        Assert.Contains(corpus.Notes, note => note.Contains("remove", StringComparison.Ordinal)); // no training utterance has it

        Assert.Equal(2, folder.Read(SpeechFormat.Slurp, new SpeechOptions { Train = ["train"] }).Parts.Train.Count);
        folder.Refuses(SpeechFormat.Slurp, new SpeechOptions { Train = ["trian"] }, "trian", "devel");
        folder.Refuses(SpeechFormat.Slurp, new SpeechOptions { Targets = ["speaker"] }, "no target \"speaker\"", "scenario");
        folder.With("dataset/slurp/test.jsonl", """{"sentence": "x", "recordings": [{"wer": 0}]}""");
        folder.Refuses(SpeechFormat.Slurp, null, "test.jsonl:1", "no field \"file\"");
        folder.With("dataset/slurp/test.jsonl", """{"sentence": "x", "recordings": [{"file": "../x.wav"}]}""");
        folder.Refuses(SpeechFormat.Slurp, null, "no name of a file");
        folder.With("dataset/slurp/test.jsonl", "{");
        folder.Refuses(SpeechFormat.Slurp, null, "test.jsonl:1", "not JSON");
    }

    [Fact]
    public void Speakers_come_in_the_numbered_parts()
    {
        using SpeechFolder folder = new SpeechFolder()
            .WithAudio(0.3, 16000, "dev/wav/id10001/vid/00001.wav", "dev/wav/id10002/vid/00001.wav", "test/wav/id10001/other/00002.wav")
            .With("iden_split.txt", "1 id10001/vid/00001.wav", "2 id10002/vid/00001.wav", "3 id10001/other/00002.wav");
        SpeechCorpus corpus = folder.Read(SpeechFormat.VoxCeleb);
        Assert.Equal("id10001_vid_00001", Assert.Single(corpus.Parts.Train).Name);
        Assert.Equal(["id10001", "id10002"], Assert.Single(corpus.Targets).Classes);
        Assert.Equal((1, 0), (corpus.Parts.Validation[0].Labels[0], corpus.Parts.Test[0].Labels[0]));
        Assert.Equal("", corpus.Parts.Test[0].Transcript);
        folder.Refuses(SpeechFormat.VoxCeleb, new SpeechOptions { Train = ["dev"] }, "Train");
        folder.With("iden_split.txt", "4 id10001/vid/00001.wav");
        folder.Refuses(SpeechFormat.VoxCeleb, null, "iden_split.txt:1", "a part from 1 to 3");
        folder.With("iden_split.txt", "1 id10001/vid/00009.wav");
        folder.Refuses(SpeechFormat.VoxCeleb, null, "00009.wav");
        folder.Refuses(SpeechFormat.VoxCeleb, new SpeechOptions { Manifest = "split.txt" }, "split.txt");
    }

    [Fact]
    public void Chapters_are_read_in_order()
    {
        using SpeechFolder folder = new SpeechFolder()
            .WithAudio(0.5, 16000, "dev-clean/84/121/84-121-0000.wav", "dev-clean/84/121/84-121-0001.wav", "train-clean-5/19/198/19-198-0000.wav")
            .With("dev-clean/84/121/84-121.trans.txt", "84-121-0000 GO DO YOU HEAR", "84-121-0001 BUT IN LESS")
            .With("train-clean-5/19/198/19-198.trans.txt", "19-198-0000 NORTHANGER ABBEY");
        SpeechCorpus corpus = folder.Read(SpeechFormat.LibriSpeech, new SpeechOptions { Targets = ["speaker"], Vocabulary = CharacterVocabulary.English() });
        Assert.Equal(["84-121-0000", "84-121-0001"], corpus.Parts.Validation.Select(example => example.Name));
        Assert.Equal("NORTHANGER ABBEY", Assert.Single(corpus.Parts.Train).Transcript);
        Assert.Equal(["19", "84"], corpus.Targets[0].Classes);
        Assert.Contains("no utterances for test", corpus.Notes);
        folder.With("dev-clean/84/121/84-121.trans.txt", "84-121-0000");
        folder.Refuses(SpeechFormat.LibriSpeech, null, "84-121.trans.txt:1", "a name, a space and a text");
        folder.With("dev-clean/84/121/84-121.trans.txt", "84-121-0007 GONE");
        folder.Refuses(SpeechFormat.LibriSpeech, null, "84-121-0007.flac");
        folder.Refuses(SpeechFormat.LibriSpeech, new SpeechOptions { Test = ["test-other"] }, "test-other", "dev-clean");
    }

    private static SpeechFolder Talks() => new SpeechFolder()
        .WithAudio(1, 16000, "legacy/train/sph/AnnLee_2010.sph", "legacy/train/sph/BobRoy_2011.sph", "legacy/dev/sph/Cyd.sph")
        .With("legacy/train/stm/AnnLee_2010.stm",
            ";; a comment",
            "AnnLee_2010 1 Ann_Lee 0 0.1 <o,f0,female> ignore_time_segment_in_scoring",
            "AnnLee_2010 1 Ann_Lee 0.251 0.75 <o,f0,female> <unk> it 's 1999",
            "AnnLee_2010 1 Ann_Lee 0.75 1.2 <o,f0,female> $1.50")
        .With("legacy/train/stm/BobRoy_2011.stm", "BobRoy_2011 1 Bob_Roy 0.1 0.9 <o,f0,male> well-known")
        .With("legacy/dev/stm/Cyd.stm", "Cyd 1 Cyd 0.10 1.00 hello there");

    private static string Command(string sentence, string scenario, string action, params string[] files) =>
        $$"""{"slurp_id": 1, "sentence": "{{sentence}}", "scenario": "{{scenario}}", "action": "{{action}}", "recordings": [{{string.Join(", ", files.Select(file => $$"""{"file": "{{file}}", "wer": 0.0}"""))}}]}""";
}
