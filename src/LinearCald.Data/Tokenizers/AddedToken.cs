namespace LinearCald.Data.Tokenizers;

/// <summary>A token that is looked for in the text before anything else is done to it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its text.</param>
internal sealed record AddedToken(int Id, string Content)
{
    /// <summary>Left out by <c>Decode(…, skipSpecialTokens: true)</c>.</summary>
    public bool Special { get; init; }

    /// <summary>Looked for in the normalised text; otherwise in the text as given.</summary>
    public bool Normalized { get; init; }

    /// <summary>Takes the white space before it along.</summary>
    public bool StripLeft { get; init; }

    /// <summary>Takes the white space after it along.</summary>
    public bool StripRight { get; init; }

    /// <summary>Found only where no word character adjoins.</summary>
    public bool SingleWord { get; init; }
}
