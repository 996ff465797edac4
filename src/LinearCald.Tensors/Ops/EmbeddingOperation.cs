using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Rows of a table by number.</summary>
public static class EmbeddingOperation
{
    /// <summary>table [rows, d], ids int32 [...] → [..., d].</summary>
    /// <param name="padding">The row that gets no gradient, as PyTorch's padding_idx; −1 for none.</param>
    /// <exception cref="CaldException">An id is outside the table.</exception>
    public static Tensor Embedding(this Tensor table, Tensor ids, int padding = -1)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(ids);
        Check.Float("Embedding", table);
        Check.Rank("Embedding", "table", table, 2);
        Check.Int32("Embedding", "ids", ids);
        Span<int> extents = stackalloc int[Shape.MaximumRank];
        ids.Shape.CopyTo(extents);
        extents[ids.Shape.Rank] = table.Shape[1];
        ids = ids.Contiguous();
        Tensor y = Tensor.Allocate(table.Device, table.Type, new Shape(extents[..(ids.Shape.Rank + 1)]));
        table.Device.Backend.Embedding(table, ids, y);
        return Tape.Wants(table) ? Tape.Attach(y, new Node(table, ids, padding)) : y;
    }

    private sealed class Node : TapeNode
    {
        private readonly Tensor _table;
        private readonly Tensor _ids;
        private readonly int _padding;

        public Node(Tensor table, Tensor ids, int padding)
        {
            _table = table;
            _ids = Save(ids);
            _padding = padding;
        }

        // each row of the table: the sum of the gradients of its occurrences
        public override void Backward(Tensor gradient)
        {
            Tensor target = Gradients.Target(_table, out bool accumulate);
            gradient.Device.Backend.EmbeddingGradient(_ids, gradient, target, _padding, accumulate);
        }
    }
}
