using LinearCald.Cli.Benchmarks;
using LinearCald.Tensors;
using LinearCald.Tensors.Memory;

namespace LinearCald.Cli.Tests;

[Collection(nameof(AloneOnTheDevice))]
public sealed class BenchmarkMemoryTests
{
    /// <summary>Otherwise the memory of one model would count as the next one's.</summary>
    [Theory]
    [InlineData("tiny")]
    [InlineData("pythia-tiny")]
    public void A_step_leaves_no_memory_in_use(string name)
    {
        Device device = Device.Parse("cpu");
        long before = device.Memory.InUse;
        (_, _, Func<Benchmark> make) = EncoderBenchmarks.All(device).Concat(LanguageBenchmarks.All(device)).Single(b => b.Op == "cald_step_fp32" && b.Shape == name);
        using (MemoryScope scope = MemoryScope.Begin())
        {
            using Benchmark step = make();
            step.Run();
            step.Run();
            Assert.True(device.Memory.InUse > before);
        }

        Assert.Equal(before, device.Memory.InUse);
    }
}
