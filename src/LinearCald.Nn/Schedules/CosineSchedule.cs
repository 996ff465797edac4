namespace LinearCald.Nn.Schedules;

/// <summary>
/// Warm-up, then half a cosine from the peak down to <c>Floor</c> at <c>TotalSteps</c>: F + (Peak − F) · ½(1 + cos π (t − W)/(T − W)).
/// As in transformers the cosine goes on past T, where it rises again; a run ends at T.
/// </summary>
/// <param name="Peak">The rate at the end of the warm-up.</param>
/// <param name="WarmupSteps">W.</param>
/// <param name="TotalSteps">T, at least W.</param>
/// <param name="Floor">F, the rate that the curve is squeezed to end at.</param>
public sealed record CosineSchedule(double Peak, int WarmupSteps, int TotalSteps, double Floor = 0) : LearningRateSchedule(Peak, WarmupSteps)
{
    /// <inheritdoc cref="CosineSchedule(double, int, int, double)"/>
    public int TotalSteps { get; } = CheckedTotal(TotalSteps, WarmupSteps);

    /// <inheritdoc cref="CosineSchedule(double, int, int, double)"/>
    public double Floor { get; } = CheckedFloor(Floor, Peak);

    protected override double AfterWarmup(int step) => Floor + ((Peak - Floor) * Half(step, WarmupSteps, TotalSteps));

    /// <summary>½(1 + cos π (t − W)/(T − W)).</summary>
    internal static double Half(int step, int warmup, int total) => 0.5 * (1 + Math.Cos(Math.PI * (step - warmup) / Math.Max(1, total - warmup)));
}
