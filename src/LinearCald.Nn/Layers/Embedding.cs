using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Nn.Layers;

/// <summary>A table of vectors: parameter <c>weight</c> [rows, features].</summary>
public sealed class Embedding : Module
{
    private readonly int _padding;

    /// <param name="context">Where the table is made.</param>
    /// <param name="rows">Number of vectors.</param>
    /// <param name="features">Their length.</param>
    /// <param name="deviation">Standard deviation of the normal start.</param>
    /// <param name="padding">The row that gets no gradient; −1 for none.</param>
    public Embedding(BuildContext context, int rows, int features, double deviation, int padding = -1)
    {
        _padding = padding;
        Weight = AddParameter("weight", context, new Shape(rows, features), Initialisers.Normal(deviation));
    }

    public Parameter Weight { get; }

    /// <summary>int32 [...] → [..., features].</summary>
    public Tensor Forward(Tensor ids) => Weight.Value.Embedding(ids, _padding);
}
