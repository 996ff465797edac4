using LinearCald.Distillation.Verification;

namespace LinearCald.Distillation.Tests;

public sealed class ErrorMeterTests
{
    private static readonly string[] s_groups = ["out", "out", "grad", "grad", "grad"];

    /// <summary>Whatever follows it or came before, in our results or in the reference.</summary>
    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void ANumberThatIsNotFiniteNeverPasses(double bad)
    {
        for (int place = 0; place < s_groups.Length; place++)
        {
            foreach (bool isOurs in (bool[])[true, false])
            {
                ErrorMeter meter = new();
                for (int i = 0; i < s_groups.Length; i++)
                {
                    double value = i == place ? bad : 2;
                    meter.Add($"t{i}", s_groups[i], [1, isOurs ? value : 2], [1, isOurs ? 2 : value]);
                }

                CaseResult result = meter.Result("case", "cpu", 1e-4);
                Assert.False(result.Pass, $"{result.ToJson()}: {bad} in t{place}");
                Assert.False(result.Worst <= 1e-4);
            }
        }
    }

    [Fact]
    public void TheWorstIsNamed()
    {
        ErrorMeter meter = new();
        meter.Add("a", "out", [1, 2], [1, 2]);
        meter.Add("b", "out", [1, 2.5], [1, 2]);
        meter.Add("c", "grad", [1, 2.1], [1, 2]);
        CaseResult result = meter.Result("case", "cpu", 1);
        Assert.Equal(("b", 3, true), (result.Where, result.Compared, result.Pass));
        Assert.Equal(0.5 / Math.Sqrt(5), result.Worst, 12);
    }
}
