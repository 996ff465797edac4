using LinearCald.Nn;
using LinearCald.Nn.Optimisers;
using LinearCald.Nn.Schedules;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Verification;

/// <summary>AdamW with clipping, and learning-rate schedules.</summary>
internal static class OptimiserCases
{
    private const double Budget = 1e-5;

    /// <summary>Eight updates of two parameters, p with decay 0.1 and q without, lr 3e-2, betas (0.9, 0.98), clipped at norm 1.</summary>
    public static CaseResult AdamWWithClipping(Fixture fixture, Device device)
    {
        using Pair pair = new(fixture.Float("p0", device), fixture.Float("q0", device));
        using AdamW optimiser = new(pair.NamedParameters(), new AdamWOptions(0.9, 0.98, 1e-8, 0.1), name => name == "p");
        ErrorMeter meter = new();
        for (int step = 0; fixture.Expected.Find($"p.{step}") is not null; step++)
        {
            pair.SetGradients(fixture.Float($"gp.{step}", device), fixture.Float($"gq.{step}", device));
            double norm = optimiser.Update(3e-2, clipNorm: 1);
            meter.Add($"norm.{step}", $"norm.{step}", [norm], fixture.ExpectedValues($"norm.{step}"));
            meter.Add($"p.{step}", $"p.{step}", Fixture.Values(pair.P.Value), fixture.ExpectedValues($"p.{step}"));
            meter.Add($"q.{step}", $"q.{step}", Fixture.Values(pair.Q.Value), fixture.ExpectedValues($"q.{step}"));
        }

        return meter.Result(fixture.Name, device.Name, Budget);
    }

    /// <summary>Schedules named in the file, at peak 1.</summary>
    public static CaseResult Schedules(Fixture fixture, Device device)
    {
        (int warmup, int total) = fixture.Settings(json => (json.GetProperty("warmup").GetInt32(), json.GetProperty("total").GetInt32()));
        ErrorMeter meter = new();
        foreach (string name in fixture.Expected.Entries.Select(e => e.Name))
        {
            LearningRateSchedule schedule = name switch
            {
                "linear" => new LinearSchedule(1, warmup, total),
                "cosine" => new CosineSchedule(1, warmup, total),
                _ => throw new CaldException($"{fixture.Folder}: schedule '{name}' is not known; known are linear and cosine"),
            };
            double[] expected = fixture.ExpectedValues(name);
            double[] actual = [.. Enumerable.Range(0, expected.Length).Select(schedule.Of)];
            meter.Add(name, name, actual, expected);
        }

        return meter.Result(fixture.Name, device.Name, 1e-12);
    }

    private sealed class Pair : Module
    {
        public Pair(Tensor p, Tensor q)
        {
            BuildContext context = BuildContext.For(p.Device, 0);
            P = AddParameter("p", context, p.Shape, (value, _) => value.CopyFrom(p));
            Q = AddParameter("q", context, q.Shape, (value, _) => value.CopyFrom(q));
        }

        public Parameter P { get; }

        public Parameter Q { get; }

        public void SetGradients(Tensor p, Tensor q)
        {
            P.Value.SetGradient(p);
            Q.Value.SetGradient(q);
        }
    }
}
