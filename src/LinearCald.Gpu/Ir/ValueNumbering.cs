namespace LinearCald.Gpu.Ir;

/// <summary>
/// Remembers what numbered instructions computed, so that an equal one in a dominated block is not issued again. Entries are only ever added at the
/// head of their chain, so a trial is undone by removing the newest.
/// </summary>
internal sealed class ValueNumbering
{
    private int[] _heads = new int[1024];
    private Entry[] _entries = new Entry[1024];

    public int Count { get; private set; }

    public int Find(string mnemonic, ReadOnlySpan<Operand> operands, Block at)
    {
        int hash = Hash(mnemonic, operands);
        for (int i = _heads[hash & (_heads.Length - 1)] - 1; i >= 0; i = _entries[i].Next - 1)
        {
            ref Entry e = ref _entries[i];
            if (e.Hash == hash && e.Mnemonic == mnemonic && operands.SequenceEqual(e.Operands) && e.Block.Dominates(at))
            {
                return e.Register;
            }
        }

        return -1;
    }

    public void Add(string mnemonic, Operand[] operands, Block block, int register)
    {
        if (Count == _entries.Length)
        {
            Grow();
        }

        int hash = Hash(mnemonic, operands);
        ref int head = ref _heads[hash & (_heads.Length - 1)];
        _entries[Count] = new Entry(mnemonic, operands, block, register, hash, head);
        head = ++Count;
    }

    public void Rollback(int count)
    {
        while (Count > count)
        {
            Count--;
            ref Entry e = ref _entries[Count];
            _heads[e.Hash & (_heads.Length - 1)] = e.Next;
            e = default;
        }
    }

    private void Grow()
    {
        Array.Resize(ref _entries, _entries.Length * 2);
        _heads = new int[_entries.Length];
        for (int i = 0; i < Count; i++)
        {
            ref Entry e = ref _entries[i];
            ref int head = ref _heads[e.Hash & (_heads.Length - 1)];
            e.Next = head;
            head = i + 1;
        }
    }

    /// <summary>Not string.GetHashCode, whose seed differs between processes: chains decide nothing, but determinism is easier kept than argued.</summary>
    private static int Hash(string mnemonic, ReadOnlySpan<Operand> operands)
    {
        uint h = (uint)mnemonic.Length;
        foreach (char c in mnemonic)
        {
            h = (h * 31) + c;
        }

        foreach (ref readonly Operand o in operands)
        {
            h = (h * 0x9E3779B1) ^ (uint)o.Register ^ ((uint)o.Kind << 24);
            h = (h * 0x85EBCA6B) ^ (uint)o.Bits ^ (uint)(o.Bits >> 32) ^ (uint)(o.Name?.Length ?? 0);
        }

        h ^= h >> 15;
        return (int)(h * 0x2C1B3C6D);
    }

    private record struct Entry(string Mnemonic, Operand[] Operands, Block Block, int Register, int Hash, int Next);
}
