using System.Text.RegularExpressions;
using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests.Elementwise;

/// <summary>What makes these kernels run at the speed of memory can be read in their PTX: 16-byte accesses, and several of them before the first use.</summary>
public partial class KernelCodeTests
{
    [Fact]
    public void Maps_read_four_vectors_before_they_use_one()
    {
        Assert.Equal(4, MostLoadsTogether(Compile(Kernel.Of(ElementwiseKernels.Map<float, Float32Format, GeluErfMap>), vectors: true)));
        Assert.Equal(4, MostLoadsTogether(Compile(Kernel.Of(ElementwiseKernels.Map<ushort, BFloat16Format, SiluMap>), vectors: true)));
    }

    [Fact]
    public void Zips_and_updates_read_eight_vectors_before_they_use_one()
    {
        Assert.Equal(8, MostLoadsTogether(Compile(Kernel.Of(ElementwiseKernels.Zip<float, Float32Format, GeluErfGradient>), vectors: true)));
        Assert.Equal(8, MostLoadsTogether(Compile(Kernel.Of(AdamWKernels.Update), vectors: true)));
        Assert.Equal(8, MostLoadsTogether(Compile(Kernel.Of(AdamWKernels.UpdateAll), vectors: true)));
    }

    [Fact]
    public void Dropout_reads_before_it_makes_words()
    {
        string ptx = Compile(Kernel.Of(DropoutKernels.Apply<float, Float32Format>), vectors: true);
        Assert.Equal(4, MostLoadsTogether(ptx));
        Assert.True(ptx.IndexOf("ld.global.v4", StringComparison.Ordinal) < ptx.IndexOf("mul.wide.u32", StringComparison.Ordinal));
    }

    [Fact]
    public void Sums_of_squares_divide_and_branch_nowhere_between_loads()
    {
        string ptx = Compile(Kernel.Of(SumOfSquaresKernels.Squares<ushort, BFloat16Format>), vectors: true);
        Assert.Equal(4, MostLoadsTogether(ptx));
        Assert.DoesNotContain("div.", ptx, StringComparison.Ordinal);
    }

    /// <summary>The longest run of 16-byte loads with nothing but addresses between them.</summary>
    private static int MostLoadsTogether(string ptx)
    {
        int most = 0, run = 0;
        foreach (string line in ptx.Split('\n'))
        {
            if (VectorLoad().IsMatch(line))
            {
                most = Math.Max(most, ++run);
            }
            else if (!Addressing().IsMatch(line))
            {
                run = 0;
            }
        }

        return most;
    }

    private static string Compile(Kernel kernel, bool vectors)
    {
        byte[] arguments = new byte[kernel.PackedBytes];
        foreach (KernelParameter parameter in kernel.Parameters.Where(p => p.IsConstant))
        {
            arguments[parameter.Offset] = vectors ? (byte)1 : (byte)0;
        }

        return KernelCompiler.Compile(kernel, ElementwiseKernels.Threads, arguments).Ptx;
    }

    [GeneratedRegex(@"^\s*ld\.global\S*\.v4\.")]
    private static partial Regex VectorLoad();

    [GeneratedRegex(@"^\s*(add\.s64|mul\.wide\.s32|add\.s32)\s")]
    private static partial Regex Addressing();
}
