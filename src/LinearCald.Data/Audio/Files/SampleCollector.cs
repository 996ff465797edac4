namespace LinearCald.Data.Audio.Files;

/// <summary>
/// Gathers samples whose number may be unknown or claimed by a header that lies: memory is taken at once only for a number that is certain, otherwise
/// in pieces that grow with what has come.
/// </summary>
internal sealed class SampleCollector
{
    private const int FirstPiece = 1 << 14;
    private const int LargestPiece = 1 << 22;

    private readonly string _name;
    private readonly long? _expected;
    private readonly List<float[]> _full = [];
    private float[] _piece;
    private int _used; // of _piece

    /// <param name="name">The file, for messages.</param>
    /// <param name="expected">How many samples are said to come.</param>
    /// <param name="certain">Whether that can be believed.</param>
    /// <exception cref="CaldException">More are expected than an array holds.</exception>
    public SampleCollector(string name, long? expected, bool certain)
    {
        (_name, _expected) = (name, expected);
        if (expected > Array.MaxLength)
        {
            throw TooLong(expected.Value);
        }

        _piece = GC.AllocateUninitializedArray<float>((int)Math.Min(expected ?? FirstPiece, certain ? Array.MaxLength : FirstPiece));
    }

    /// <summary>Samples so far.</summary>
    public long Count { get; private set; }

    /// <summary>Room for 1 to <paramref name="atMost"/> more samples.</summary>
    public Span<float> Next(int atMost)
    {
        if (_used == _piece.Length)
        {
            if (Count > Array.MaxLength - LargestPiece)
            {
                throw TooLong(Count);
            }

            if (_used > 0)
            {
                _full.Add(_piece);
            }

            // What was expected has come; as a rule this piece stays empty, and shows only that nothing follows.
            int length = Count == _expected ? FirstPiece : Math.Clamp(_piece.Length * 2, FirstPiece, LargestPiece);
            (_piece, _used) = (GC.AllocateUninitializedArray<float>(length), 0);
        }

        return _piece.AsSpan(_used, Math.Min(atMost, _piece.Length - _used));
    }

    /// <summary>The first <paramref name="count"/> of the room given last are filled.</summary>
    public void Advance(int count)
    {
        _used += count;
        Count += count;
    }

    /// <summary>All samples.</summary>
    public float[] ToArray()
    {
        if (_full.Count == 0 && _used == _piece.Length)
        {
            return _piece;
        }

        if (_full.Count == 1 && _used == 0)
        {
            return _full[0];
        }

        float[] all = GC.AllocateUninitializedArray<float>((int)Count);
        int at = 0;
        foreach (float[] piece in _full)
        {
            piece.CopyTo(all, at);
            at += piece.Length;
        }

        _piece.AsSpan(0, _used).CopyTo(all.AsSpan(at));
        return all;
    }

    private CaldException TooLong(long samples) =>
        new($"{_name} is too long for one clip ({samples} samples or more; {Array.MaxLength - LargestPiece} fit); read it in parts (a start and a number of sample frames)");
}
