using LinearCald.Distillation.Reporting;

namespace LinearCald.Cli.Tests;

/// <summary>The progress line and the two presses of Ctrl+C.</summary>
public sealed class ProgressTests
{
    private sealed class HandClock : TimeProvider
    {
        public long Milliseconds { get; set; }

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => Milliseconds;
    }

    private static StepReport Step(int step, double layer = 0.125, double kl = double.NaN) =>
        new("target", step, 100, step / 50.0, 1.2345, layer, kl, 1.8e-3, 512, step * 0.5, double.NaN);

    [Fact]
    public void TheLineHoldsWhatMatters()
    {
        Capture capture = Capture.Of(interactive: true, ansi: true, width: 200);
        using (ConsoleProgress progress = new(capture.Terminal, enabled: true, new HandClock()))
        {
            progress.Report(Step(1));
            progress.Report(new EvaluationReport("target", 1, "accuracy", 0.5, 1, 0.715, true, 1));
            for (int s = 2; s <= 100; s++)
                progress.Report(Step(s, kl: 0.005));
        }

        Assert.StartsWith("\rtarget 1/100 · epoch 0.0 · task 1.234 layer 0.125 · lr 1.8e-3 · 0 tok/s · ETA ?\e[K", capture.Error, StringComparison.Ordinal);
        Assert.Contains("\rtarget 100/100 · epoch 2.0 · task 1.234 layer 0.125 kl 5.0e-3 · lr 1.8e-3 · 1024 tok/s · ETA 0:00 · best accuracy 71.5 %\e[K", capture.Error, StringComparison.Ordinal);
        Assert.EndsWith("\r\e[K\r", capture.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void TheLineShowsUtilisationMemoryAndWhatWasLeftOut()
    {
        Capture capture = Capture.Of(interactive: true, ansi: true, width: 300);
        using (ConsoleProgress progress = new(capture.Terminal, enabled: true, new HandClock()))
        {
            progress.Report(Step(1));
            progress.Report(new EvaluationReport("target", 1, "perplexity", 33, 3.5, 31.719, true, 1));
            for (int s = 2; s <= 100; s++)
                progress.Report(Step(s) with { Flops = 5e11, PeakFlops = 1e14, MemoryBytes = 3L << 29, Skipped = s / 50 });
        }

        Assert.Matches(@"target 100/100 .* · MFU \d+ ?% · 1\.5 GiB · ETA 0:00 · best perplexity 31\.72 · 2 skipped", capture.Error);
    }

    [Fact]
    public void ItIsDrawnAtMostTenTimesASecond()
    {
        Capture capture = Capture.Of(interactive: true, ansi: true);
        HandClock clock = new();
        ConsoleProgress progress = new(capture.Terminal, enabled: true, clock);
        for (int s = 1; s <= 90; s++)
        {
            clock.Milliseconds += 20;
            progress.Report(Step(s));
        }

        Assert.Equal(18, capture.Error.Split('\r').Length - 1);
    }

    [Fact]
    public void ItFitsTheTerminal()
    {
        Capture capture = Capture.Of(interactive: true, width: 40);
        using ConsoleProgress progress = new(capture.Terminal, enabled: true);
        progress.Report(Step(1));
        Assert.Equal(1 + 39, capture.Error.Length);
    }

    [Fact]
    public void TimeLeftFollowsThePaceSinceTheRunWasResumed()
    {
        ProgressPace pace = new();
        StepReport last = default;
        for (int s = 41; s <= 60; s++)
            pace.Count(last = Step(s));
        Assert.Equal(20, pace.SecondsLeft(last), 9);
        Assert.Equal(1024, pace.TokensPerSecond, 0);
    }

    [Fact]
    public void RedirectedItIsSilent()
    {
        Capture capture = Capture.Of();
        using (ConsoleProgress progress = new(capture.Terminal, enabled: capture.Terminal.IsInteractive))
        {
            progress.Report(Step(1));
            progress.Report(new EvaluationReport("target", 1, "accuracy", 0.5, 1, 0.5, true, 1));
            progress.Note("checkpoint written");
        }

        Assert.Empty(capture.Error);
    }

    [Fact]
    public void ANoteIsALineOfItsOwn()
    {
        Capture capture = Capture.Of(interactive: true, ansi: true);
        using ConsoleProgress progress = new(capture.Terminal, enabled: true);
        progress.Report(Step(1));
        progress.Note("waypoint 2 loaded");
        Assert.EndsWith("\r\e[K\rwaypoint 2 loaded" + Environment.NewLine, capture.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void TheFirstPressAsksTheSecondKills()
    {
        Capture capture = Capture.Of();
        StopRequest stop = new();
        using Interrupts interrupts = new(stop, capture.Terminal);
        Assert.True(interrupts.Absorb());
        Assert.True(stop.IsRequested);
        Assert.Contains("stopping after this step", capture.Error, StringComparison.Ordinal);
        Assert.False(interrupts.Absorb());
    }
}
