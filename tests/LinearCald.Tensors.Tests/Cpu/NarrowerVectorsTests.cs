namespace LinearCald.Tensors.Tests.Cpu;

/// <summary>
/// The properties of the row and element kernels once more, in processes that lack the wider vectors: with buffers that end at a page that must not be touched,
/// then with buffers that begin at one.
/// </summary>
public class NarrowerVectorsTests
{
    [Theory]
    [InlineData(SimdLevel.Vector512)]
    [InlineData(SimdLevel.Vector512NotPreferred)]
    [InlineData(SimdLevel.Vector256)]
    [InlineData(SimdLevel.Vector128)]
    [InlineData(SimdLevel.Scalar)]
    public void Kernels_agree_with_their_references_too(SimdLevel level) => FeatureTestRunner.Run(CheckFewer, level);

    private static void CheckFewer()
    {
        KernelShapes.Cases = 20;
        CtcLossTests.Cases = 20;
        KernelChecks.All();
        KernelShapes.Cases = 10;
        CtcLossTests.Cases = 10;
        GuardedMemory.BeginsAtGuard = true;
        KernelChecks.All();
    }
}
