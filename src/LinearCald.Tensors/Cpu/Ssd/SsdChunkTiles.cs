using System.Numerics;
using System.Runtime.CompilerServices;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// What all heads of a task share in one chunk, rows j of B and C and their products G = C Bᵀ, and the decays of the head at hand. Tiles are padded as
/// <see cref="TileProduct"/> wants them.
/// </summary>
/// <remarks>
/// Decays come from sums of Δ A within the chunk. Their differences are what counts, so the sums are kept as two numbers each (rounded, and what rounding lost):
/// a strongly decaying head reaches sums of hundreds, whose rounding errors would be errors of the result.
/// </remarks>
internal unsafe struct SsdChunkTiles<T, TV>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TV : unmanaged, ISimd<TV, T>
{
    /// <summary>Rows of a lower triangle that are computed at once, up to the column where the last of them ends.</summary>
    public const int Slab = 16;

    public readonly int StateSize;
    public readonly int HeadSize;
    public readonly int StateStride;    // of a row of N numbers
    public readonly int HeadStride;     // of a row of P numbers
    public readonly int StepStride;     // of a row of one number a step
    public readonly int StateRegisters;
    public readonly int HeadRegisters;
    public readonly T* B;           // [steps, StateStride]
    public readonly T* BTransposed; // [N, StepStride]
    public readonly T* C;           // [steps, StateStride]
    public readonly T* Scores;      // [steps, StepStride], the lower triangle
    public readonly T* Delta;       // [StepStride]
    public readonly T* Slope;       // dΔ / d(delta + bias)
    public readonly T* Entry;       // exp(s_i): decay from the start of the chunk, step i included
    public readonly T* Exit;        // exp(s_last − s_i): decay after step i to the end of the chunk
    private readonly T* _high;      // s_i = Σ_{j ≤ i} Δ_j A
    private readonly T* _low;
    private readonly T* _index;     // 0, 1, 2, …

    /// <param name="at">Advanced by what the tiles take; tiles laid out from null tell how much that is.</param>
    public SsdChunkTiles(in SsdShape shape, int chunk, ref T* at)
    {
        StateSize = shape.StateSize;
        HeadSize = shape.HeadSize;
        StateStride = TilePacking.Stride<T, TV>(StateSize);
        HeadStride = TilePacking.Stride<T, TV>(HeadSize);
        StepStride = TilePacking.Stride<T, TV>(chunk);
        StateRegisters = TilePacking.Registers<T, TV>(StateSize);
        HeadRegisters = TilePacking.Registers<T, TV>(HeadSize);
        nint rows = TilePacking.Rows(chunk);
        B = Take(ref at, rows * StateStride);
        BTransposed = Take(ref at, (nint)StateSize * StepStride);
        C = Take(ref at, rows * StateStride);
        Scores = Take(ref at, rows * StepStride);
        Delta = Take(ref at, StepStride);
        Slope = Take(ref at, StepStride);
        Entry = Take(ref at, StepStride);
        Exit = Take(ref at, StepStride);
        _high = Take(ref at, StepStride);
        _low = Take(ref at, StepStride);
        _index = Take(ref at, StepStride);
    }

    /// <summary>Decay over the whole chunk.</summary>
    public T Total { get; private set; }

    /// <summary>Room for <paramref name="count"/> elements.</summary>
    public static T* Take(ref T* at, nint count)
    {
        T* taken = at;
        at += count;
        return taken;
    }

    /// <summary>Once for a task.</summary>
    public readonly void Number()
    {
        for (int i = 0; i < StepStride; i++)
        {
            _index[i] = T.CreateTruncating(i);
        }
    }

    /// <summary>Copies a chunk of b and c.</summary>
    public readonly void Load(Rows<T> b, Rows<T> c, int count)
    {
        TilePacking.Copy<T, TV>(b, count, StateSize, T.One, B, StateStride);
        TilePacking.CopyTransposed<T, TV>(b, count, StateSize, BTransposed, StepStride);
        TilePacking.Copy<T, TV>(c, count, StateSize, T.One, C, StateStride);
    }

    /// <summary>G_ij = C_i · B_j in the lower triangle.</summary>
    public readonly void ComputeScores(int count) => LowerProduct(count, StateSize, C, StateStride, BTransposed, Scores);

    /// <summary>target_ij = row i of a · column j of b in the lower triangle.</summary>
    public readonly void LowerProduct(int count, int depth, T* a, nint lda, T* b, T* target)
    {
        for (int i = 0; i < count; i += Slab)
        {
            int rows = Math.Min(Slab, count - i);
            TileProduct.Multiply<T, TV, RowMajorTile>(
                TilePacking.Rows(rows), TilePacking.Registers<T, TV>(i + rows), depth, a + (i * lda), lda, b, StepStride, target + ((nint)i * StepStride), StepStride, false);
        }
    }

