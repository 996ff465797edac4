using System.Runtime.InteropServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// The occurrences of each id, in order: a counting sort into native memory that belongs to the thread, grows to the largest size asked
/// for and is then reused, so a warm call allocates nothing. The finalizer returns it when the thread has ended.
/// </summary>
internal sealed unsafe class EmbeddingOrder
{
    [ThreadStatic]
    private static EmbeddingOrder? t_mine;

    private int* _memory;
    private long _capacity;

    ~EmbeddingOrder() => NativeMemory.Free(_memory);

    /// <summary>rows + 1 numbers: the occurrences of id r lie at Starts[r] … Starts[r + 1] − 1 of <see cref="Positions"/>.</summary>
    public int* Starts => _memory;

    /// <summary>Positions in the list of ids, by id and then ascending.</summary>
    public int* Positions { get; private set; }

    /// <summary>Occurrences of the id that has the most.</summary>
    public int Most { get; private set; }

    /// <summary>Sorts <paramref name="ids"/>, all of them in 0 … rows − 1; the result is valid until this thread sorts again.</summary>
    /// <param name="leftOut">An id whose occurrences are not listed; −1 for none.</param>
    public static EmbeddingOrder Sort(int* ids, int count, int rows, int leftOut)
    {
        EmbeddingOrder order = t_mine ??= new EmbeddingOrder();
        order.Reserve(rows + 2L + count);
        order.Fill(ids, count, rows, leftOut);
        return order;
    }

    private void Reserve(long size)
    {
        if (_capacity < size)
        {
            NativeMemory.Free(_memory);
            _memory = null;
            _capacity = 0;
            _memory = (int*)NativeMemory.Alloc((nuint)size, sizeof(int));
            _capacity = size;
        }
    }

    private void Fill(int* ids, int count, int rows, int leftOut)
    {
        // next[r] counts the occurrences of r, then holds where the next one goes; it ends one row ahead, where it is Starts itself.
        int* next = _memory + 1;
        Positions = next + rows + 1;
        NativeMemory.Clear(_memory, ((nuint)rows + 2) * sizeof(int));
        for (int i = 0; i < count; i++)
        {
            next[ids[i]]++;
        }

        if (leftOut >= 0)
        {
            next[leftOut] = 0;
        }

        int total = 0, most = 0;
        for (int r = 0; r < rows; r++)
        {
            int occurrences = next[r];
            next[r] = total;
            total += occurrences;
            most = Math.Max(most, occurrences);
        }

        Most = most;
        for (int i = 0; i < count; i++)
        {
            if (ids[i] != leftOut)
            {
                Positions[next[ids[i]]++] = i;
            }
        }
    }
}
