namespace LinearCald.Tensors.Tests.Cpu;

/// <summary>Buffers end at a page that must not be touched in the other tests of this process; here they begin at one.</summary>
[Collection("CPU kernels")]
public sealed unsafe class GuardedMemoryTests : IDisposable
{
    public GuardedMemoryTests() => GuardedMemory.BeginsAtGuard = true;

    public void Dispose() => GuardedMemory.BeginsAtGuard = false;

    [Fact]
    public void Products_and_attention_touch_nothing_before_their_buffers()
    {
        GemmTests gemm = new();
        gemm.AnyShapeMatchesTheReferenceInSingle();
        gemm.AnyShapeMatchesTheReferenceInDouble();
        gemm.BatchesMatchTheReferenceAndDoNotDependOnThreads();
        AttentionTests attention = new();
        attention.OneQueryAfterCachedKeysMatchesTheReferenceAtEveryRegisterWidth();
        attention.EveryRegisterWidthMatchesTheReference();
        LinformerAttentionTests linformer = new();
        linformer.AnyShapeMatchesTheReferenceInSingle();
        linformer.AnyShapeMatchesTheReferenceInDouble();
    }

    [UnixFact]
    public void A_read_outside_ends_the_process()
    {
        foreach (Action read in (Action[])[ReadBefore, ReadBehind])
        {
            string message = Assert.Throws<InvalidOperationException>(() => FeatureTestRunner.Run(read, SimdLevel.Scalar)).Message;
            Assert.Contains("AccessViolation", message, StringComparison.Ordinal);
            Assert.Contains(read.Method.Name, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_write_into_the_poison_is_told()
    {
        KernelBuffer<int> buffer = new(3);
        buffer.Pointer[3] = 0;
        Assert.Contains("outside", Assert.ThrowsAny<Exception>(buffer.Dispose).Message, StringComparison.Ordinal);
    }

    private static void ReadBefore()
    {
        GuardedMemory.BeginsAtGuard = true;
        using KernelBuffer<float> buffer = new(3);
        Assert.True(float.IsNaN(buffer.Pointer[3]));
        Assert.Equal(0, buffer.Pointer[-1]);
    }

    private static void ReadBehind()
    {
        using KernelBuffer<float> buffer = new(3);
        Assert.True(float.IsNaN(buffer.Pointer[-1]));
        Assert.Equal(0, buffer.Pointer[3]);
    }

    /// <summary>Elsewhere there are no guard pages.</summary>
    private sealed class UnixFactAttribute : FactAttribute
    {
        public UnixFactAttribute() => Skip = OperatingSystem.IsWindows() ? "guard pages are a Unix's" : null;
    }
}
