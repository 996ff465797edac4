namespace LinearCald.Nn.Schedules;

/// <summary>
/// Warm-up, then an exponential from the peak to <c>Floor</c> within <c>DecaySteps</c> steps, and the floor from there:
/// Peak · (Floor / Peak)^((t − W) / D). The reference's speech recipe: 3e-4, 5 000, 75 000, 1.5e-6.
/// </summary>
/// <param name="Peak">The rate at the end of the warm-up.</param>
/// <param name="WarmupSteps">W.</param>
/// <param name="DecaySteps">D, counted from the end of the warm-up; at least 1.</param>
/// <param name="Floor">The rate at the end, above 0.</param>
public sealed record ExponentialSchedule(double Peak, int WarmupSteps, int DecaySteps, double Floor) : LearningRateSchedule(Peak, WarmupSteps)
{
    /// <inheritdoc cref="ExponentialSchedule(double, int, int, double)"/>
    public int DecaySteps { get; } =
        DecaySteps > 0 ? DecaySteps : throw new CaldException($"The exponential decay takes {DecaySteps} steps; it must be at least 1.");

    /// <inheritdoc cref="ExponentialSchedule(double, int, int, double)"/>
    public double Floor { get; } =
        Floor > 0 ? CheckedFloor(Floor, Peak) : throw new CaldException($"An exponential decay cannot reach {Floor}: its floor must be above 0.");

    protected override double AfterWarmup(int step) =>
        step - WarmupSteps >= DecaySteps ? Floor : Peak * Math.Exp((step - WarmupSteps) * Math.Log(Floor / Peak) / DecaySteps);
}
