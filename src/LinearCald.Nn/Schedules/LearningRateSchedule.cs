namespace LinearCald.Nn.Schedules;

/// <summary>
/// The learning rate as a function of the number of optimiser steps already done: the first step is made at <c>Of(0)</c>. Pure functions of
/// float64, so that a resumed run needs no state of the schedule.
/// </summary>
/// <param name="Peak">The rate at the end of the warm-up, the largest of all.</param>
/// <param name="WarmupSteps">Steps in which the rate rises linearly from 0: Peak · t / WarmupSteps.</param>
public abstract record LearningRateSchedule(double Peak, int WarmupSteps)
{
    /// <inheritdoc cref="LearningRateSchedule(double, int)"/>
    public double Peak { get; } =
        double.IsFinite(Peak) && Peak >= 0 ? Peak : throw new CaldException($"The peak learning rate is {Peak}; it must be a number from 0 up.");

    /// <inheritdoc cref="LearningRateSchedule(double, int)"/>
    public int WarmupSteps { get; } =
        WarmupSteps >= 0 ? WarmupSteps : throw new CaldException($"The warm-up takes {WarmupSteps} steps; it must be a number from 0 up.");

    /// <summary>The rate for the step after <paramref name="step"/> finished ones.</summary>
    public double Of(int step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        return Bound(step, step < WarmupSteps ? Peak * ((double)step / WarmupSteps) : AfterWarmup(step));
    }

    /// <summary>The rate once the warm-up is over; <paramref name="step"/> is at least <see cref="WarmupSteps"/>.</summary>
    protected abstract double AfterWarmup(int step);

    /// <summary>A last word on every rate, the warm-up's included; leaves it as it is unless a schedule says otherwise.</summary>
    protected virtual double Bound(int step, double rate) => rate;

    /// <summary>Checks a floor against the peak.</summary>
    private protected static double CheckedFloor(double floor, double peak) =>
        floor >= 0 && floor <= peak ? floor : throw new CaldException($"The learning rate's floor is {floor}; it must lie between 0 and the peak {peak}.");

    /// <summary>Checks the length of a run against its warm-up.</summary>
    private protected static int CheckedTotal(int total, int warmup) =>
        total >= warmup
            ? total
            : throw new CaldException($"The schedule has {total} steps in all, fewer than its warm-up of {warmup}: train longer or warm up for fewer steps.");
}

/// <summary>Warm-up, then the peak for ever.</summary>
public sealed record ConstantSchedule(double Peak, int WarmupSteps) : LearningRateSchedule(Peak, WarmupSteps)
{
    protected override double AfterWarmup(int step) => Peak;
}