    /// <summary>target_i (+)= Σ_{j ≤ i} lower_ij right_j.</summary>
    public readonly void LowerTimes(int count, T* lower, T* right, int stride, int registers, T* target, bool accumulate)
    {
        for (int i = 0; i < count; i += Slab)
        {
            int rows = Math.Min(Slab, count - i);
            TileProduct.Multiply<T, TV, RowMajorTile>(
                TilePacking.Rows(rows), registers, i + rows, lower + ((nint)i * StepStride), StepStride, right, stride, target + ((nint)i * stride), stride, accumulate);
        }
    }

    /// <summary>target_j (+)= Σ_{i ≥ j} lower_ij right_i.</summary>
    public readonly void LowerTransposedTimes(int count, T* lower, T* right, int stride, int registers, T* target, bool accumulate)
    {
        for (int j = 0; j < count; j += Slab)
        {
            int rows = Math.Min(Slab, count - j);
            TileProduct.Multiply<T, TV, TransposedTile>(
                TilePacking.Rows(rows), registers, count - j, lower + ((nint)j * StepStride) + j, StepStride, right + ((nint)j * stride), stride, target + ((nint)j * stride), stride, accumulate);
        }
    }

    /// <summary>Columns of row i of a lower triangle that products read, in registers: those of its slab.</summary>
    public static int RowRegisters(int row, int count) => TilePacking.Registers<T, TV>(Math.Min(count, (row / Slab * Slab) + Slab));

    /// <summary>Δ and the decays of one head.</summary>
    public void ComputeDecays(in SsdShape shape, Rows<T> delta, T bias, T a, int count)
    {
        int registers = TilePacking.Registers<T, TV>(count), padded = registers * TV.Width;
        for (int i = 0; i < padded; i++)
        {
            Delta[i] = i < count ? delta[i][0] + bias : T.Zero;
        }

        ComputeDeltas(in shape, registers);
        double rate = double.CreateTruncating(a), sum = 0;
        for (int i = 0; i < padded; i++)
        {
            sum += i < count ? double.CreateTruncating(Delta[i]) * rate : 0;
            _high[i] = T.CreateTruncating(sum);
            _low[i] = T.CreateTruncating(sum - double.CreateTruncating(_high[i]));
        }

        TV one = TV.Of(1.0), lastHigh = TV.Broadcast(_high[count - 1]), lastLow = TV.Broadcast(_low[count - 1]);
        for (int r = 0; r < padded; r += TV.Width)
        {
            TV high = TV.Load(_high + r), low = TV.Load(_low + r);
            (VectorMath.Exp<TV, T>(high) * (one + low)).Store(Entry + r);
            VectorMath.Exp<TV, T>((lastHigh - high) + (lastLow - low)).Store(Exit + r);
        }

        Total = Entry[count - 1];
    }

    /// <summary>exp(s_i − s_j) for the steps j of one register; 0 where j is after i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TV Decay(int i, int j)
    {
        TV difference = (TV.Broadcast(_high[i]) - TV.Load(_high + j)) + (TV.Broadcast(_low[i]) - TV.Load(_low + j));
        return Before(i, j, VectorMath.Exp<TV, T>(difference), true);
    }

    /// <summary>The lanes whose step j is before i (or is i, when <paramref name="inclusive"/>), 0 in the others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TV Before(int i, int j, TV value, bool inclusive) =>
        TV.Select(TV.LessThan(TV.Load(_index + j), TV.Broadcast(_index[i] + (inclusive ? T.One : T.Zero))), value, TV.Of(0.0));

    private readonly void ComputeDeltas(in SsdShape shape, int registers)
    {
        TV least = TV.Broadcast(T.CreateSaturating(shape.DeltaMin)), most = TV.Broadcast(T.CreateSaturating(shape.DeltaMax)), zero = TV.Of(0.0);
        for (int r = 0; r < registers * TV.Width; r += TV.Width)
        {
            TV raw = TV.Load(Delta + r), value = raw, slope = TV.Of(1.0);
            if (shape.Softplus)
            {
                value = default(Softplus<T>).Apply(raw);
                slope = VectorMath.Sigmoid<TV, T>(raw);
            }

            TV below = TV.LessThan(value, least), above = TV.LessThan(most, value); // false for NaN, which passes
            TV.Select(below, least, TV.Select(above, most, value)).Store(Delta + r);
            TV.Select(below, zero, TV.Select(above, zero, slope)).Store(Slope + r);
        }
    }
}
