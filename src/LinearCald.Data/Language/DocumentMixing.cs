namespace LinearCald.Data.Language;

/// <summary>What a row knows of the documents in it.</summary>
public enum DocumentMixing
{
    /// <summary>Nothing: documents run into each other with the end-of-text token between, and states go on across it. The published reference.</summary>
    Mixed,

    /// <summary>The number of the document at each position, so that states begin again and attention does not look back.</summary>
    Separate,
}
