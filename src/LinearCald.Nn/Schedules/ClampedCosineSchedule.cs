namespace LinearCald.Nn.Schedules;

/// <summary>
/// Warm-up and a cosine to 0, but never below <c>Floor</c>, in the warm-up neither; the floor alone from <c>DecaySteps</c> on. The reference's
/// language-model recipe: with a floor of a tenth of the peak the cosine meets it after about 79.5 % of its way.
/// </summary>
/// <param name="Peak">The rate at the end of the warm-up.</param>
/// <param name="WarmupSteps">W.</param>
/// <param name="TotalSteps">T, where the cosine would reach 0; at least W.</param>
/// <param name="Floor">The smallest rate.</param>
/// <param name="DecaySteps">From this step on the rate is the floor; <c>TotalSteps</c> when null.</param>
public sealed record ClampedCosineSchedule(double Peak, int WarmupSteps, int TotalSteps, double Floor, int? DecaySteps = null)
    : LearningRateSchedule(Peak, WarmupSteps)
{
    /// <inheritdoc cref="ClampedCosineSchedule(double, int, int, double, int?)"/>
    public int TotalSteps { get; } = CheckedTotal(TotalSteps, WarmupSteps);

    /// <inheritdoc cref="ClampedCosineSchedule(double, int, int, double, int?)"/>
    public double Floor { get; } = CheckedFloor(Floor, Peak);

    protected override double AfterWarmup(int step) => Peak * CosineSchedule.Half(step, WarmupSteps, TotalSteps);

    protected override double Bound(int step, double rate) => step < (DecaySteps ?? TotalSteps) ? Math.Max(rate, Floor) : Floor;
}
