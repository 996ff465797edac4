using System.Numerics;
using System.Runtime.Intrinsics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// The dropout mask of attention probabilities, made again from its counter wherever it is needed: element e is dropped when word e of the
/// <see cref="Philox"/> stream is below p · 2³². Words come in groups, and rows follow each other, so the last group is kept for the next row.
/// </summary>
internal unsafe struct AttentionDropout<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly ulong _seed;
    private readonly ulong _stream;
    private readonly uint _threshold;
    private readonly T _kept;
    private readonly T* _factors;
    private ulong _group;

    /// <param name="options">Rate and key of the mask.</param>
    /// <param name="group">Memory for <see cref="Philox.GroupSize"/> factors, which this keeps.</param>
    public AttentionDropout(in AttentionOptions options, T* group)
    {
        _seed = options.Seed;
        _stream = options.Stream;
        _threshold = Threshold(options.Dropout);
        _kept = Kept(options.Dropout);
        _factors = group;
        _group = ulong.MaxValue;
    }

    /// <summary>Words below it are dropped.</summary>
    public static uint Threshold(double rate) => (uint)Math.Min(uint.MaxValue, Math.Round(rate * 4294967296.0));

    /// <summary>Factor of a kept element.</summary>
    public static T Kept(double rate) => T.CreateTruncating(1.0 / (1.0 - rate));

    /// <summary>factors[j] = 0 where element first + j is dropped, 1 / (1 − p) where it is kept.</summary>
    public void Factors(ulong first, T* factors, int count)
    {
        int done = 0;
        while (done < count)
        {
            ulong element = first + (ulong)done;
            if (element / Philox.GroupSize != _group)
            {
                Make(element / Philox.GroupSize);
            }

            int at = (int)(element % Philox.GroupSize), take = Math.Min(Philox.GroupSize - at, count - done);
            new ReadOnlySpan<T>(_factors + at, take).CopyTo(new Span<T>(factors + done, take));
            done += take;
        }
    }

    private void Make(ulong group)
    {
        uint* words = stackalloc uint[Philox.GroupSize];
        Philox.Group(_seed, _stream, group, words);
        _group = group;
        if (typeof(T) == typeof(float))
        {
            Vector512<uint> threshold = Vector512.Create(_threshold);
            Vector512<float> kept = Vector512.Create(float.CreateTruncating(_kept));
            for (int i = 0; i < Philox.GroupSize; i += Vector512<uint>.Count)
            {
                Vector512<float> keep = Vector512.GreaterThanOrEqual(Vector512.Load(words + i), threshold).AsSingle();
                (keep & kept).Store((float*)_factors + i);
            }

            return;
        }

        for (int i = 0; i < Philox.GroupSize; i++)
        {
            _factors[i] = words[i] < _threshold ? T.Zero : _kept;
        }
    }
}
