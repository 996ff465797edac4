namespace LinearCald.Models.Language;

/// <summary>What a causal model remembers of the texts it has read so far: keys and values of a transformer, or recurrent states, whose size does not depend on the texts' length.</summary>
public abstract class DecodingState : IDisposable
{
    /// <summary>Texts side by side.</summary>
    public abstract int Batch { get; }

    /// <summary>Tokens read so far, of every text.</summary>
    public int Position { get; protected internal set; }

    /// <summary>Bytes in use for the tokens read so far.</summary>
    public abstract long Bytes { get; }

    /// <summary>Forgets everything.</summary>
    public abstract void Reset();

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives the memory back.</summary>
    protected abstract void Dispose(bool disposing);
}
