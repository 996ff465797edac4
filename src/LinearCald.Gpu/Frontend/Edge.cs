using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend;

/// <summary>One path on its way to a block of IL: what the variables hold, what is on the evaluation stack, and the code that is still open for it.</summary>
internal sealed class Edge(Block block, Value[] slots, int count)
{
    public Block Block { get; set; } = block;

    /// <summary>The leaves of all live variables: those of the kernel first, those of the innermost call last.</summary>
    public Value[] Slots { get; private set; } = slots;

    public int Count { get; private set; } = count;

    public Value[] Stack { get; set; } = [];

    public Edge Fork(Block block)
    {
        Value[] copy = new Value[Math.Max(16, Count)];
        Array.Copy(Slots, copy, Count);
        return new Edge(block, copy, Count) { Stack = Stack };
    }

    /// <summary>Makes room for more leaves, undefined.</summary>
    public int Push(int leaves)
    {
        int first = Count;
        Count += leaves;
        if (Count > Slots.Length)
        {
            Value[] grown = new Value[Math.Max(Count, Slots.Length * 2)];
            Array.Copy(Slots, grown, first);
            Slots = grown;
        }

        Slots.AsSpan(first, leaves).Fill(Undefined.Instance);
        return first;
    }

    public void Pop(int count) => Count = count;
}
