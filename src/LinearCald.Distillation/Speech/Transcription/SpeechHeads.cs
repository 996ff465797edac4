using System.Globalization;
using LinearCald.Data.Speech;
using LinearCald.Data.Speech.Decoding;
using LinearCald.Distillation.Speech.Evaluation;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Speech.Transcription;

/// <summary>What transcribing and evaluating have in common: a pass of a recogniser, and its decoding.</summary>
internal static class SpeechHeads
{
    /// <summary>[B, T, V], whole utterances in one pass.</summary>
    public static Tensor Logits(Wav2Vec2ForCTC model, SpeechInput input, DType? type)
    {
        ForwardContext context = new() { ComputeType = type };
        return model.Logits(model.Encode(model.Features(input.Samples, context), input, context, null));
    }

    /// <summary>Decodes the valid frames of every utterance, several at a time.</summary>
    /// <param name="logits">[B, T, V].</param>
    /// <param name="frames">[B].</param>
    /// <param name="decoder">With the model's characters.</param>
    public static CtcPath[] Decode(Tensor logits, int[] frames, SpeechDecoder decoder)
    {
        float[] values = logits.To(DType.Float32).ToArray<float>();
        int length = logits.Shape[1], classes = logits.Shape[2];
        return Concurrent.Select(frames.Length, b => decoder.Decode(values.AsSpan(b * length * classes, frames[b] * classes)));
    }

    /// <exception cref="CaldException">The characters are more or fewer than the head's outputs.</exception>
    public static void RequireFit(Wav2Vec2ForCTC model, CharacterVocabulary vocabulary)
    {
        if (vocabulary.Size != model.Config.VocabularySize)
        {
            throw new CaldException($"vocab.json has {vocabulary.Size} characters, the model's head {model.Config.VocabularySize} outputs; use the vocabulary that the model was trained with");
        }
    }

    public static CaldException TooShort(Wav2Vec2Config config, string name, int samples) => new(string.Create(
        CultureInfo.InvariantCulture,
        $"{name}: {samples} samples at {config.Preprocessor.SamplingRate} Hz ({samples / (double)config.Preprocessor.SamplingRate:0.####} s) are fewer than the {config.ReceptiveField} that one frame of the model needs"));
}
