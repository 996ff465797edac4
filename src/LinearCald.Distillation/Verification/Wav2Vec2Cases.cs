using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Models;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Verification;

/// <summary>A golden Wav2Vec2, recogniser or classifier: hidden states, logits, loss, frames of each utterance, and the gradient of every parameter.</summary>
internal static class Wav2Vec2Cases
{
    private const string FramesName = "feature_lengths";

    public static CaseResult Verify(Fixture fixture, Device device, Precision precision)
    {
        BuildContext build = BuildContext.For(device, 0);
        bool recogniser = fixture.Inputs.Entry("labels").Shape.Length == 2;
        using PretrainedWav2Vec2 model = recogniser ? Wav2Vec2Files.LoadCtc(fixture.Folder, build) : Wav2Vec2Files.LoadClassifier(fixture.Folder, build);
        using MemoryScope scope = MemoryScope.Begin();
        using Tape tape = Tape.Record();
        int[] samples = fixture.MaskLengths("attention_mask");
        SpeechInput input = new(
            fixture.Float("input_values", device),
            Tensor.From(device, new Shape(samples.Length), Array.ConvertAll(samples, n => model.Config.Frames(n))));
        ModelOutput output = model.Forward(input, new ForwardContext { HiddenStates = true, ComputeType = precision.ComputeType() });
        Tensor loss = recogniser ? CtcLoss(fixture, model.Config, output.Logits, input) : output.Logits.CrossEntropy(fixture.Integer("labels", device));
        ErrorMeter meter = new();
        GoldenModel.CompareOutputs(
            fixture,
            output,
            loss,
            meter,
            (i, actual, expected) => i == model.Config.Layers && model.Config.StableLayerNorm ? Closer(actual, expected, FinalNorm(model, expected, device)) : expected);
        if (fixture.Expected.Find(FramesName) is not null)
        {
            meter.Add(FramesName, FramesName, Array.ConvertAll(samples, n => (double)model.Config.Frames(n)), fixture.ExpectedValues(FramesName));
        }

        double scale = GoldenBackward.Run(tape, loss, precision);
        Dictionary<string, Tensor> parameters = model.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter.Value);
        GoldenModel.CompareGradients(fixture, parameters, scale, meter, name => parameters.GetValueOrDefault(Wav2Vec2Files.CurrentName(name)));
        return meter.Result(fixture.Name, device.Name, precision.ModelBudget());
    }

    /// <summary>
    /// In the stable variant the last hidden state is the result of the final norm, as transformers up to 4 lists it; transformers 5 lists what enters that norm. This is
    /// what the norm makes of it.
    /// </summary>
    private static double[] FinalNorm(PretrainedWav2Vec2 model, double[] state, Device device)
    {
        const string Norm = "wav2vec2.encoder.layer_norm.";
        Dictionary<string, Tensor> parameters = model.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter.Value.Detach());
        int width = model.Config.HiddenSize;
        Tensor x = Tensor.From(device, new Shape(state.Length / width, width), Array.ConvertAll(state, v => (float)v));
        return Fixture.Values(x.LayerNorm(parameters[Norm + "weight"], parameters[Norm + "bias"], model.Config.LayerNormEpsilon));
    }

    private static double[] Closer(double[] actual, double[] a, double[] b) => Distance(actual, a) < Distance(actual, b) ? a : b;

    private static double Distance(double[] a, double[] b) => a.Zip(b, (x, y) => (x - y) * (x - y)).Sum();

    /// <summary>The sum over utterances, or as transformers takes the mean: over utterances of the loss a label.</summary>
    private static Tensor CtcLoss(Fixture fixture, Wav2Vec2Config config, Tensor logits, SpeechInput input)
    {
        int batch = logits.Shape[0];
        int[] labels = fixture.Integers("labels");
        int longest = labels.Length / batch;
        int[] lengths = new int[batch];
        for (int b = 0; b < batch; b++)
        {
            ReadOnlySpan<int> row = labels.AsSpan(b * longest, longest);
            int padding = row.IndexOfAnyInRange(int.MinValue, -1);
            lengths[b] = padding < 0 ? longest : padding;
        }

        Tensor losses = logits.CtcLoss(
            Tensor.From(logits.Device, new Shape(batch, longest), labels),
            input.FrameLengths!,
            Tensor.From(logits.Device, new Shape(batch), lengths),
            config.PaddingId,
            config.CtcZeroInfinity);
        if (config.CtcReduction == Reduction.Sum)
        {
            return losses.Sum();
        }

        float[] counts = Array.ConvertAll(lengths, n => (float)Math.Max(1, n));
        return losses.Divide(Tensor.From(logits.Device, new Shape(batch), counts)).Mean();
    }
}
