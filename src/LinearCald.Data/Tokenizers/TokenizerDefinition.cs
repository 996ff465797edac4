using LinearCald.Data.Tokenizers.Files;
using LinearCald.Data.Tokenizers.Models;
using LinearCald.Data.Tokenizers.Normalizers;
using LinearCald.Data.Tokenizers.PreTokenizers;

namespace LinearCald.Data.Tokenizers;

/// <summary>All stages of a tokenizer, as a file describes them.</summary>
internal sealed record TokenizerDefinition
{
    /// <summary>File or folder it was read from, for messages.</summary>
    public required string Where { get; init; }

    /// <summary>Words to tokens.</summary>
    public required TokenModel Model { get; init; }

    /// <summary>Null: the text is taken as it is.</summary>
    public Normalizer? Normalizer { get; init; }

    /// <summary>Null: the text is one word.</summary>
    public PreTokenizer? PreTokenizer { get; init; }

    /// <summary>Special tokens and offsets.</summary>
    public PostProcessor PostProcessor { get; init; } = new();

    /// <summary>Tokens to text.</summary>
    public TokenDecoder Decoder { get; init; } = new JoinDecoder(" ");

    /// <summary>Tokens looked for in the text before the model sees it.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];

    /// <summary>Special rôles.</summary>
    public SpecialTokens Special { get; init; } = new();

    /// <summary>The files it was read from.</summary>
    public IReadOnlyList<TokenizerFile> Files { get; init; } = [];
}
