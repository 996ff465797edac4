using LinearCald.Tensors.Memory;

namespace LinearCald.Tensors.Autograd;

/// <summary>
/// Activation checkpointing (Chen et al. 2016): a section of the forward pass keeps only its input and is computed again during the backward pass,
/// trading time for memory.
/// </summary>
public static class Checkpoint
{
    /// <summary>Computes <paramref name="section"/>(x) without keeping what lies between. The section must be a pure function of x and of parameters.</summary>
    public static Tensor Run(Tensor x, Func<Tensor, Tensor> section)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(section);
        if (!Tape.IsRecording)
        {
            return section(x);
        }

        Tensor y;
        using (MemoryScope scope = MemoryScope.Begin())
        using (Tape.Paused())
        {
            y = scope.Keep(section(x.Detach()));
        }

        return Tape.Attach(y.Detach(), new Node(x, section));
    }

    private sealed class Node : TapeNode
    {
        private readonly Tensor _x;
        private readonly Func<Tensor, Tensor> _section;

        public Node(Tensor x, Func<Tensor, Tensor> section)
        {
            _x = Save(x);
            _section = section;
        }

        public override void Backward(Tensor gradient)
        {
            Tensor x = _x.Detach();
            x.RequiresGradient = _x.NeedsGradient;
            using (Tape tape = Tape.Record())
            {
                tape.Backward(_section(x), gradient);
            }

            if (x.Gradient is { } gx)
            {
                Tensor copy = Tensor.Allocate(gx.Device, gx.Type, gx.Shape);
                gx.Device.Backend.Copy(gx, copy);
                x.DropGradient();
                Gradients.Add(_x, copy);
            }
        }
    }
}
