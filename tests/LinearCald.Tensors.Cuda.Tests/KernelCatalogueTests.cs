using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Catalogue;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>Every kernel that the backend launches becomes PTX, also on a machine without a GPU.</summary>
public class KernelCatalogueTests
{
    [Fact]
    public void Every_kernel_compiles()
    {
        List<string> refused = [];
        foreach (CatalogueKernel kernel in KernelCatalogue.All)
        {
            try
            {
                CompiledKernel compiled = kernel.Compile();
                Assert.Contains($".entry {compiled.Entry}(", compiled.Ptx);
                Assert.InRange(compiled.SharedBytes, 0, 232448);
            }
            catch (CaldException e)
            {
                refused.Add($"{kernel.Name} ({kernel.Method}<{kernel.Types}>, {kernel.Constants}): {e.Message}");
            }
        }

        Assert.True(refused.Count == 0, $"{refused.Count} of {KernelCatalogue.All.Count} kernels do not compile:\n{string.Join("\n", refused)}");
    }

    [Fact]
    public void Names_are_unique_and_found_again()
    {
        Assert.Equal(KernelCatalogue.All.Count, KernelCatalogue.All.Select(k => k.Name).Distinct().Count());
        Assert.All(KernelCatalogue.All, k => Assert.Same(k, KernelCatalogue.Find(k.Name)));
        Assert.Equal("fma_peak", KernelCatalogue.Find("fma_peak").Name);
        Assert.Contains(KernelCatalogue.All, k => k.Method == "WarpgroupGemm.Run");
        Assert.Contains(KernelCatalogue.All, k => k.Method == "TensorCoreGemm.Run" && k.Types.Contains("BFloat16Operand", StringComparison.Ordinal));
        Assert.Contains("no kernel is called 'nonsense'", Assert.Throws<CaldException>(() => KernelCatalogue.Find("nonsense")).Message);
    }

    [Fact]
    public void A_number_may_be_left_out_of_a_name()
    {
        CatalogueKernel variant = KernelCatalogue.All.First(k => k.Name.EndsWith(":1", StringComparison.Ordinal));
        Assert.Same(variant, KernelCatalogue.Find(variant.Name[..^2]));
    }
}
