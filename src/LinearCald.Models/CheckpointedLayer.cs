using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;

namespace LinearCald.Models;

/// <summary>A layer that is computed again in the backward pass when the context asks for checkpointing.</summary>
internal static class CheckpointedLayer
{
    /// <param name="x">The layer's only input that needs a gradient, besides its parameters.</param>
    /// <param name="context">What the pass is for.</param>
    /// <param name="layer">Computes the layer under a given context: the second time with the same dropout masks.</param>
    public static Tensor Forward(Tensor x, ForwardContext context, Func<Tensor, ForwardContext, Tensor> layer)
    {
        if (!context.Checkpointing)
        {
            return layer(x, context);
        }

        ulong position = context.Dropout?.Position ?? 0;
        return Checkpoint.Run(x, input =>
        {
            RandomGenerator? again = context.Dropout is null ? null : new RandomGenerator(context.Dropout.Seed);
            again?.Seek(position);
            Tensor y = layer(input, new ForwardContext { Dropout = again, ComputeType = context.ComputeType });
            context.Dropout?.Seek(Math.Max(context.Dropout.Position, again!.Position));
            return y;
        });
    }
}
