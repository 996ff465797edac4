namespace LinearCald.Tensors.Autograd;

/// <summary>Which stretches of one dimension of a gradient's buffer have been written; the rest is not set yet.</summary>
/// <param name="dimension">The dimension.</param>
/// <param name="extent">Its extent.</param>
internal sealed class PartialGradient(int dimension, int extent)
{
    private readonly List<(int Start, int End)> _written = []; // in order, without overlaps

    public int Dimension => dimension;

    public bool IsWhole
    {
        get
        {
            int at = 0;
            foreach ((int start, int end) in _written)
            {
                if (start != at)
                {
                    return false;
                }

                at = end;
            }

            return at == extent;
        }
    }

    /// <summary>Whether nothing of start … end − 1 has been written.</summary>
    public bool IsFree(int start, int end) => _written.TrueForAll(w => w.End <= start || w.Start >= end);

    /// <summary>Whether all of start … end − 1 has been written, by one part.</summary>
    public bool IsWritten(int start, int end) => _written.Exists(w => w.Start <= start && w.End >= end);

    /// <summary>Notes that start … end − 1, free until now, is written.</summary>
    public void Write(int start, int end)
    {
        if (end > start)
        {
            int at = _written.FindIndex(w => w.Start >= end);
            _written.Insert(at < 0 ? _written.Count : at, (start, end));
        }
    }

    /// <summary>The stretches that are not written.</summary>
    public IEnumerable<(int Start, int Length)> Gaps()
    {
        int at = 0;
        foreach ((int start, int end) in _written)
        {
            if (start > at)
            {
                yield return (at, start - at);
            }

            at = end;
        }

        if (extent > at)
        {
            yield return (at, extent - at);
        }
    }
}
