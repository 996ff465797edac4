using LinearCald.Gpu.Tests.Compiler;

namespace LinearCald.Gpu.Tests.Language.Golden;

public class GoldenTests
{
    [Theory]
    [InlineData(nameof(GoldenKernels.Axpy), 256)]
    [InlineData(nameof(GoldenKernels.RowSums), 128, 1024)]
    [InlineData(nameof(GoldenKernels.Softmax), 128)]
    [InlineData(nameof(GoldenKernels.Tile), 32)]
    [InlineData(nameof(GoldenKernels.Walk), 64)]
    public void TextIsAsReviewed(string name, int group, params int[] constants)
    {
        // Lines of sources move; the code should not.
        string ptx = string.Join('\n', TestKernels.Ptx(Kernel.Of(typeof(GoldenKernels).GetMethod(name)!), group, constants).Split('\n').Select(l => l.Split("//")[0].TrimEnd()));
        string folder = Path.Combine(AppContext.BaseDirectory, "Golden");
        string known = Path.Combine(folder, name + ".ptx");
        if (File.Exists(known) && File.ReadAllText(known).ReplaceLineEndings("\n") == ptx)
        {
            return;
        }

        string renewed = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "New")).FullName, name + ".ptx");
        File.WriteAllText(renewed, ptx);
        Assert.Fail($"The PTX of {name} has changed. Look at the difference; if it is meant, copy {renewed} to tests/LinearCald.Gpu.Tests/Language/Golden.\n{ptx}");
    }

    [Theory]
    [InlineData(nameof(GoldenKernels.Axpy), 256)]
    [InlineData(nameof(GoldenKernels.Softmax), 128)]
    public void SameInputSameText(string name, int group)
    {
        Kernel kernel = Kernel.Of(typeof(GoldenKernels).GetMethod(name)!);
        Assert.Equal(TestKernels.Ptx(kernel, group), TestKernels.Ptx(kernel, group));
    }
}
