namespace LinearCald.Testing.Ptx;

/// <summary>In which order warps and groups have their turns.</summary>
public enum Schedule
{
    /// <summary>Lowest number first, each until it must wait.</summary>
    Forward,

    /// <summary>Highest number first, each until it must wait.</summary>
    Backward,

    /// <summary>Random orders and short random turns, by seed.</summary>
    Shuffled,
}

/// <summary>How the emulator runs kernels.</summary>
public sealed record EmulatorOptions
{
    /// <summary>Order of warps and groups.</summary>
    public Schedule Schedule { get; init; }

    /// <summary>Of the shuffled schedule and of the jitter.</summary>
    public int Seed { get; init; }

    /// <summary>
    /// Results of approximate functions (<c>ex2.approx</c> …) are off by up to this many units in the last place, by seed; 0 rounds them correctly.
    /// </summary>
    public int Jitter { get; init; }

    /// <summary>Instructions of warps that a launch may run before it counts as endless.</summary>
    public long InstructionBudget { get; init; } = 4_000_000_000;

    /// <summary>Capability that is asked of the compiler and reported in <see cref="DeviceLimits"/>.</summary>
    public PtxTarget Target { get; init; } = PtxTarget.Sm80;
}
