using System.Text.Json;
using LinearCald.Data.Speech;
using LinearCald.Distillation.Speech.Evaluation;
using LinearCald.Distillation.Speech.Transcription;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Tests.Speech;

/// <summary>Recognition and classification of clips by models with random weights.</summary>
public sealed class SpeechEvaluatorTests : IDisposable
{
    private readonly TinySpeech _speech = new();

    public void Dispose() => _speech.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RecognitionDoesNotDependOnTheBatches(bool student)
    {
        SpeechExample[] examples =
        [
            _speech.Clip("one", 4_000, "ab cad"), _speech.Clip("two", 9_100, "FACE  bag"), _speech.Clip("three", 1_000, "much too long for so short a clip"), _speech.Clip("four", 7_300, "x-ray"),
        ];
        using Wav2Vec2ForCTC model = TinySpeech.Recogniser(student);
        SpeechDecoder decoder = new(TinySpeech.Vocabulary);
        List<(int, int)> told = [];
        RecognitionResult together = SpeechEvaluator.Recognise(model, TinySpeech.Device, examples, decoder, new SpeechEvaluationOptions { Progress = (done, all) => told.Add((done, all)) });
        RecognitionResult alone = SpeechEvaluator.Recognise(model, TinySpeech.Device, examples, decoder, new SpeechEvaluationOptions { Batches = new SpeechBatchRule(1) });
        Assert.Equal([(4, 4)], told);
        Assert.Equal(examples.Select(e => e.Name), together.Utterances.Select(u => u.Example.Name));
        Assert.Equal(alone.Utterances.Select(u => u.Transcript.Hypothesis), together.Utterances.Select(u => u.Transcript.Hypothesis));
        Assert.All(together.Utterances.Zip(alone.Utterances), pair => Assert.True(
            pair.First.Loss.Equals(pair.Second.Loss) || Math.Abs(pair.First.Loss - pair.Second.Loss) < 1e-4 * pair.Second.Loss, $"{pair.First.Loss} and {pair.Second.Loss}"));
        Assert.Equal(["ab cad", "face bag", "much too long for so short a clip", "x-ray"], together.Utterances.Select(u => u.Transcript.Reference));
        Assert.Equal(1, together.Infeasible);
        Assert.Equal(together.Utterances.Where(u => u.Example.Name != "three").Sum(u => u.Loss) / (6 + 8 + 5), together.Loss, 1e-9);
        Assert.Equal(2 + 2 + 8 + 1, together.Report.Words.ReferenceLength);
        Assert.Equal(together.Report.Words.Rate, together.Metrics["wer"]);
        Assert.Equal(together.Report.Characters.Rate, together.Metrics["cer"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ClassificationIsThatOfEachClipAlone(bool student)
    {
        SpeechExample[] examples = [.. Enumerable.Range(0, 6).Select(i => _speech.Clip($"clip{i}", 2_000 + (700 * i), "", i % 3, i % 2))];
        using Wav2Vec2ForSequenceClassification model = TinySpeech.Classifier(student);
        ClassificationResult result = SpeechEvaluator.Classify(model, TinySpeech.Device, examples);
        double right = 0, both = 0, loss = 0;
        for (int i = 0; i < examples.Length; i++)
        {
            float[] wave = TinySpeech.Noise(examples[i].Samples, examples[i].Name.Sum(c => c));
            Data.Audio.Waveform.Normalise(wave);
            SpeechInput input = new(Tensor.From(TinySpeech.Device, new Shape(1, wave.Length), wave), null);
            float[] logits = model.Logits(model.Encode(model.Features(input.Samples), input, Nn.ForwardContext.Inference), null).ToArray<float>();
            int[] best = [Array.IndexOf(logits[..3], logits[..3].Max()), Array.IndexOf(logits[3..], logits[3..].Max())];
            Assert.Equal(best, result.Utterances[i].Predicted);
            IReadOnlyList<int> labels = examples[i].Labels;
            right += (best[0] == labels[0] ? 1 : 0) + (best[1] == labels[1] ? 1 : 0);
            both += best[0] == labels[0] && best[1] == labels[1] ? 1 : 0;
            loss += Surprise(logits[..3], labels[0]) + Surprise(logits[3..], labels[1]);
        }

        Assert.Equal(right / 12, result.Metrics["accuracy"], 1e-12);
        Assert.Equal(both / 6, result.Metrics["joint-accuracy"], 1e-12);
        Assert.Equal(loss / 12, result.Loss, 1e-4);
        Assert.Equal(["accuracy", "joint-accuracy", "accuracy-speaker", "accuracy-mood"], result.Metrics.Keys);

        JsonElement row = JsonDocument.Parse(result.Utterances[4].ToJson(result.Accuracy.Targets)).RootElement;
        Assert.Equal("bob", row.GetProperty("speaker").GetString());
        Assert.Equal("good", row.GetProperty("mood").GetString());
        Assert.Contains(row.GetProperty("mood_predicted").GetString(), (string[])["good", "bad"]);

        static double Surprise(float[] logits, int label) => Math.Log(logits.Sum(l => Math.Exp(l))) - logits[label];
    }

    [Fact]
    public void WhatCannotBeEvaluatedIsNamed()
    {
        using Wav2Vec2ForCTC model = TinySpeech.Recogniser(student: true);
        SpeechDecoder decoder = new(TinySpeech.Vocabulary);
        Assert.Contains("no utterances", Fails([], decoder), StringComparison.Ordinal);
        SpeechExample clip = _speech.Clip("brief", 399, "a");
        Assert.Contains($"{clip.File}: 399 samples at 16000 Hz (0.0249 s) are fewer than the 400", Fails([clip], decoder), StringComparison.Ordinal);
        Assert.Contains("vocab.json has 32 characters, the model's head 10 outputs", Fails([clip], new SpeechDecoder(CharacterVocabulary.English())), StringComparison.Ordinal);
        using Wav2Vec2ForSequenceClassification classifier = TinySpeech.Classifier(student: true);
        SpeechExample labelled = _speech.Clip("labelled", 800, "", 1, 2);
        string error = Assert.Throws<CaldException>(() => SpeechEvaluator.Classify(classifier, TinySpeech.Device, [labelled])).Message;
        Assert.Contains("labelled has the labels 1, 2; the model tells speaker (3 classes), mood (2 classes)", error, StringComparison.Ordinal);

        string Fails(SpeechExample[] examples, SpeechDecoder with) =>
            Assert.Throws<CaldException>(() => SpeechEvaluator.Recognise(model, TinySpeech.Device, examples, with)).Message;
    }
}
