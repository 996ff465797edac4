namespace LinearCald.Distillation.Reporting;

/// <summary>
/// A wish to stop that a trainer looks at between two updates: it finishes the one it is in, saves a checkpoint and returns. Unlike a
/// cancellation it never interrupts anything half done. Thread-safe; once made it stays.
/// </summary>
public sealed class StopRequest
{
    private volatile bool requested;

    /// <summary>A request that nobody makes.</summary>
    public static StopRequest Never { get; } = new();

    /// <summary>Somebody wants the run to end after this update.</summary>
    public bool IsRequested => requested;

    /// <summary>Makes the wish known.</summary>
    public void Request()
    {
        if (ReferenceEquals(this, Never))
            throw new InvalidOperationException("StopRequest.Never is shared; create a request of your own");
        requested = true;
    }
}

/// <summary>
/// A run ended early because of a <see cref="StopRequest"/>, with everything saved. The message says how to go on; the exit code is 1.
/// </summary>
public sealed class RunStoppedException : CaldException
{
    /// <param name="step">Updates completed and saved.</param>
    /// <param name="totalSteps">Updates of the whole run.</param>
    /// <param name="folder">The run folder that `--resume --out` continues.</param>
    public RunStoppedException(int step, int totalSteps, string folder)
        : base($"stopped after step {step} of {totalSteps}; everything is saved. To go on, repeat the command with --resume --out {folder}")
    {
    }
}
