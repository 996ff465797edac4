using LinearCald.Gpu;

namespace LinearCald.Tensors;

/// <summary>
/// Work that a device has recorded and does again on request, as one submission: the same kernels on the same memory. What changes from time to time must lie
/// in tensors that were made before the recording.
/// </summary>
public abstract class RecordedWork : IDisposable
{
    /// <summary>What it is made of.</summary>
    public abstract GraphContents Contents { get; }

    /// <summary>Does it again.</summary>
    /// <param name="randomBase">Added to the streams of the random keys that were drawn above the recording's own base: step number · 2³², as <see cref="RandomGenerator.SeekStep"/> does.</param>
    public abstract void Replay(ulong randomBase);

    /// <summary>Gives the recording's memory back.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
