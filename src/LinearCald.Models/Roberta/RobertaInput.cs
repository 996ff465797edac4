using LinearCald.Tensors;

namespace LinearCald.Models.Roberta;

/// <summary>A padded batch of token ids on a device. All tensors int32.</summary>
/// <param name="Ids">[B, L]</param>
/// <param name="Positions">[B, L]: rows of the position table.</param>
/// <param name="Types">[B, L]: rows of the token type table, all 0 for RoBERTa.</param>
/// <param name="Lengths">[B]: valid positions, from the front.</param>
public sealed record RobertaInput(Tensor Ids, Tensor Positions, Tensor Types, Tensor Lengths)
{
    /// <summary>Uploads a batch padded on the right.</summary>
    /// <param name="config">Gives the padding id and the limits.</param>
    /// <param name="device">Where to.</param>
    /// <param name="ids">[B × L] token ids.</param>
    /// <param name="lengths">[B] valid positions.</param>
    /// <exception cref="CaldException">A text is longer than the model, an id is outside the vocabulary, or a length outside 0 … L.</exception>
    public static RobertaInput Create(RobertaConfig config, Device device, ReadOnlySpan<int> ids, ReadOnlySpan<int> lengths)
    {
        int[] positions = PositionsOf(config, ids, lengths);
        Shape shape = new(lengths.Length, lengths.Length == 0 ? 0 : ids.Length / lengths.Length);
        return new RobertaInput(
            Tensor.From(device, shape, ids),
            Tensor.From(device, shape, positions),
            Tensor.Zeros(device, DType.Int32, shape),
            Tensor.From(device, new Shape(lengths.Length), lengths));
    }

    /// <summary>Checks a batch padded on the right and numbers its positions.</summary>
    /// <param name="config">Gives the padding id and the limits.</param>
    /// <param name="ids">[B × L] token ids.</param>
    /// <param name="lengths">[B] valid positions.</param>
    /// <returns>[B × L] rows of the position table.</returns>
    /// <exception cref="CaldException">A text is longer than the model, an id is outside the vocabulary, or a length outside 0 … L.</exception>
    public static int[] PositionsOf(RobertaConfig config, ReadOnlySpan<int> ids, ReadOnlySpan<int> lengths)
    {
        ArgumentNullException.ThrowIfNull(config);
        int batch = lengths.Length;
        int length = batch == 0 ? 0 : ids.Length / batch;
        if (length > config.MaximumLength)
        {
            throw new CaldException($"a text of {length} tokens is longer than the model's {config.MaximumLength}; lower max_length");
        }

        int[] positions = new int[ids.Length];
        for (int b = 0; b < batch; b++)
        {
            if (lengths[b] < 0 || lengths[b] > length)
            {
                throw new CaldException($"sample {b} of the batch has {lengths[b]} valid tokens of {length}");
            }

            // HuggingFace counts only tokens that are not the padding id; padding itself stays at the padding id's row.
            int next = config.PaddingId;
            for (int t = 0; t < length; t++)
            {
                int id = ids[(b * length) + t];
                if ((uint)id >= (uint)config.VocabularySize)
                {
                    throw new CaldException($"token id {id} (sample {b}, position {t}) is outside the model's vocabulary of {config.VocabularySize}; the tokenizer belongs to another model");
                }

                positions[(b * length) + t] = id == config.PaddingId ? config.PaddingId : ++next;
            }
        }

        return positions;
    }
}
