namespace LinearCald.Tensors.Autograd;

/// <summary>
/// Where an operation writes the whole gradient of one of its inputs: the input's own place if nothing has arrived there yet — for a part of a larger tensor, that
/// part of the larger tensor's gradient — and otherwise a buffer that <see cref="Done"/> adds to what is there.
/// </summary>
internal readonly struct InputGradient
{
    private readonly Tensor? _addTo;

    /// <param name="buffer">What the kernel overwrites.</param>
    /// <param name="addTo">The input, if the buffer is not its own place.</param>
    public InputGradient(Tensor buffer, Tensor? addTo)
    {
        Buffer = buffer;
        _addTo = addTo;
    }

    /// <summary>To be overwritten by the kernel; null if the gradient is not wanted.</summary>
    public Tensor? Buffer { get; }

    /// <summary>To be called once the kernel has written the buffer.</summary>
    public void Done()
    {
        if (_addTo is not null)
        {
            Gradients.Add(_addTo, Buffer!);
        }
    }
}
