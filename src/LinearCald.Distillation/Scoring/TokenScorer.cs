using LinearCald.Models.Language;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Scoring;

/// <summary>What a model says about one token, given those before it.</summary>
/// <param name="LogLikelihood">Natural logarithm of its probability.</param>
/// <param name="IsGreedy">Whether no token is more likely.</param>
public readonly record struct TokenScore(double LogLikelihood, bool IsGreedy);

/// <summary>
/// A causal language model as a judge of given tokens, without dropout and without a tape. Logits are made for the positions that are asked for only, and at most
/// <see cref="MostLogits"/> at a time, whatever the batch and the vocabulary.
/// </summary>
/// <param name="model">Any causal language model.</param>
/// <param name="device">Where it is.</param>
/// <param name="computeType">The type of activations; null for float32. Logits are float32 always.</param>
public sealed class TokenScorer(CausalLanguageModel model, Device device, DType? computeType = null)
{
    /// <summary>Logits that are in memory at a time: 32 MiB of float32.</summary>
    public const int MostLogits = 1 << 23;

    /// <summary>The model.</summary>
    public CausalLanguageModel Model { get; } = model;

    /// <summary>Where the model is.</summary>
    public Device Device { get; } = device;

    /// <summary>What a pass is for.</summary>
    public ForwardContext Context { get; } = new() { ComputeType = computeType };

    /// <summary>Scores a label at each of the given positions of a batch.</summary>
    /// <param name="ids">[rows, length], row by row.</param>
    /// <param name="lengths">Valid positions of each row; what lies behind them is not looked at.</param>
    /// <param name="length">Length of a row.</param>
    /// <param name="positions">row · length + position, whose output is judged; any order, repetitions allowed.</param>
    /// <param name="labels">The token that follows each of these positions.</param>
    /// <param name="memory">What came before, see <see cref="CausalLanguageModel.Encode"/>.</param>
    public TokenScore[] Score(
        ReadOnlySpan<int> ids, ReadOnlySpan<int> lengths, int length, ReadOnlySpan<int> positions, ReadOnlySpan<int> labels, DecodingState? memory = null)
    {
        using Tensors.Autograd.Tape.Pause pause = Tensors.Autograd.Tape.Paused();
        using MemoryScope scope = MemoryScope.Begin();
        bool padded = lengths.ContainsAnyExcept(length);
        LanguageInput input = new(
            Tensor.From(Device, new Shape(lengths.Length, length), ids), padded ? Tensor.From(Device, new Shape(lengths.Length), lengths) : null);
        return ScoreHidden(Model.Encode(input, Context, null, memory), positions, labels);
    }

    /// <summary>Scores labels at positions of hidden states that are there already.</summary>
    /// <param name="hidden">[B, L, d], see <see cref="CausalLanguageModel.Encode"/>.</param>
    /// <param name="positions">row · L + position.</param>
    /// <param name="labels">A token for each.</param>
    public TokenScore[] ScoreHidden(Tensor hidden, ReadOnlySpan<int> positions, ReadOnlySpan<int> labels)
    {
        ArgumentNullException.ThrowIfNull(hidden);
        using Tensors.Autograd.Tape.Pause pause = Tensors.Autograd.Tape.Paused();
        int chunk = Math.Max(1, MostLogits / Model.VocabularySize);
        TokenScore[] scores = new TokenScore[positions.Length];
        Tensor rows = hidden.Reshape(-1, hidden.Shape.Last);
        for (int from = 0; from < positions.Length; from += chunk)
        {
            using MemoryScope scope = MemoryScope.Begin();
            ReadOnlySpan<int> where = positions[from..Math.Min(from + chunk, positions.Length)];
            ReadOnlySpan<int> wanted = labels.Slice(from, where.Length);
            Tensor logits = Model.Logits(rows.Embedding(Tensor.From(Device, new Shape(where.Length), where)));
            LabelScores found = logits.LabelScores(Tensor.From(Device, new Shape(where.Length), wanted));
            double[] likelihoods = Host(found.LogLikelihoods);
            int[] best = found.Best.ToArray<int>();
            for (int i = 0; i < where.Length; i++)
            {
                scores[from + i] = new TokenScore(likelihoods[i], best[i] == wanted[i]);
            }
        }

        return scores;
    }

    private static double[] Host(Tensor values) =>
        values.Type == DType.Float64 ? values.ToArray<double>() : Array.ConvertAll(values.ToArray<float>(), v => (double)v);
}
