using LinearCald.Tensors.Memory;

namespace LinearCald.Tensors.Autograd;

/// <summary>
/// Records operations on this thread for reverse-mode differentiation. Open one with <see cref="Record"/>, compute a loss, call
/// <see cref="Backward(Tensor)"/>: gradients are added to every tensor with <see cref="Tensor.RequiresGradient"/>, and the memory of activations returns to the
/// pool as the pass consumes them.
/// </summary>
public sealed class Tape : IDisposable
{
    [ThreadStatic]
    private static Tape? t_current;

    private readonly List<TapeNode> _nodes = [];
    private readonly Tape? _outer;
    private bool _disposed;

    private Tape(Tape? outer) => _outer = outer;

    /// <summary>True when operations on this thread are being recorded.</summary>
    public static bool IsRecording => t_current is not null;

    /// <summary>Number of recorded operations.</summary>
    public int Count => _nodes.Count;

    /// <summary>Begins recording on this thread until the tape is disposed of.</summary>
    public static Tape Record() => t_current = new Tape(t_current);

    /// <summary>Stops recording until the result is disposed of: for a frozen teacher, for evaluation.</summary>
    public static Pause Paused()
    {
        Pause pause = new(t_current);
        t_current = null;
        return pause;
    }

    /// <summary>Takes the gradient of a scalar loss.</summary>
    /// <exception cref="CaldException">The loss has more than one element or does not depend on anything that requires a gradient.</exception>
    public void Backward(Tensor loss)
    {
        ArgumentNullException.ThrowIfNull(loss);
        if (loss.Count != 1)
        {
            throw new CaldException($"Backward needs a loss of one element; this one has shape {loss.Shape}. Sum or average it first, or give its gradient");
        }

        using MemoryScope scope = MemoryScope.Begin();
        Backward(loss, Tensor.Full(loss.Device, loss.Type, loss.Shape, 1));
    }

    /// <summary>Sends <paramref name="gradient"/> = d loss / d output back from <paramref name="output"/>. The tape is empty afterwards.</summary>
    public void Backward(Tensor output, Tensor gradient)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(gradient);
        if (output.Producer is null)
        {
            throw new CaldException("Backward: the output was not computed from anything that requires a gradient while this tape was recording");
        }

        Tape? recording = t_current;
        t_current = null;
        try
        {
            gradient.Storage.Pin(); // the caller's: it must outlive the slot it fills
            Gradients.Add(output, gradient);
            for (int i = _nodes.Count - 1; i >= 0; i--)
            {
                TapeNode node = _nodes[i];
                if (node.Output.GradientSlot is { } slot)
                {
                    using MemoryScope scope = MemoryScope.Begin();
                    Gradients.Complete(node.Output);
                    node.Backward(slot);
                    Gradients.Replace(node.Output, null);
                }

                node.Output.Producer = null;
                node.Release();
            }

            _nodes.Clear();
            gradient.Storage.UnpinHeld();
        }
        finally
        {
            t_current = recording;
        }
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        foreach (TapeNode node in _nodes)
        {
            Gradients.Replace(node.Output, null);
            node.Output.Producer = null;
            node.Release();
        }

        _nodes.Clear();
        if (ReferenceEquals(t_current, this))
        {
            t_current = _outer;
        }
    }

    /// <summary>Records a node when a tape is open; <paramref name="output"/> then carries gradients back to it. Call only if an input needs a gradient.</summary>
    internal static Tensor Attach(Tensor output, TapeNode node)
    {
        node.Output = output;
        output.Producer = node;
        t_current!._nodes.Add(node);
        return output;
    }

    /// <summary>Whether an operation with these inputs must be recorded.</summary>
    internal static bool Wants(Tensor a) => t_current is not null && a.NeedsGradient;

    internal static bool Wants(Tensor a, Tensor? b) => t_current is not null && (a.NeedsGradient || b is { NeedsGradient: true });

    internal static bool Wants(Tensor a, Tensor? b, Tensor? c) =>
        t_current is not null && (a.NeedsGradient || b is { NeedsGradient: true } || c is { NeedsGradient: true });

    /// <summary>Ends a pause when disposed of.</summary>
    public readonly struct Pause : IDisposable
    {
        private readonly Tape? _tape;

        internal Pause(Tape? tape) => _tape = tape;

        public void Dispose() => t_current = _tape;
    }
}
