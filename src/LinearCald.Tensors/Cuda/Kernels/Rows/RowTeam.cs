using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// The threads that work on one row of a matrix together: a warp, or a whole group. Reductions give the same bits on every thread and from run to run.
/// </summary>
internal interface IRowTeam
{
    /// <summary>Threads of a team.</summary>
    static abstract int Threads { get; }

    /// <summary>This thread's number in its team.</summary>
    static abstract int Rank { get; }

    /// <summary>This team's number in its group.</summary>
    static abstract int Index { get; }

    /// <summary>Whether a group is one team.</summary>
    static abstract bool IsGroup { get; }

    /// <summary>What one reduction needs; each reduction between two barriers wants its own.</summary>
    static abstract Shared<Float2> Scratch();

    /// <summary>The sum over the team.</summary>
    static abstract float Sum(Shared<Float2> scratch, float value);

    /// <summary>The largest over the team; NaN wins.</summary>
    static abstract float Max(Shared<Float2> scratch, float value);

    /// <summary>The sums of both parts over the team.</summary>
    static abstract Float2 Sum(Shared<Float2> scratch, Float2 value);

    /// <summary>The largest of both parts over the team; NaN wins.</summary>
    static abstract Float2 Max(Shared<Float2> scratch, Float2 value);
}

/// <summary>One warp a row: shuffles only.</summary>
internal readonly struct WarpTeam : IRowTeam
{
    public static int Threads => Warp.Size;

    public static int Rank => Warp.Lane;

    public static int Index => Warp.Index;

    public static bool IsGroup => false;

    public static Shared<Float2> Scratch() => default;

    public static float Sum(Shared<Float2> scratch, float value) => Warp.Sum(value);

    public static float Max(Shared<Float2> scratch, float value) => Warp.Max(value);

    public static Float2 Sum(Shared<Float2> scratch, Float2 value) => new(Warp.Sum(value.X), Warp.Sum(value.Y));

    public static Float2 Max(Shared<Float2> scratch, Float2 value) => new(Warp.Max(value.X), Warp.Max(value.Y));
}

/// <summary>One group a row: each warp reduces by shuffles, then every thread goes over the warps' results; one barrier.</summary>
internal readonly struct GroupTeam : IRowTeam
{
    public static int Threads => Group.Size;

    public static int Rank => Group.Thread;

    public static int Index => 0;

    public static bool IsGroup => true;

    public static Shared<Float2> Scratch() => Shared.Allocate<Float2>(Group.Size / Warp.Size);

    public static float Sum(Shared<Float2> scratch, float value)
    {
        Publish(scratch, new Float2(Warp.Sum(value), 0f));
        float total = scratch[0].X;
        for (int w = 1; w < Group.Size / Warp.Size; w++)
        {
            total += scratch[w].X;
        }

        return total;
    }

    public static float Max(Shared<Float2> scratch, float value)
    {
        Publish(scratch, new Float2(Warp.Max(value), 0f));
        float largest = scratch[0].X;
        for (int w = 1; w < Group.Size / Warp.Size; w++)
        {
            largest = MathF.Max(largest, scratch[w].X);
        }

        return largest;
    }

    public static Float2 Sum(Shared<Float2> scratch, Float2 value)
    {
        Publish(scratch, WarpTeam.Sum(scratch, value));
        Float2 total = scratch[0];
        for (int w = 1; w < Group.Size / Warp.Size; w++)
        {
            Float2 next = scratch[w];
            total = new Float2(total.X + next.X, total.Y + next.Y);
        }

        return total;
    }

    public static Float2 Max(Shared<Float2> scratch, Float2 value)
    {
        Publish(scratch, WarpTeam.Max(scratch, value));
        Float2 largest = scratch[0];
        for (int w = 1; w < Group.Size / Warp.Size; w++)
        {
            Float2 next = scratch[w];
            largest = new Float2(MathF.Max(largest.X, next.X), MathF.Max(largest.Y, next.Y));
        }

        return largest;
    }

    private static void Publish(Shared<Float2> scratch, Float2 value)
    {
        if (Warp.Lane == 0)
        {
            scratch[Warp.Index] = value;
        }

        Group.Barrier();
    }
}
