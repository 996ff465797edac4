using FsCheck;
using FsCheck.Fluent;
using LinearCald.Models.Language.Generation;
using LinearCald.Models.Tests.Language;
using LinearCald.Tensors;

namespace LinearCald.Models.Tests.Generation;

public sealed class TokenGeneratorTests
{
    private const int Vocabulary = 31;

    [Fact]
    public void Greedy_text_is_that_of_whole_passes_whatever_the_chunks()
    {
        using RecurrentTableModel model = new(Vocabulary, 6);
        Arbitrary<(int[] Prompt, int Chunk)> cases =
            (from prompt in Gen.Choose(0, Vocabulary - 1).NonEmptyListOf()
             from chunk in Gen.Elements(1, 3, 512)
             select (prompt.ToArray(), chunk)).ToArbitrary();
        Prop.ForAll(cases, c =>
        {
            int[] text = All(model, c.Prompt, new GenerationOptions { MaxNewTokens = 12, PrefillChunk = c.Chunk });
            List<int> whole = [.. c.Prompt];
            foreach (int token in text)
            {
                double[] p = model.LogProbabilities(whole)[^1];
                Assert.Equal(p.Max(), p[token], 1e-5);
                whole.Add(token);
            }

            Assert.Equal(12, text.Length);
        }).Holds();
    }

    [Fact]
    public void The_end_of_text_ends_and_is_not_given()
    {
        using RecurrentTableModel model = new(Vocabulary, 6);
        int[] text = All(model, [3, 4], new GenerationOptions { MaxNewTokens = 40 });
        int end = text[5];
        int first = Array.IndexOf(text, end);
        using TokenGenerator generator = new(model, Device.Parse("cpu"), [3, 4], new GenerationOptions { MaxNewTokens = 40, EndOfText = end });
        for (int i = 0; i < first; i++)
        {
            Assert.Equal(text[i], generator.Next());
        }

        Assert.Null(generator.Next());
        Assert.Null(generator.Next());
        Assert.Equal((GenerationEnd.EndOfText, first), (generator.End, generator.NewTokens));

        int[] longer = All(model, [3, 4], new GenerationOptions { MaxNewTokens = 40, MinNewTokens = 20, EndOfText = end });
        Assert.InRange(longer.Length, 20, 40);
        Assert.DoesNotContain(end, longer);
    }

    [Fact]
    public void Figures_are_those_of_the_run()
    {
        using RecurrentTableModel model = new(Vocabulary, 6);
        using TokenGenerator generator = new(model, Device.Parse("cpu"), [1, 2, 3], new GenerationOptions { MaxNewTokens = 5 });
        Assert.Equal(TimeSpan.Zero, generator.TimeToFirstToken);
        Assert.True(double.IsNaN(generator.TokensPerSecond));
        while (generator.Next() is not null)
        {
        }

        Assert.Equal((3, 5, GenerationEnd.Length, 24L), (generator.PromptTokens, generator.NewTokens, generator.End, generator.StateBytes));
        Assert.True(generator.TimeToFirstToken > TimeSpan.Zero);
        Assert.True(generator.TokensPerSecond > 0);
    }

    [Fact]
    public void Sampled_text_depends_on_the_seed_alone()
    {
        using RecurrentTableModel model = new(Vocabulary, 6);
        GenerationOptions options = new() { MaxNewTokens = 30, Temperature = 2, TopK = 20, TopP = 0.95, Seed = 5 };
        Assert.Equal(All(model, [1], options), All(model, [1], options));
        Assert.NotEqual(All(model, [1], options), All(model, [1], options with { Seed = 6 }));
    }

    [Fact]
    public void What_cannot_be_continued_is_refused_before_the_start()
    {
        using RecurrentTableModel model = new(Vocabulary, 6, positions: 10);
        Assert.Contains("the prompt is empty", Fails([], 4), StringComparison.Ordinal);
        Assert.Contains("token 31 of the prompt is beyond the vocabulary of 31", Fails([31], 4), StringComparison.Ordinal);
        string tooLong = Fails([1, 2, 3, 4], 7);
        Assert.Contains("4 tokens and 7 new ones are more than the 10 positions", tooLong, StringComparison.Ordinal);
        Assert.Contains("at most 6 new tokens", tooLong, StringComparison.Ordinal);
        Assert.Empty(model.BatchSizes);
        Assert.Equal(6, All(model, [1, 2, 3, 4], new GenerationOptions { MaxNewTokens = 6 }).Length);

        string Fails(int[] prompt, int newTokens) => Assert.Throws<CaldException>(
            () => new TokenGenerator(model, Device.Parse("cpu"), prompt, new GenerationOptions { MaxNewTokens = newTokens })).Message;
    }

    private static int[] All(RecurrentTableModel model, int[] prompt, GenerationOptions options)
    {
        using TokenGenerator generator = new(model, Device.Parse("cpu"), prompt, options);
        List<int> text = [];
        while (generator.Next() is { } token)
        {
            text.Add(token);
        }

        return [.. text];
    }
}
