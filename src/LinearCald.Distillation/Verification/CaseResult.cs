using LinearCald.Distillation.Reporting;

namespace LinearCald.Distillation.Verification;

/// <summary>How one golden case compares.</summary>
/// <param name="Case">Folder name, and the operator's name inside a folder of operators.</param>
/// <param name="Device">Where it was computed.</param>
/// <param name="Worst">The largest error ratio ‖x − ref‖ / ‖ref‖ of all compared tensors.</param>
/// <param name="Budget">What it may be.</param>
/// <param name="Where">The tensor with the largest ratio.</param>
/// <param name="Compared">Number of tensors compared.</param>
public sealed record CaseResult(string Case, string Device, double Worst, double Budget, string Where, int Compared)
{
    /// <summary>Why nothing was compared; null when something was.</summary>
    public string? Skipped { get; init; }

    /// <summary>Within budget; NaN never is. Nothing compared is no pass.</summary>
    public bool Pass => Worst <= Budget && Compared > 0;

    /// <summary>One JSON object.</summary>
    public string ToJson() => Skipped is { } reason
        ? new JsonLine().Add("case", Case).Add("device", Device).Add("skipped", reason).ToString()
        : new JsonLine().Add("case", Case).Add("device", Device).Add("worst", Worst).Add("budget", Budget).Add("pass", Pass)
            .Add("tensor", Where).Add("compared", Compared).ToString();

    internal static CaseResult NotBuilt(string name, string device, string reason) => new(name, device, double.NaN, 0, "", 0) { Skipped = reason };
}
