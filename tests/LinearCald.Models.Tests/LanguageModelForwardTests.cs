using FsCheck.Fluent;
using LinearCald.Models.GptNeoX;
using LinearCald.Models.Language;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Tests;

/// <summary>Properties of whole language models: generation against full passes, padding, documents, gradients, checkpointing.</summary>
public sealed class LanguageModelForwardTests
{
    private const int Width = 24;

    public static TheoryData<string> Kinds => ["parallel", "sequential", "student", "sequential student", "mamba", "mamba2"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void ReadingInPiecesIsReadingAtOnce(string kind)
    {
        using LayeredLanguageModel model = LanguageModels.Build(kind);
        Prop.ForAll(Gen.Choose(1, 9).NonEmptyListOf().ToArbitrary(), Gen.Choose(1, 3).ToArbitrary(), Gen.Choose(0, 1000).ToArbitrary(), (pieces, batch, seed) =>
        {
            int[] cuts = [.. pieces.Take(8)];
            int length = cuts.Sum();
            int[] ids = LanguageModels.Text(batch * length, seed);
            float[] whole = LanguageModels.Encode(model, ids, batch);
            using DecodingState memory = model.NewDecodingState(batch, length);
            long empty = memory.Bytes;
            for (int pass = 0; pass < 2; pass++)
            {
                float[] pieced = new float[whole.Length];
                int from = 0;
                foreach (int count in cuts)
                {
                    int[] part = [.. Enumerable.Range(0, batch).SelectMany(b => ids.Skip((b * length) + from).Take(count))];
                    float[] y = LanguageModels.Encode(model, part, batch, memory: memory);
                    for (int b = 0; b < batch; b++)
                    {
                        y.AsSpan(b * count * Width, count * Width).CopyTo(pieced.AsSpan(((b * length) + from) * Width));
                    }

                    from += count;
                    Assert.Equal(from, memory.Position);
                }

                LanguageModels.Close(whole, pieced, kind);
                Assert.Equal(model.MaximumPositions is null ? empty : 2L * 2 * batch * length * Width * sizeof(float), memory.Bytes);
                memory.Reset(); // the second time round, nothing of the first is left
                Assert.Equal(0, memory.Position);
            }
        }).Holds(12);
    }

    [Theory]
    [InlineData("student")]
    [InlineData("mamba")]
    [InlineData("mamba2")]
    public void TextsOfDifferentLengthsShareTheMemoryOfARecurrentModel(string kind)
    {
        using LayeredLanguageModel model = LanguageModels.Build(kind);
        Prop.ForAll(Gen.Choose(1, 7).Two().ToArbitrary(), Gen.Choose(0, 1000).ToArbitrary(), (counts, seed) =>
        {
            int[] a = LanguageModels.Text(counts.Item1 + 3, seed);
            int[] b = LanguageModels.Text(counts.Item2 + 3, seed + 1);
            int length = Math.Max(counts.Item1, counts.Item2);
            int[] prompts = [.. a.Take(counts.Item1), .. new int[length - counts.Item1], .. b.Take(counts.Item2), .. new int[length - counts.Item2]];
            using DecodingState memory = model.NewDecodingState(2, 1);
            LanguageModels.Encode(model, prompts, 2, [counts.Item1, counts.Item2], memory: memory);
            float[] rest = LanguageModels.Encode(model, [.. a.Skip(counts.Item1), .. b.Skip(counts.Item2)], 2, memory: memory);
            LanguageModels.Close(LanguageModels.Encode(model, a, 1)[^(3 * Width)..], rest[..(3 * Width)], kind);
            LanguageModels.Close(LanguageModels.Encode(model, b, 1)[^(3 * Width)..], rest[(3 * Width)..], kind);
        }).Holds(10);
    }

    [Fact]
    public void ACacheGrowsBeyondItsFirstBlock()
    {
        using GptNeoXForCausalLM model = new(BuildContext.For(LanguageModels.Cpu, 3), LanguageModels.Transformer with { MaximumPositions = 700, Layers = 1 });
        int[] ids = LanguageModels.Text(2 * 600, 4);
        float[] whole = LanguageModels.Encode(model, ids, 2);
        using DecodingState memory = model.NewDecodingState(2, 600);
        int[] cuts = [250, 1, 1, 20, 300, 28];
        int from = 0;
        foreach (int count in cuts)
        {
            float[] y = LanguageModels.Encode(model, [.. ids.Skip(from).Take(count), .. ids.Skip(600 + from).Take(count)], 2, memory: memory);
            for (int b = 0; b < 2; b++)
            {
                LanguageModels.Close(whole.AsSpan(((b * 600) + from) * Width, count * Width).ToArray(), y.AsSpan(b * count * Width, count * Width).ToArray());
            }

            from += count;
        }

        CaldException full = Assert.Throws<CaldException>(() => LanguageModels.Encode(model, [1, 2], 2, memory: memory));
        Assert.Contains("600 of at most 600 tokens", full.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void WhatStandsBehindATextNeverReachesIt(string kind)
    {
        using LayeredLanguageModel model = LanguageModels.Build(kind);
        Prop.ForAll(Gen.Choose(1, 12).Two().ToArbitrary(), Gen.Choose(0, 1000).ToArbitrary(), (counts, seed) =>
        {
            int[] a = LanguageModels.Text(counts.Item1, seed);
            int[] b = LanguageModels.Text(counts.Item2, seed + 1);
            int length = Math.Max(a.Length, b.Length) + 3;
            int[] padded = [.. a, .. LanguageModels.Text(length - a.Length, seed + 2), .. b, .. LanguageModels.Text(length - b.Length, seed + 3)];
            foreach (int[]? lengths in (int[]?[])[null, [a.Length, b.Length]])
            {
                float[] y = LanguageModels.Encode(model, padded, 2, lengths);
                LanguageModels.Close(LanguageModels.Encode(model, a, 1), y.AsSpan(0, a.Length * Width).ToArray(), kind);
                LanguageModels.Close(LanguageModels.Encode(model, b, 1), y.AsSpan(length * Width, b.Length * Width).ToArray(), kind);
            }
        }).Holds(10);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void DocumentsOfARowAreAsEachAlone(string kind)
    {
        using LayeredLanguageModel model = LanguageModels.Build(kind);
        Prop.ForAll(Gen.Choose(1, 9).NonEmptyListOf().ToArbitrary(), Gen.Choose(0, 1000).ToArbitrary(), (lengths, seed) =>
        {
            int[][] documents = [.. lengths.Take(5).Select((n, i) => LanguageModels.Text(n, seed + i))];
            int[] numbers = [.. documents.SelectMany((d, i) => Enumerable.Repeat(i, d.Length))];
            float[] packed = LanguageModels.Encode(model, [.. documents.SelectMany(d => d)], 1, sequences: numbers);
            float[] alone = [.. documents.SelectMany(d => LanguageModels.Encode(model, d, 1))];
            LanguageModels.Close(alone, packed, kind);
            int[] two = [.. documents.SelectMany(d => d)];
            float[] beside = LanguageModels.Encode(model, [.. two, .. two], 2, sequences: [.. numbers, .. numbers.Select(_ => 3)]);
            LanguageModels.Close([.. alone, .. LanguageModels.Encode(model, two, 1)], beside, kind);
        }).Holds(10);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void TheGradientIsThatOfTheLoss(string kind)
    {
        // Float64 end to end: a directional derivative of each parameter against a central difference.
        using LayeredLanguageModel model = LanguageModels.Build(kind, 8, DType.Float64);
        int[] ids = LanguageModels.Text(2 * 7, 5);
        ModelGradient.IsThatOf(model, () =>
        {
            Tensor input = Tensor.From(LanguageModels.Cpu, new Shape(2, 7), ids);
            Tensor logits = model.Forward(new LanguageInput(input), ForwardContext.Inference).Logits;
            return logits.Reshape(-1, LanguageModels.Vocabulary).CrossEntropy(input.Reshape(-1));
        });
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void CheckpointingGivesTheSameGradientsWithDropout(string kind)
    {
        LanguageModelConfig config = LanguageModels.Config(kind) switch
        {
            GptNeoXConfig c => c with { HiddenDropout = 0.2, AttentionDropout = 0.1 },
            { } other => other,
        };
        using LayeredLanguageModel model = LanguageModelFiles.Build(config, BuildContext.For(LanguageModels.Cpu, 2));
        int[] ids = LanguageModels.Text(3 * 11, 6);
        float[][] Gradients(bool checkpointing)
        {
            using MemoryScope scope = MemoryScope.Begin();
            using Tape tape = Tape.Record();
            Tensor input = Tensor.From(LanguageModels.Cpu, new Shape(3, 11), ids);
            ForwardContext context = new() { Dropout = new RandomGenerator(4), Checkpointing = checkpointing, HiddenStates = true };
            ModelOutput output = model.Forward(new LanguageInput(input), context);
            Assert.Equal(model.Layers + 1, output.HiddenStates!.Count);
            Tensor loss = output.Logits.Reshape(-1, LanguageModels.Vocabulary).CrossEntropy(input.Reshape(-1));
            tape.Backward(loss.Add(output.HiddenStates[1].Apply(Activation.Square).Mean()));
            float[][] gradients = [.. model.NamedParameters().Select(p => p.Parameter.Value.Gradient!.ToArray<float>())];
            model.ClearGradients();
            return gradients;
        }

        float[][] plain = Gradients(false);
        float[][] again = Gradients(true);
        for (int i = 0; i < plain.Length; i++)
        {
            LanguageModels.Close(plain[i], again[i], kind); // to rounding: a state's own loss is added elsewhere in the sum
        }
    }

    [Fact]
    public void HiddenStatesBeginWithTheEmbeddingsAndEndWithTheResult()
    {
        using LayeredLanguageModel model = LanguageModels.Build("student");
        using MemoryScope scope = MemoryScope.Begin();
        Tensor ids = Tensor.From(LanguageModels.Cpu, new Shape(1, 4), [3, 1, 4, 1]);
        List<Tensor> states = [];
        Tensor y = model.Encode(new LanguageInput(ids), ForwardContext.Inference, states);
        float[] table = model.NamedParameters().Single(p => p.Name == "gpt_neox.embed_in.weight").Parameter.Value.ToArray<float>();
        Assert.Equal(model.Layers + 1, states.Count);
        Assert.Equal(table.AsSpan(3 * Width, Width).ToArray(), states[0].Narrow(1, 0, 1).ToArray<float>());
        Assert.Same(y, states[^1]);
    }

    [Fact]
    public void BadInputIsRefusedWithAReason()
    {
        using LayeredLanguageModel teacher = LanguageModels.Build("parallel");
        using LayeredLanguageModel student = LanguageModels.Build("student");
        Assert.Contains("65 tokens is longer than the 64 positions", Refused(() => LanguageModels.Encode(teacher, new int[65], 1)), StringComparison.Ordinal);
        Assert.Equal(300 * Width, LanguageModels.Encode(student, LanguageModels.Text(300, 1), 1).Length);
        using DecodingState memory = teacher.NewDecodingState(1, 64);
        LanguageModels.Encode(teacher, new int[60], 1, memory: memory);
        Assert.Contains("65 tokens is longer", Refused(() => LanguageModels.Encode(teacher, new int[5], 1, memory: memory)), StringComparison.Ordinal);
        Assert.Contains("texts of different lengths", Refused(() => LanguageModels.Encode(teacher, [1, 2], 1, [1], memory: memory)), StringComparison.Ordinal);
        Assert.Contains("several documents", Refused(() => LanguageModels.Encode(teacher, [1, 2], 1, sequences: [0, 1], memory: memory)), StringComparison.Ordinal);
        Assert.Contains("made by another model", Refused(() => LanguageModels.Encode(student, [1], 1, memory: memory)), StringComparison.Ordinal);
        Assert.Contains("is for 1 texts, the input has 2", Refused(() => LanguageModels.Encode(teacher, [1, 2], 2, memory: memory)), StringComparison.Ordinal);
        Assert.Contains("outside", Refused(() => LanguageModels.Encode(student, [LanguageModels.Vocabulary], 1)), StringComparison.Ordinal);
        using Tape tape = Tape.Record();
        Assert.Contains("cannot be recorded", Refused(() => LanguageModels.Encode(teacher, [1], 1, memory: memory)), StringComparison.Ordinal);
    }

    private static string Refused(Action action) => Assert.Throws<CaldException>(action).Message;
}
