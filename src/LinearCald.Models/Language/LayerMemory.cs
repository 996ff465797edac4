namespace LinearCald.Models.Language;

/// <summary>What one layer remembers of the tokens read so far.</summary>
internal abstract class LayerMemory : IDisposable
{
    /// <summary>Bytes in use for the tokens read so far.</summary>
    public abstract long Bytes { get; }

    /// <summary>Forgets everything.</summary>
    public abstract void Reset();

    public abstract void Dispose();
}
