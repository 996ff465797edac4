using System.Text;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Speech;

namespace LinearCald.Data.Tests.Speech;

/// <summary>Manifests with random damage are read, or refused with the project's exception; nothing else happens.</summary>
public class ManifestFuzzTests
{
    private static readonly (SpeechFormat Format, string Name, string Text)[] Manifests =
    [
        (SpeechFormat.Transcripts, "transcripts.tsv", "file\tsplit\tspeaker\tseconds\ttext\n1.wav\ttrain\tann\t0.30\tone two\n2.wav\ttest\tbob\t0.30\tthree\n"),
        (SpeechFormat.TedLium, "train/stm/1.stm", "1 1 Ann 0.00 0.20 <o,f0,female> it 's $1,250.50 in 1999\n1 1 Bob 0.10 0.30 <unk> 21st\n"),
        (SpeechFormat.Slurp, "train.jsonl", """{"sentence": "stop it", "scenario": "alarm", "action": "stop", "recordings": [{"file": "1.wav"}, {"file": "2.wav"}]}""" + "\n"),
        (SpeechFormat.VoxCeleb, "iden_split.txt", "1 a/1.wav\n2 b/2.wav\n3 a/2.wav\n"),
        (SpeechFormat.LibriSpeech, "dev-clean/84/121/84-121.trans.txt", "84-121-0000 GO DO YOU HEAR\n84-121-0001 BUT\n"),
    ];

    private static readonly Gen<(int Manifest, (int Kind, int Place, int Value)[] Damage)> Cases =
        from manifest in Gen.Choose(0, Manifests.Length - 1)
        from count in Gen.Choose(1, 3)
        from damage in Gen.ArrayOf(
            from kind in Gen.Choose(0, 3)
            from place in Gen.Choose(0, 1000)
            from value in Gen.OneOf(Gen.Choose(0, 255), Gen.Elements<int>('\t', '\n', ' ', '\0', '<', '/', '"', '0', '9', '-', '.'))
            select (kind, place, value), count)
        select (manifest, damage);

    [Fact]
    public void Damage_is_read_or_refused()
    {
        using SpeechFolder folder = new SpeechFolder().WithAudio(
            0.3, 16000, "1.wav", "2.wav", "train/sph/1.sph", "a/1.wav", "a/2.wav", "b/2.wav", "dev-clean/84/121/84-121-0000.wav", "dev-clean/84/121/84-121-0001.wav");
        SpeechOptions options = new()
        {
            MissingFiles = ProblemRule.Skip,
            UnreadableFiles = ProblemRule.Skip,
            ShortClips = ProblemRule.Skip,
            UnknownCharacters = ProblemRule.Keep,
            LongLabels = ProblemRule.Skip,
            Vocabulary = CharacterVocabulary.English(),
        };
        int read = 0, refused = 0;
        Prop.ForAll(Cases.ToArbitrary(), c =>
        {
            (SpeechFormat format, string name, string text) = Manifests[c.Manifest];
            folder.With(name, Encoding.Latin1.GetString(Damaged(Encoding.UTF8.GetBytes(text), c.Damage)));
            try
            {
                SpeechCorpus corpus = folder.Read(format, options);
                Assert.All(corpus.Parts.All, example => Assert.InRange(example.Samples, 400, 4800));
                read++;
            }
            catch (CaldException refusal)
            {
                Assert.NotEmpty(refusal.Message);
                refused++;
            }
        }).Holds(400);
        Assert.True(read > 40 && refused > 40, $"{read} read, {refused} refused: the damage is too small or too large");
    }

    private static byte[] Damaged(byte[] bytes, (int Kind, int Place, int Value)[] damage)
    {
        List<byte> result = [.. bytes];
        foreach ((int kind, int place, int value) in damage)
        {
            int at = result.Count == 0 ? 0 : place % result.Count;
            switch (kind)
            {
                case 0 when result.Count > 0:
                    result[at] = (byte)value;
                    break;
                case 1 when result.Count > 0:
                    result.RemoveAt(at);
                    break;
                case 2:
                    result.Insert(at, (byte)value);
                    break;
                default:
                    result.RemoveRange(at, Math.Min(value % 8, result.Count - at));
                    break;
            }
        }

        return [.. result];
    }
}
