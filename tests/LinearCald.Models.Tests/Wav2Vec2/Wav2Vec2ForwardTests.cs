using FsCheck.Fluent;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Tests.Wav2Vec2;

/// <summary>Properties of whole models: padding, batches, directions, masks, left-out layers, checkpointing, gradients.</summary>
public sealed class Wav2Vec2ForwardTests
{
    private static float[][] Waves(int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, 4).Select(i => SpeechModels.Wave(16 + random.Next(200), seed + i))];
    }

    [Theory]
    [InlineData("large")]
    [InlineData("large student")]
    [InlineData("large student with biases")]
    public void WhatPaddingHoldsReachesNothing(string kind)
    {
        using Wav2Vec2ForCTC recogniser = SpeechModels.Recogniser(kind);
        using Wav2Vec2ForSequenceClassification classifier = SpeechModels.Classifier(kind);
        Prop.ForAll(Gen.Choose(0, 10_000).ToArbitrary(), seed =>
        {
            Random random = new(seed);
            float[][] waves = Waves(seed);
            SpeechInput silent = SpeechModels.Batch(recogniser.Config, waves);
            SpeechInput noisy = SpeechModels.Batch(recogniser.Config, waves, _ => (float)(200 * (random.NextDouble() - 0.5)));
            Assert.Equal(SpeechModels.Outputs(recogniser, silent), SpeechModels.Outputs(recogniser, noisy));
            Assert.Equal(SpeechModels.Outputs(classifier, silent), SpeechModels.Outputs(classifier, noisy));
        }).Holds(5);
    }

    [Theory]
    [InlineData("large")]
    [InlineData("large student")]
    [InlineData("large student with biases")]
    public void AnUtteranceInABatchIsAnUtteranceAlone(string kind)
    {
        using Wav2Vec2ForCTC recogniser = SpeechModels.Recogniser(kind);
        using Wav2Vec2ForSequenceClassification classifier = SpeechModels.Classifier(kind);
        Prop.ForAll(Gen.Choose(0, 10_000).ToArbitrary(), seed =>
        {
            float[][] waves = Waves(seed);
            foreach (PretrainedWav2Vec2 model in (PretrainedWav2Vec2[])[recogniser, classifier])
            {
                float[][] together = SpeechModels.Outputs(model, SpeechModels.Batch(model.Config, waves));
                for (int b = 0; b < waves.Length; b++)
                {
                    LanguageModels.Close(SpeechModels.Outputs(model, SpeechModels.Batch(model.Config, [waves[b]]))[0], together[b]);
                }
            }
        }).Holds(5);
    }

    [Fact]
    public void DirectionsOfEqualWeightsCommuteWithTurningUtterancesRound()
    {
        using BiMamba2Mixer mixer = new(BuildContext.For(SpeechModels.Cpu, 5), 16, SpeechModels.Mixer);
        Dictionary<string, Parameter> parameters = mixer.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter);
        foreach ((string name, Parameter parameter) in parameters.Where(p => p.Key.StartsWith("bw_mamba.", StringComparison.Ordinal)))
        {
            parameter.Value.CopyFrom(parameters[name.Replace("bw_", "fw_", StringComparison.Ordinal)].Value);
        }

        Prop.ForAll(Gen.Choose(0, 10_000).ToArbitrary(), seed =>
        {
            const int Length = 23;
            Random random = new(seed);
            int[] lengths = [Length, random.Next(1, Length + 1), random.Next(1, Length + 1)];
            float[] x = [.. Enumerable.Range(0, 3 * Length * 16).Select(_ => (float)(random.NextDouble() - 0.5))];
            float[] y = Run(x);
            LanguageModels.Close(Turned(y), Run(Turned(x)));
            for (int b = 0; b < lengths.Length; b++)
            {
                Assert.All(y[(((b * Length) + lengths[b]) * 16)..((b + 1) * Length * 16)], v => Assert.Equal(0, v));
            }

            float[] Run(float[] values)
            {
                using MemoryScope scope = MemoryScope.Begin();
                Tensor valid = Tensor.From(SpeechModels.Cpu, new Shape(3), lengths);
                return mixer.Forward(Tensor.From(SpeechModels.Cpu, new Shape(3, Length, 16), values), valid, ForwardContext.Inference).ToArray<float>();
            }

            float[] Turned(float[] values)
            {
                float[] turned = (float[])values.Clone();
                for (int b = 0; b < lengths.Length; b++)
                {
                    for (int t = 0; t < lengths[b]; t++)
                    {
                        values.AsSpan(((b * Length) + t) * 16, 16).CopyTo(turned.AsSpan(((b * Length) + lengths[b] - 1 - t) * 16));
                    }
                }

                return turned;
            }
        }).Holds(10);
    }

    [Fact]
    public void TheResidualInsideAddsTheMixersInput()
    {
        using BiMamba2Mixer plain = new(BuildContext.For(SpeechModels.Cpu, 5), 16, SpeechModels.Mixer);
        using BiMamba2Mixer inside = new(BuildContext.For(SpeechModels.Cpu, 5), 16, SpeechModels.Mixer with { ResidualInside = true });
        using MemoryScope scope = MemoryScope.Begin();
        Tensor x = Tensor.From(SpeechModels.Cpu, new Shape(2, 9, 16), SpeechModels.Wave(2 * 9 * 16, 3));
        Tensor lengths = Tensor.From(SpeechModels.Cpu, new Shape(2), (ReadOnlySpan<int>)[9, 4]);
        float[] expected = plain.Forward(x, lengths, ForwardContext.Inference).Add(x).ToArray<float>();
        Assert.Equal(expected, inside.Forward(x, lengths, ForwardContext.Inference).ToArray<float>()); // also on padding, as the reference has it
    }

    [Fact]
    public void HiddenStatesAreThoseOfHuggingFace()
    {
        foreach (string kind in (string[])["base", "large", "base student", "large student"])
        {
            using Wav2Vec2ForCTC model = SpeechModels.Recogniser(kind);
            using MemoryScope scope = MemoryScope.Begin();
            SpeechInput input = SpeechModels.Batch(model.Config, Waves(3));
            List<Tensor> states = [];
            Tensor hidden = model.Encode(model.Features(input.Samples), input, ForwardContext.Inference, states);
            Assert.Equal(model.Config.Layers + 1, states.Count);
            Assert.Equal(hidden.ToArray<float>(), states[^1].ToArray<float>());
            Assert.NotEqual(states[^2].ToArray<float>(), states[^1].ToArray<float>());
            Assert.Equal(
                model.Logits(hidden).ToArray<float>(),
                model.Forward(input, new ForwardContext { HiddenStates = true }).Logits.ToArray<float>());
        }
    }

    [Fact]
    public void SeveralTargetsStandSideBySide()
    {
        ClassificationTarget tone = new("tone", ["low", "high"]);
        ClassificationTarget speaker = new("speaker", ["a", "b", "c"]);
        foreach (int projection in (int[])[0, 5])
        {
            Wav2Vec2Config config = SpeechModels.Config("large student") with { Targets = [tone, speaker], ClassifierProjection = projection };
            using Wav2Vec2ForSequenceClassification both = new(BuildContext.For(SpeechModels.Cpu, 4), config);
            using Wav2Vec2ForSequenceClassification one = new(BuildContext.For(SpeechModels.Cpu, 9), config with { Targets = [speaker] });
            Dictionary<string, Parameter> source = both.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter);
            Assert.Equal(projection > 0, source.ContainsKey("projector.weight"));
            foreach ((string name, Parameter parameter) in one.NamedParameters())
            {
                parameter.Value.CopyFrom(source[name.Replace("classifier.", "classifier.1.", StringComparison.Ordinal)].Value);
            }

            SpeechInput input = SpeechModels.Batch(config, Waves(8));
            float[][] together = SpeechModels.Outputs(both, input);
            float[][] alone = SpeechModels.Outputs(one, input);
            for (int b = 0; b < together.Length; b++)
            {
                Assert.Equal(5, together[b].Length);
                Assert.Equal(alone[b], together[b][2..]);
            }
        }
    }

    [Fact]
    public void MaskedFramesAreTheEmbedding()
    {
        using Wav2Vec2ForCTC model = SpeechModels.Recogniser("large");
        SpeechInput one = SpeechModels.Batch(model.Config, Waves(1));
        SpeechInput other = one with { Samples = Tensor.Full(SpeechModels.Cpu, DType.Float32, one.Samples.Shape, 0.1) };
        int frames = model.Config.Frames(one.Samples.Shape[1]);
        Tensor all = Tensor.Full(SpeechModels.Cpu, DType.Int32, new Shape(4, frames), 1);
        Assert.NotEqual(SpeechModels.Outputs(model, one), SpeechModels.Outputs(model, other));
        Assert.Equal(SpeechModels.Outputs(model, one with { TimeMask = all }), SpeechModels.Outputs(model, other with { TimeMask = all }));

        Tensor features = Tensor.Full(SpeechModels.Cpu, DType.Int32, new Shape(4, 16), 1);
        Assert.Equal(SpeechModels.Outputs(model, one with { FeatureMask = features }), SpeechModels.Outputs(model, other with { FeatureMask = features, TimeMask = all }));

        using Wav2Vec2ForCTC without = new(BuildContext.For(SpeechModels.Cpu, 1), model.Config with { TimeMaskProbability = 0 });
        Assert.Contains("mask_time_prob", Assert.Throws<CaldException>(() => SpeechModels.Outputs(without, one with { TimeMask = all })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LayersAreLeftOutInTrainingOnly()
    {
        Wav2Vec2Config config = SpeechModels.Config("base") with { Layers = 8, LayerDrop = 0.3 };
        using Wav2Vec2ForCTC model = new(BuildContext.For(SpeechModels.Cpu, 2), config);
        SpeechInput input = SpeechModels.Batch(config, [SpeechModels.Wave(40, 1)]);
        bool[] LeftOut(ForwardContext context)
        {
            using MemoryScope scope = MemoryScope.Begin();
            List<Tensor> states = [];
            model.Encode(model.Features(input.Samples), input, context, states);
            return [.. states.Zip(states.Skip(1), ReferenceEquals)];
        }

        bool[] drawn = [.. Enumerable.Range(0, 60).SelectMany(step => LeftOut(new ForwardContext { Dropout = new RandomGenerator((ulong)step) }))];
        Assert.InRange(drawn.Count(left => left) / (double)drawn.Length, 0.22, 0.38); // 480 draws: ± 3.8 standard deviations
        Assert.Equal(LeftOut(new ForwardContext { Dropout = new RandomGenerator(7) }), LeftOut(new ForwardContext { Dropout = new RandomGenerator(7) }));
        Assert.DoesNotContain(true, LeftOut(ForwardContext.Inference));
    }

    [Theory]
    [InlineData("base")]
    [InlineData("large student")]
    public void CheckpointingGivesTheSameBitsWithDropout(string kind)
    {
        Wav2Vec2Config config = SpeechModels.Config(kind) with
        {
            Layers = 4,
            LayerDrop = 0.2,
            HiddenDropout = 0.2,
            ActivationDropout = 0.1,
            AttentionDropout = 0.1,
            FeatureProjectionDropout = 0.1,
            FinalDropout = 0.1,
        };
        using Wav2Vec2ForCTC model = new(BuildContext.For(SpeechModels.Cpu, 3), config);
        SpeechInput input = SpeechModels.Batch(config, Waves(6));
        float[]?[] Gradients(bool checkpointing)
        {
            using MemoryScope scope = MemoryScope.Begin();
            using Tape tape = Tape.Record();
            ForwardContext context = new() { Dropout = new RandomGenerator(4), Checkpointing = checkpointing };
            tape.Backward(model.Forward(input, context).Logits.Apply(Activation.Square).Sum());
            float[]?[] gradients = [.. model.NamedParameters().Select(p => p.Parameter.Value.Gradient?.ToArray<float>())];
            model.ClearGradients();
            return gradients;
        }

        float[]?[] plain = Gradients(false);
        Assert.Contains(plain, g => g is not null);
        Assert.Equal(plain, Gradients(true));
    }

    [Theory]
    [InlineData("base")]
    [InlineData("base student")]
    [InlineData("large student")]
    [InlineData("large student with biases")]
    public void TheGradientOfAWholeModelIsThatOfItsLoss(string kind)
    {
        // Float64 end to end, with masks and two targets: along a random direction of each parameter, against a central difference.
        Wav2Vec2Config config = SpeechModels.Config(kind) with { Targets = [new ClassificationTarget("a", ["0", "1"]), new ClassificationTarget("b", ["0", "1", "2"])] };
        using Wav2Vec2ForSequenceClassification model = new(new BuildContext(SpeechModels.Cpu, DType.Float64, new RandomGenerator(8)), config);
        SpeechInput waves = SpeechModels.Batch(config, [SpeechModels.Wave(150, 1), SpeechModels.Wave(100, 2)]);
        int frames = config.Frames(150);
        SpeechInput input = waves with
        {
            TimeMask = Tensor.From(SpeechModels.Cpu, new Shape(2, frames), [.. Enumerable.Range(0, 2 * frames).Select(t => t % 5 == 1 ? 1 : 0)]),
            FeatureMask = Tensor.From(SpeechModels.Cpu, new Shape(2, 16), [.. Enumerable.Range(0, 32).Select(i => i % 7 == 3 ? 1 : 0)]),
        };
        ModelGradient.IsThatOf(model, () =>
        {
            Tensor logits = model.Forward(input, ForwardContext.Inference).Logits; // [2, 5]
            return logits.Narrow(1, 0, 2).CrossEntropy(Tensor.From(SpeechModels.Cpu, new Shape(2), (ReadOnlySpan<int>)[0, 1]))
                .Add(logits.Narrow(1, 2, 3).CrossEntropy(Tensor.From(SpeechModels.Cpu, new Shape(2), (ReadOnlySpan<int>)[2, 1])));
        });
    }
}
