using LinearCald.Models.Language;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.GptNeoX;

/// <summary>Keys and values of the tokens read so far, in the type they were computed in: [B, room, d] each, the room growing in blocks up to the capacity.</summary>
internal sealed class KeyValueCache(int batch, int capacity) : LayerMemory
{
    /// <summary>Positions that the room starts with; it doubles from there, so that copying stays a constant share of the work.</summary>
    private const int Block = 256;

    private Tensor? _keys;
    private Tensor? _values;
    private Tensor? _lengths;

    /// <summary>Tokens held, of every text.</summary>
    public int Count { get; private set; }

    public override long Bytes => _keys is null ? 0 : 2L * batch * Count * _keys.Shape[2] * _keys.Type.Size();

    /// <summary>Adds the keys and values [B, L, d] of the next L tokens.</summary>
    /// <exception cref="CaldException">The capacity is used up.</exception>
    public void Append(Tensor keys, Tensor values)
    {
        int length = keys.Shape[1];
        if (length > capacity - Count)
        {
            throw new CaldException($"the decoding state holds {Count} of at most {capacity} tokens; {length} more do not fit: make one of a larger capacity");
        }

        _keys = Grown(_keys, keys, Count + length);
        _values = Grown(_values, values, Count + length);
        _keys.Narrow(1, Count, length).CopyFrom(keys);
        _values.Narrow(1, Count, length).CopyFrom(values);
        Count += length;
    }

    /// <summary>Attention of the last L tokens' queries [B, L, d] to everything held.</summary>
    public Tensor Attend(Tensor queries, AttentionOptions options)
    {
        if (queries.Shape[1] > 1 || batch == 1)
        {
            return queries.Attention(_keys!.Narrow(1, 0, Count), _values!.Narrow(1, 0, Count), null, options);
        }

        // One query a text: the lengths hide what is not held yet, and the texts' rows need not be packed together.
        _lengths ??= Tensor.Persistent(() => Tensor.Empty(queries.Device, DType.Int32, new Shape(batch)));
        _lengths.FillWith(Count);
        return queries.Attention(_keys!, _values!, _lengths, options);
    }

    public override void Reset() => Count = 0;

    public override void Dispose()
    {
        _keys?.Dispose();
        _values?.Dispose();
        _lengths?.Dispose();
        _keys = _values = _lengths = null;
        Count = 0;
    }

    private Tensor Grown(Tensor? old, Tensor like, int needed)
    {
        if (old is not null && old.Shape[1] >= needed && old.Type == like.Type)
        {
            return old;
        }

        int room = (int)Math.Min(capacity, Math.Max((needed + Block - 1L) / Block * Block, 2L * (old?.Shape[1] ?? 0)));
        Tensor grown = Tensor.Persistent(() => Tensor.Zeros(like.Device, like.Type, new Shape(batch, room, like.Shape[2])));
        if (old is not null)
        {
            grown.Narrow(1, 0, Count).CopyFrom(old.Narrow(1, 0, Count));
            old.Dispose();
        }

        return grown;
    }
}
