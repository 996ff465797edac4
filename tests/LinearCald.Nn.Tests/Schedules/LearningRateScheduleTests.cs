using System.Text.Json;
using FsCheck.Fluent;
using LinearCald.Nn.Files;
using LinearCald.Nn.Schedules;

namespace LinearCald.Nn.Tests.Schedules;

public class LearningRateScheduleTests
{
    [Fact]
    public void Linear_and_cosine_agree_with_transformers()
    {
        using JsonDocument settings = JsonDocument.Parse(File.ReadAllText(FixtureFolder.PathOf("seed0/lr-schedules/case.json")));
        int warmup = settings.RootElement.GetProperty("warmup").GetInt32();
        int total = settings.RootElement.GetProperty("total").GetInt32();
        using SafetensorsFile expected = SafetensorsFile.Open(FixtureFolder.PathOf("seed0/lr-schedules/expected.safetensors"));
        double[] values = new double[settings.RootElement.GetProperty("steps_recorded").GetInt32()];
        foreach ((string name, LearningRateSchedule schedule) in new (string, LearningRateSchedule)[]
        {
            ("linear", new LinearSchedule(1, warmup, total)),
            ("cosine", new CosineSchedule(1, warmup, total)),
        })
        {
            expected.Read(name, values);
            for (int step = 0; step < values.Length; step++)
                Assert.Equal(values[step], schedule.Of(step), 1e-15);
        }
    }

    [Fact]
    public void Speech_recipe_passes_through_the_published_points()
    {
        ExponentialSchedule schedule = new(3e-4, 5_000, 75_000, 1.5e-6);
        Assert.Equal(0, schedule.Of(0));
        Assert.Equal(1.5e-4, schedule.Of(2_500), 1e-18);
        Assert.Equal(3e-4, schedule.Of(5_000), 1e-18);
        Assert.Equal(1.04e-4, schedule.Of(20_000), 0.005e-4);
        Assert.Equal(2.1e-5, schedule.Of(42_500), 0.05e-5);
        Assert.Equal(6.2e-6, schedule.Of(60_000), 0.05e-6);
        Assert.Equal(1.5e-6, schedule.Of(79_999), 1e-9);
        Assert.Equal(1.5e-6, schedule.Of(80_000));
        Assert.Equal(1.5e-6, schedule.Of(90_000));
        Assert.Equal(0.5, schedule.Of(5_000 + 9_812 + 9_812) / schedule.Of(5_000 + 9_812), 1e-4);
    }

    [Theory]
    [InlineData(12_000, 9_616)]
    [InlineData(24_000, 19_231)]
    public void Language_model_recipe_meets_its_floor_where_the_reference_does(int total, int floorStep)
    {
        ClampedCosineSchedule schedule = new(3e-4, total * 3 / 100, total, 3e-5);
        Assert.Equal(3e-5, schedule.Of(0));
        Assert.Equal(3e-4, schedule.Of(total * 3 / 100), 1e-18);
        Assert.True(schedule.Of(floorStep - 2) > 3e-5);
        Assert.Equal(3e-5, schedule.Of(floorStep + 2));
        Assert.Equal(3e-5, schedule.Of(total + 1000));
    }

    [Fact]
    public void Clamped_cosine_is_the_floor_from_its_decay_steps_on()
    {
        ClampedCosineSchedule schedule = new(1, 10, 100, 0.1, DecaySteps: 40);
        Assert.True(schedule.Of(39) > 0.5);
        Assert.Equal(0.1, schedule.Of(40));
    }

    [Fact]
    public void Cosine_with_a_floor_ends_at_it()
    {
        CosineSchedule schedule = new(2, 10, 110, 0.5);
        Assert.Equal(2, schedule.Of(10), 1e-15);
        Assert.Equal(1.25, schedule.Of(60), 1e-12);
        Assert.Equal(0.5, schedule.Of(110), 1e-15);
    }

    [Fact]
    public void Every_schedule_rises_to_its_peak_falls_after_it_and_stays_between_floor_and_peak() =>
        Prop.ForAll(Gen.Choose(1, 50).Three().Zip(Gen.Choose(1, 1000)).ToArbitrary(), draw =>
        {
            ((int warmup, int rest, int floor), int peak) = draw;
            double top = peak * 1e-5;
            double bottom = top * floor / 51;
            int total = warmup + rest;
            LearningRateSchedule[] schedules =
            [
                new ConstantSchedule(top, warmup), new LinearSchedule(top, warmup, total), new CosineSchedule(top, warmup, total, bottom),
                new ClampedCosineSchedule(top, warmup, total, bottom), new ExponentialSchedule(top, warmup, rest, bottom),
            ];
            foreach (LearningRateSchedule schedule in schedules)
            {
                for (int step = 0; step < total; step++)
                {
                    double now = schedule.Of(step);
                    double next = schedule.Of(step + 1);
                    Assert.InRange(now, 0, top * (1 + 1e-15)); // adding a floor may round up
                    if (step + 1 <= warmup)
                        Assert.True(next >= now, $"{schedule} falls in its warm-up, from step {step}");
                    else
                        Assert.True(next <= now * (1 + 1e-15), $"{schedule} rises after its warm-up, from step {step}");
                }
            }
        }).Holds();

    [Fact]
    public void Senseless_settings_are_refused_with_the_numbers()
    {
        Assert.Contains("fewer than its warm-up of 10", Assert.Throws<CaldException>(() => new LinearSchedule(1, 10, 9)).Message, StringComparison.Ordinal);
        Assert.Contains("-1", Assert.Throws<CaldException>(() => new ConstantSchedule(1, -1)).Message, StringComparison.Ordinal);
        Assert.Contains("NaN", Assert.Throws<CaldException>(() => new ConstantSchedule(double.NaN, 0)).Message, StringComparison.Ordinal);
        Assert.Contains("between 0 and the peak 1", Assert.Throws<CaldException>(() => new CosineSchedule(1, 0, 9, 2)).Message, StringComparison.Ordinal);
        Assert.Contains("above 0", Assert.Throws<CaldException>(() => new ExponentialSchedule(1, 0, 9, 0)).Message, StringComparison.Ordinal);
    }
}
