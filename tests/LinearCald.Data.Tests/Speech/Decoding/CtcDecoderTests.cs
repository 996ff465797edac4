using FsCheck.Fluent;
using LinearCald.Data.Speech;
using LinearCald.Data.Speech.Decoding;

namespace LinearCald.Data.Tests.Speech.Decoding;

public sealed class CtcDecoderTests
{
    private const int Blank = 0;

    /// <summary>Blank, delimiter, a, b.</summary>
    private static readonly CharacterVocabulary Letters = CharacterVocabulary.FromJson("""{"[PAD]": 0, "|": 1, "a": 2, "b": 3}""");

    [Fact]
    public void AWideBeamFindsTheLikeliestText() => ForAll((logits, classes) =>
    {
        CtcPath path = new CtcBeamDecoder(new CtcBeamOptions { Width = 100_000, LeastLogProbability = double.NegativeInfinity }).Decode(logits, classes, Blank);
        Dictionary<string, Text> texts = Enumerate(logits, classes);
        Text best = texts.Values.MaxBy(t => t.Probability)!;
        Assert.Equal(best.Tokens, path.Tokens);
        Assert.Equal(Math.Log(best.Probability), path.LogProbability, 1e-9);
        Assert.Equal(best.Frames, path.Frames);
    });

    [Fact]
    public void TheLanguageModelAndTheBonusAreWeighedAtWordEnds()
    {
        using TemporaryFolder folder = new();
        ArpaLanguageModel model = Model(folder);
        CtcBeamOptions options = new() { Width = 100_000, LeastLogProbability = double.NegativeInfinity, Vocabulary = Letters, LanguageModel = model, LanguageWeight = 0.7, WordBonus = 0.3 };
        ForAll(
            (logits, classes) =>
            {
                CtcPath path = new CtcBeamDecoder(options).Decode(logits, classes, Blank);
                double Score(Text text)
                {
                    string words = Letters.Decode(text.Tokens);
                    return Math.Log(text.Probability) + (0.7 * model.LogProbability(words)) + (0.3 * words.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length);
                }

                Text best = Enumerate(logits, classes).Values.MaxBy(Score)!;
                Assert.Equal(Letters.Decode(best.Tokens), Letters.Decode(path.Tokens));
            },
            classes: 4);
    }

    [Fact]
    public void ALanguageModelTurnsACloseDecision()
    {
        using TemporaryFolder folder = new();
        float[] logits = [-9, -9, 2, 1.8f, 9, 0, 0, 0]; // a hardly likelier than b, then silence
        CtcBeamOptions options = new() { Vocabulary = Letters };
        Assert.Equal("a", Letters.Decode(new CtcBeamDecoder(options).Decode(logits, 4, Blank).Tokens));
        Assert.Equal("b", Letters.Decode(new CtcBeamDecoder(options with { LanguageModel = Model(folder) }).Decode(logits, 4, Blank).Tokens));
        Assert.Equal("", Letters.Decode(new CtcBeamDecoder(options with { WordBonus = -50 }).Decode(logits, 4, Blank).Tokens));
    }

    [Fact]
    public void ABeamOfOneIsGreedyWhereFramesAreSure() => Prop.ForAll(Arb.From(Gen.Choose(0, 30)), Arb.From(Gen.Choose(2, 9)), Arb.From(Gen.Choose(0, 1_000_000)), (frames, classes, seed) =>
    {
        float[] logits = Random(frames, classes, seed);
        System.Random random = new(seed);
        for (int t = 0; t < frames; t++)
        {
            logits[(t * classes) + random.Next(classes)] += 25;
        }

        CtcPath greedy = CtcGreedyDecoder.Decode(logits, classes, Blank);
        foreach (int width in (int[])[1, 8])
        {
            CtcPath beam = new CtcBeamDecoder(new CtcBeamOptions { Width = width }).Decode(logits, classes, Blank);
            Assert.Equal(greedy.Tokens, beam.Tokens);
            Assert.Equal(greedy.Frames, beam.Frames);
        }
    }).Holds();

    [Fact]
    public void GreedyMergesRepeatsAndDropsBlanks()
    {
        int[] classes = [0, 2, 2, 0, 2, 1, 1, 0, 0, 1];
        float[] logits = [.. classes.SelectMany(best => Enumerable.Range(0, 3).Select(c => c == best ? 3f : 1f))];
        CtcPath path = CtcGreedyDecoder.Decode(logits, 3, Blank);
        Assert.Equal([2, 2, 1, 1], path.Tokens);
        Assert.Equal([1, 4, 5, 9], path.Frames);
        Assert.Equal(10 * (3 - Math.Log(Math.Exp(3) + (2 * Math.Exp(1)))), path.LogProbability, 1e-9);
        Assert.Empty(CtcGreedyDecoder.Decode([], 3, Blank).Tokens);
    }

