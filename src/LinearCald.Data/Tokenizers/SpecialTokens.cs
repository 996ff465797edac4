namespace LinearCald.Data.Tokenizers;

/// <summary>Which ids have a special rôle; null where the tokenizer has no such token.</summary>
public sealed record SpecialTokens
{
    /// <summary>Fills batches up; GPT-2, which has none, pads with its end-of-text token.</summary>
    public int? Pad { get; init; }

    /// <summary>Begins a text (<c>&lt;s&gt;</c>, <c>[CLS]</c>).</summary>
    public int? Bos { get; init; }

    /// <summary>Ends a text (<c>&lt;/s&gt;</c>, <c>[SEP]</c>, <c>&lt;|endoftext|&gt;</c>).</summary>
    public int? Eos { get; init; }

    /// <summary>Stands for what the vocabulary cannot write.</summary>
    public int? Unknown { get; init; }

    /// <summary>Hides a token from a masked language model.</summary>
    public int? Mask { get; init; }
}
