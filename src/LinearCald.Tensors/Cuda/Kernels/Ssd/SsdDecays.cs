using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Δ and decays of one chunk of a head in shared memory, by step. s_i = Σ_{j ≤ i} Δ_j A is kept as two floats: what counts are differences of sums that may be hundreds.
/// Where a sequence begins inside the chunk, nothing passes from before.
/// </summary>
internal struct SsdDecays
{
    /// <summary>s_i rounded.</summary>
    public Shared<float> High;

    /// <summary>What rounding took from s_i.</summary>
    public Shared<float> Low;

    /// <summary>Δ_i; 0 for steps that do not exist.</summary>
    public Shared<float> Delta;

    /// <summary>dΔ_i / d(delta + bias).</summary>
    public Shared<float> Slope;

    /// <summary>exp(s_i), and 0 where the chunk's first state does not reach step i.</summary>
    public Shared<float> Entry;

    /// <summary>exp(s_last − s_i), and 0 where step i does not reach the end of the chunk.</summary>
    public Shared<float> Exit;

    /// <summary>The first step of step i's sequence; −1 when it began before the chunk.</summary>
    public Shared<float> Start;

    /// <summary>Decay of the state over the whole chunk.</summary>
    public Shared<float> Total;

    /// <param name="copies">How many chunks there is room for.</param>
    public static SsdDecays Allocate(int copies)
    {
        int count = copies * SsdSizes.Chunk;
        return new SsdDecays
        {
            High = Shared.Allocate<float>(count),
            Low = Shared.Allocate<float>(count),
            Delta = Shared.Allocate<float>(count),
            Slope = Shared.Allocate<float>(count),
            Entry = Shared.Allocate<float>(count),
            Exit = Shared.Allocate<float>(count),
            Start = Shared.Allocate<float>(count),
            Total = Shared.Allocate<float>(4 * copies),
        };
    }

    /// <summary>The room of one chunk.</summary>
    public readonly SsdDecays Copy(int index)
    {
        int at = index * SsdSizes.Chunk;
        return new SsdDecays
        {
            High = High.From(at),
            Low = Low.From(at),
            Delta = Delta.From(at),
            Slope = Slope.From(at),
            Entry = Entry.From(at),
            Exit = Exit.From(at),
            Start = Start.From(at),
            Total = Total.From(4 * index),
        };
    }

    /// <summary>exp(s_i − s_j) for j ≤ i in one sequence, else 0.</summary>
    /// <param name="high">High of i, less that of j.</param>
    /// <param name="low">Low of i, less that of j.</param>
    public static float Between(float high, float low, int i, int j, float start) => j <= i && j >= start ? DeviceMath.Exp(high + low) : 0f;

    /// <summary>By one warp: lane l does steps 2l and 2l + 1 of a chunk.</summary>
    /// <param name="raw">From <see cref="SsdRawDeltas.Read"/>.</param>
    /// <param name="left">Steps from the chunk's first on that exist.</param>
    public readonly void Compute(SsdRawDeltas raw, int left, float bias, float a, SsdSizes sizes, SsdTraits traits)
    {
        int lane = Warp.Lane, step = 2 * lane;
        float x = raw.First + bias, y = raw.Second + bias;
        float delta0 = step < left ? Clamp(Activate(x, traits), sizes) : 0f, delta1 = step + 1 < left ? Clamp(Activate(y, traits), sizes) : 0f;
        float term0 = delta0 * a, term1 = delta1 * a;
        TwoFloats sum = TwoFloats.Add(new TwoFloats(term0, 0f), new TwoFloats(term1, 0f));
        float start0 = raw.FirstBegins ? step : -1f, start1 = raw.SecondBegins ? step + 1 : start0, start = start1;
        for (int distance = 1; distance < Warp.Size; distance *= 2)
        {
            TwoFloats before = new(Warp.ShuffleUp(sum.High, distance), Warp.ShuffleUp(sum.Low, distance));
            float earlier = Warp.ShuffleUp(start, distance);
            TwoFloats joined = TwoFloats.Add(before, sum);
            bool has = lane >= distance;
            sum = new TwoFloats(has ? joined.High : sum.High, has ? joined.Low : sum.Low);
            start = has ? MathF.Max(earlier, start) : start;
        }

        TwoFloats previous = new(Warp.ShuffleUp(sum.High, 1), Warp.ShuffleUp(sum.Low, 1));
        float previousStart = Warp.ShuffleUp(start, 1);
        if (lane == 0)
        {
            previous = new TwoFloats(0f, 0f);
            previousStart = -1f;
        }

        TwoFloats first = TwoFloats.Add(previous, new TwoFloats(term0, 0f));
        TwoFloats last = new(Warp.Shuffle(sum.High, Warp.Size - 1), Warp.Shuffle(sum.Low, Warp.Size - 1));
        float lastStart = Warp.Shuffle(start, Warp.Size - 1);
        Put(step, first, delta0, x, MathF.Max(previousStart, start0), last, lastStart, sizes, traits);
        Put(step + 1, sum, delta1, y, start, last, lastStart, sizes, traits);
        if (lane == 0)
        {
            Total[0] = lastStart < 0f ? DeviceMath.Exp(last.High + last.Low) : 0f;
        }
    }

