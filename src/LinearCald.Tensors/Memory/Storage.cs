namespace LinearCald.Tensors.Memory;

/// <summary>
/// One buffer on a device, shared by all views of it. Its object is recycled together with its memory; <see cref="Generation"/> counts the
/// lives, so that a tensor of an earlier life is recognised instead of reading somebody else's values.
/// </summary>
internal abstract class Storage
{
    protected Storage(Device device, long bytes)
    {
        Device = device;
        Bytes = bytes;
    }

    public Device Device { get; }

    /// <summary>Capacity in bytes: at least what was asked for.</summary>
    public long Bytes { get; }

    /// <summary>How many tape nodes and gradient slots still need the contents.</summary>
    public int Pins { get; private set; }

    /// <summary>Raised at every release.</summary>
    public int Generation { get; private set; }

    /// <summary>True when a <see cref="MemoryScope"/> owns the buffer; otherwise it lives until it is disposed of.</summary>
    public bool Scoped { get; set; }

    /// <summary>True when the buffer was made by the user and not by an operation: it stays until its scope closes.</summary>
    public bool Held { get; set; }

    public void Pin() => Pins++;

    /// <summary>Gives up one need; a scoped buffer of an operation that nobody needs any more returns to the pool at once.</summary>
    public void Unpin()
    {
        if (--Pins == 0 && Scoped && !Held)
        {
            Release();
        }
    }

    /// <summary>Gives up one need of a buffer whose owner still holds it.</summary>
    public void UnpinHeld() => Pins--;

    public void Release()
    {
        Generation++;
        Pins = 0;
        Scoped = false;
        Held = false;
        Device.Recycle(this);
    }
}
