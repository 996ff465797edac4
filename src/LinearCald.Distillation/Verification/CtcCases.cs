using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Verification;

/// <summary>
/// Batches of the CTC loss: <c>N.logits</c> [T, B, V], <c>N.targets</c>, <c>N.input_lengths</c>, <c>N.target_lengths</c> in, <c>N.loss</c> [B] and the gradient of its sum,
/// <c>N.grad_logits</c>, expected; <c>case.json</c> names the blank and what becomes of infinite losses.
/// </summary>
/// <remarks>
/// The reference adds up logarithms in float32, and those are as large as the loss: with T frames the exponents of its gradient carry T roundings of that size, which add up as √T of
/// them. Against float64 it was off by up to 6.0 roundings of the largest loss at T = 200, 3.1 at 50 and 2.2 at 30 (51 seeds; ours by 1.1e-7). So its gradient's budget is √T roundings
/// of the batch's largest finite loss where that is above the operators' budget, and the operators' budget holds against our own gradient in float64, by the same rule on the CPU.
/// Losses have the operators' budget.
/// </remarks>
internal static class CtcCases
{
    private const double Rounding = 1.0 / (1 << 24);
    private static readonly Device s_cpu = Device.Parse("cpu");

    public static bool Fits(Fixture fixture) => fixture.HasInput("0.input_lengths") && fixture.HasInput("0.target_lengths");

    public static CaseResult Verify(Fixture fixture, Device device, Precision precision)
    {
        (int Blank, bool ZeroInfinity)[] cases = fixture.Settings(
            json => json.GetProperty("cases").EnumerateArray().Select(c => (c.GetProperty("blank").GetInt32(), c.GetProperty("zero_infinity").GetBoolean())).ToArray());
        if (cases.Length == 0)
        {
            throw new CaldException($"{fixture.Folder}: case.json lists no case; the fixture is damaged");
        }

        List<CaseResult> results = [];
        foreach ((int index, (int blank, bool zeroInfinity)) in cases.Index())
        {
            using MemoryScope scope = MemoryScope.Begin();
            ErrorMeter ofLosses = new(), ofGradient = new(), ofRounding = new();
            Tensor logits = fixture.Float($"{index}.logits", device), exact = fixture.Float($"{index}.logits", s_cpu).To(DType.Float64);
            (double[] losses, double[] gradient) = Compute(fixture, index, logits, blank, zeroInfinity);
            double[] expected = fixture.ExpectedValues($"{index}.loss");
            ofLosses.Add($"{index}.loss", "loss", losses, expected);
            ofGradient.Add($"{index}.grad_logits", "grad", gradient, fixture.ExpectedValues($"{index}.grad_logits"));
            ofRounding.Add($"{index}.grad_logits in float64", "grad", gradient, Compute(fixture, index, exact, blank, zeroInfinity).Gradient);
            double largest = expected.Where(double.IsFinite).DefaultIfEmpty().Max();
            results.Add(ofLosses.Result(fixture.Name, device.Name, precision.OperatorBudget()));
            results.Add(ofGradient.Result(fixture.Name, device.Name, Math.Max(precision.OperatorBudget(), Math.Sqrt(logits.Shape[0]) * Rounding * largest)));
            results.Add(ofRounding.Result(fixture.Name, device.Name, precision.OperatorBudget()));
        }

        return results.MaxBy(r => double.IsNaN(r.Worst) ? double.PositiveInfinity : r.Worst / r.Budget)! with { Compared = results.Sum(r => r.Compared) };
    }

    /// <summary>The losses [B] of a batch and the gradient [T, B, V] of their sum.</summary>
    private static (double[] Losses, double[] Gradient) Compute(Fixture fixture, int index, Tensor logits, int blank, bool zeroInfinity)
    {
        using MemoryScope scope = MemoryScope.Begin();
        using Tape tape = Tape.Record();
        logits.RequiresGradient = true;
        Tensor losses = logits.Transpose(0, 1).Contiguous().CtcLoss( // float32 in every precision, as heads give them
            fixture.Integer($"{index}.targets", logits.Device), fixture.Integer($"{index}.input_lengths", logits.Device),
            fixture.Integer($"{index}.target_lengths", logits.Device), blank, zeroInfinity);
        double[] values = Fixture.Values(losses);
        tape.Backward(losses, Tensor.Full(logits.Device, losses.Type, losses.Shape, 1));
        return (values, Fixture.Values(logits.Gradient ?? throw new CaldException($"no gradient reached {index}.logits")));
    }
}