    private readonly void Put(int step, TwoFloats sum, float delta, float raw, float start, TwoFloats last, float lastStart, SsdSizes sizes, SsdTraits traits)
    {
        High[step] = sum.High;
        Low[step] = sum.Low;
        Delta[step] = delta;
        float value = Activate(raw, traits);
        Slope[step] = value < sizes.DeltaMin || value > sizes.DeltaMax ? 0f : traits.Softplus ? DeviceMath.Sigmoid(raw) : 1f;
        Entry[step] = start < 0f ? DeviceMath.Exp(sum.High + sum.Low) : 0f;
        Exit[step] = step >= lastStart ? DeviceMath.Exp((last.High - sum.High) + (last.Low - sum.Low)) : 0f;
        Start[step] = start;
    }

    public static float Activate(float raw, SsdTraits traits) => traits.Softplus ? SoftplusMap.Apply(raw, 0f, 0f) : raw;

    /// <summary>NaN stays NaN.</summary>
    public static float Clamp(float delta, SsdSizes sizes) => delta < sizes.DeltaMin ? sizes.DeltaMin : delta > sizes.DeltaMax ? sizes.DeltaMax : delta;
}

/// <summary>What the model computed for two steps of a lane, read while the chunk before is worked on.</summary>
internal struct SsdRawDeltas
{
    public float First;
    public float Second;

    /// <summary>Whether a sequence begins with the first step.</summary>
    public bool FirstBegins;

    /// <summary>Whether a sequence begins with the second step.</summary>
    public bool SecondBegins;

    /// <summary>Lane l reads steps 2l and 2l + 1 of a chunk.</summary>
    public static SsdRawDeltas Read<TProduct, T>(ReadOnlyView<T> delta, ReadOnlyView<int> sequences, SsdPath path, int firstStep, int head, SsdSizes sizes, SsdTraits traits)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
    {
        int step = firstStep + (2 * Warp.Lane);
        SsdRawDeltas raw = default;
        if (step < path.Steps)
        {
            raw.First = TProduct.Widen(delta[((long)path.Row(step, traits) * sizes.DeltaPitch) + head]);
        }

        if (step + 1 < path.Steps)
        {
            raw.Second = TProduct.Widen(delta[((long)path.Row(step + 1, traits) * sizes.DeltaPitch) + head]);
        }

        if (traits.HasSequences)
        {
            raw.FirstBegins = Begins(sequences, path, step, traits);
            raw.SecondBegins = Begins(sequences, path, step + 1, traits);
        }

        return raw;
    }

    private static bool Begins(ReadOnlyView<int> sequences, SsdPath path, int step, SsdTraits traits)
    {
        bool begins = false;
        if (step > 0 && step < path.Steps)
        {
            begins = sequences[path.Row(step, traits)] != sequences[path.Row(step - 1, traits)];
        }

        return begins;
    }
}

/// <summary>A sum of two floats, the second what rounding took from the first (Knuth's two-sum; additions only, which nothing contracts).</summary>
internal readonly struct TwoFloats(float high, float low)
{
    public readonly float High = high;
    public readonly float Low = low;

    public static TwoFloats Add(TwoFloats a, TwoFloats b)
    {
        float sum = a.High + b.High, part = sum - a.High;
        float error = (a.High - (sum - part)) + (b.High - part) + (a.Low + b.Low);
        float high = sum + error;
        return new TwoFloats(high, error - (high - sum));
    }
}
