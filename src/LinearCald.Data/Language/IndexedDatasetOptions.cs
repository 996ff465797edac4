namespace LinearCald.Data.Language;

/// <summary>How an indexed data set is opened.</summary>
public sealed record IndexedDatasetOptions
{
    /// <summary>Rows of the model's embedding: ids must be smaller. Null: any id goes.</summary>
    public int? Vocabulary { get; init; }

    /// <summary>
    /// Take what there is when the .bin file ends before the index does, as when only the first shards of a published set were fetched:
    /// sequences that are not there whole are left out. Otherwise such a pair of files is an error.
    /// </summary>
    public bool AllowPartial { get; init; }
}