    [Fact]
    public void NarrowBeamsOverLongInputKeepTheTreeSmallAndTheResultGood()
    {
        // 4,000 frames with a beam of 4: nodes that left the beam must go, and the kept text must be near the greedy one.
        float[] logits = Random(4000, 12, 3);
        for (int i = 0; i < logits.Length; i++)
        {
            logits[i] *= 4;
        }

        CtcPath beam = new CtcBeamDecoder(new CtcBeamOptions { Width = 4 }).Decode(logits, 12, Blank), greedy = CtcGreedyDecoder.Decode(logits, 12, Blank);
        Assert.InRange(beam.LogProbability, greedy.LogProbability, 0);
        Assert.Equal(beam.Tokens.Length, beam.Frames.Length);
        Assert.True(beam.Frames.Zip(beam.Frames.Skip(1)).All(pair => pair.First < pair.Second));
    }

    [Fact]
    public void BadInputIsNamed()
    {
        void Fails(string message, Action run) => Assert.Contains(message, Assert.Throws<CaldException>(run).Message, StringComparison.Ordinal);
        CtcBeamDecoder beam = new(new CtcBeamOptions());
        Fails("no whole number of frames", () => CtcGreedyDecoder.Decode(new float[7], 3, 0));
        Fails("the blank is class 3", () => CtcGreedyDecoder.Decode(new float[6], 3, 3));
        Fails("frame 1 has a logit that is no number", () => CtcGreedyDecoder.Decode([1, 2, 1, float.NaN], 2, 0));
        Fails("frame 0 has a logit that is no number", () => beam.Decode([float.PositiveInfinity, 2], 2, 0));
        Fails("a width of 0", () => _ = new CtcBeamDecoder(new CtcBeamOptions { Width = 0 }));
        Fails("give the vocabulary", () => _ = new CtcBeamDecoder(new CtcBeamOptions { WordBonus = 1 }));
        Fails("the vocabulary has 4 tokens", () => new CtcBeamDecoder(new CtcBeamOptions { Vocabulary = Letters }).Decode(new float[6], 3, 0));
    }

    private static ArpaLanguageModel Model(TemporaryFolder folder) => ArpaLanguageModel.Load(folder.Write("words.arpa", """
        \data\
        ngram 1=5
        ngram 2=3

        \1-grams:
        -1.5 <unk>
        -99 <s> -0.2
        -0.6 </s>
        -1.1 a -0.3
        -0.4 b -0.1

        \2-grams:
        -0.1 <s> b
        -0.5 b a
        -0.2 a </s>

        \end\
        """u8));

    private static void ForAll(Action<float[], int> property, int classes = 0, [System.Runtime.CompilerServices.CallerMemberName] string test = "") =>
        Prop.ForAll(Arb.From(Gen.Choose(0, 6)), Arb.From(Gen.Choose(2, 4)), Arb.From(Gen.Choose(0, 1_000_000)), (frames, some, seed) =>
        {
            int count = classes == 0 ? some : classes;
            property(Random(frames, count, seed), count);
        }).Holds(50, test);

    private static float[] Random(int frames, int classes, int seed)
    {
        System.Random random = new(seed);
        return [.. Enumerable.Range(0, frames * classes).Select(_ => (float)(random.NextDouble() * 4) - 2)];
    }

    /// <summary>Every text that some alignment spells.</summary>
    private static Dictionary<string, Text> Enumerate(float[] logits, int classes)
    {
        int frames = logits.Length / classes;
        Dictionary<string, Text> texts = [];
        for (int path = 0; path < (int)Math.Pow(classes, frames); path++)
        {
            double probability = 1;
            int before = Blank;
            List<int> tokens = [], starts = [];
            for (int t = 0, rest = path; t < frames; t++, rest /= classes)
            {
                int c = rest % classes;
                ReadOnlySpan<float> row = logits.AsSpan(t * classes, classes);
                double sum = 0;
                foreach (float x in row)
                {
                    sum += Math.Exp(x);
                }

                probability *= Math.Exp(row[c]) / sum;
                if (c != Blank && c != before)
                {
                    tokens.Add(c);
                    starts.Add(t);
                }

                before = c;
            }

            string key = string.Join(',', tokens);
            Text text = texts.GetValueOrDefault(key) ?? new Text([.. tokens], [], 0, 0);
            bool better = probability > text.Best;
            texts[key] = new Text(text.Tokens, better ? [.. starts] : text.Frames, text.Probability + probability, better ? probability : text.Best);
        }

        return texts;
    }

    /// <summary>A text, the sum over its alignments, and its best alignment.</summary>
    private sealed record Text(int[] Tokens, int[] Frames, double Probability, double Best);
}
