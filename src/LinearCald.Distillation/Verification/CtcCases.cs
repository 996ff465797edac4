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
/// The reference adds up logarithms in float32: near a loss of 700 they are 6e-5 apart, and its gradient is wrong by as much (1.1e-4 for batch 3 of seed 0, against float64,
/// where ours is below 1e-6). So the budget of a gradient is four roundings of the batch's largest finite loss where that is above the operators' budget; losses have that.
/// </remarks>
internal static class CtcCases
{
    private const double Rounding = 1.0 / (1 << 24);

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
            ErrorMeter ofLosses = new(), ofGradient = new();
            using MemoryScope scope = MemoryScope.Begin();
            using Tape tape = Tape.Record();
            Tensor logits = fixture.Float($"{index}.logits", device);
            logits.RequiresGradient = true;
            Tensor data = logits.Transpose(0, 1).Contiguous();
            Tensor losses = (precision.ComputeType() is { } type ? data.To(type) : data).CtcLoss(
                fixture.Integer($"{index}.targets", device), fixture.Integer($"{index}.input_lengths", device), fixture.Integer($"{index}.target_lengths", device),
                blank, zeroInfinity);
            double[] expected = fixture.ExpectedValues($"{index}.loss");
            ofLosses.Add($"{index}.loss", "loss", Fixture.Values(losses), expected);
            tape.Backward(losses, Tensor.Full(device, losses.Type, losses.Shape, 1));
            Tensor gradient = logits.Gradient ?? throw new CaldException($"no gradient reached {index}.logits");
            ofGradient.Add($"{index}.grad_logits", "grad", Fixture.Values(gradient), fixture.ExpectedValues($"{index}.grad_logits"));
            double largest = expected.Where(double.IsFinite).DefaultIfEmpty().Max();
            results.Add(ofLosses.Result(fixture.Name, device.Name, precision.OperatorBudget()));
            results.Add(ofGradient.Result(fixture.Name, device.Name, Math.Max(precision.OperatorBudget(), 4 * Rounding * largest)));
        }

        return results.MaxBy(r => double.IsNaN(r.Worst) ? double.PositiveInfinity : r.Worst / r.Budget)! with { Compared = results.Sum(r => r.Compared) };
    }
}
