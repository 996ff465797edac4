using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Tests.Elementwise;

namespace LinearCald.Tensors.Cuda.Tests.Rows;

/// <summary>Softmax, norms, losses and sums on every device.</summary>
public sealed class RowTests
{
    public static TheoryData<string> Devices => TestAccelerators.Names;

    [Theory]
    [MemberData(nameof(Devices))]
    public void Softmax_forward(string device) => Run(device, a => SoftmaxChecks.Forward(a, Cases(device), Widest(device)));

    [Theory]
    [MemberData(nameof(Devices))]
    public void Softmax_backward(string device) => Run(device, a => SoftmaxChecks.Backward(a, Cases(device), Widest(device)));

    [Theory]
    [MemberData(nameof(Devices))]
    public void Softmax_of_infinities(string device) => Run(device, SoftmaxChecks.SpecialRows);

    [Theory]
    [MemberData(nameof(Devices))]
    public void Layer_norm_forward(string device) => Run(device, a => LayerNormChecks.Forward(a, Cases(device), Widest(device)));

    [Theory]
    [MemberData(nameof(Devices))]
    public void Layer_norm_of_residual_sums(string device) => Run(device, a => LayerNormChecks.Residual(a, Cases(device), Widest(device)));

    [Theory]
    [MemberData(nameof(Devices))]
    public void Layer_norm_backward(string device) => Run(device, a => LayerNormChecks.Backward(a, Cases(device), Widest(device)));

    [Theory]
    [MemberData(nameof(Devices))]
    public void Cross_entropy(string device) => Run(device, a => LossChecks.CrossEntropy(a, Cases(device), Widest(device)));

    [Theory]
    [MemberData(nameof(Devices))]
    public void Cross_entropy_of_labels_that_do_not_count(string device) => Run(device, LossChecks.LabelsThatDoNotCount);

    [Theory]
    [MemberData(nameof(Devices))]
    public void Label_scores(string device) => Run(device, a => LossChecks.LabelScores(a, Cases(device), Widest(device)));

    [Theory]
    [MemberData(nameof(Devices))]
    public void Kl_divergence(string device) => Run(device, a => LossChecks.KlDivergence(a, Cases(device), Widest(device)));

    [Theory]
    [MemberData(nameof(Devices))]
    public void Kl_divergence_of_impossible_classes(string device) => Run(device, LossChecks.KlDivergenceOfImpossibleClasses);

    [Theory]
    [MemberData(nameof(Devices))]
    public void Layer_mse(string device) => Run(device, a => LossChecks.LayerMse(a, Cases(device), Widest(device)));

    [Theory]
    [MemberData(nameof(Devices))]
    public void Column_sums(string device) => Run(device, a => SumChecks.Columns(a, Cases(device), 2056));

    [Theory]
    [MemberData(nameof(Devices))]
    public void Sums(string device) => Run(device, a => SumChecks.All(a, Cases(device), Widest(device)));

    [Theory]
    [MemberData(nameof(Devices))]
    public void Sums_of_nothing(string device) => Run(device, SumChecks.Empty);

    // Wide rows, of which each lane has its turn, and many cases are for the emulator; 2056 columns are those of a whole group already.
    private static int Widest(string device) => TestAccelerators.IsSlow(device) ? 2056 : 17000;

    private static int Cases(string device) => device switch
    {
        "debug" => 3,
        "debug shuffled" => 2,
        _ => 12,
    };

    private static void Run(string device, Action<Accelerator> check)
    {
        using Accelerator accelerator = TestAccelerators.Open(device);
        check(accelerator);
    }
}
