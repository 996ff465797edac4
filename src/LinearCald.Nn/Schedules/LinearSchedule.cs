namespace LinearCald.Nn.Schedules;

/// <summary>Warm-up, then a straight line to 0 at <c>TotalSteps</c>, and 0 from there: Peak · (T − t) / (T − W). The text recipes use it.</summary>
/// <param name="Peak">The rate at the end of the warm-up.</param>
/// <param name="WarmupSteps">W.</param>
/// <param name="TotalSteps">T, at least W.</param>
public sealed record LinearSchedule(double Peak, int WarmupSteps, int TotalSteps) : LearningRateSchedule(Peak, WarmupSteps)
{
    /// <inheritdoc cref="LinearSchedule(double, int, int)"/>
    public int TotalSteps { get; } = CheckedTotal(TotalSteps, WarmupSteps);

    protected override double AfterWarmup(int step) => Peak * ((double)Math.Max(0, TotalSteps - step) / Math.Max(1, TotalSteps - WarmupSteps));
}
