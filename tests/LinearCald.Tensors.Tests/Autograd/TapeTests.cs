using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Tests.Autograd;

/// <summary>The tape: accumulation, pausing, checkpointing, and memory that neither grows nor is read after release.</summary>
public sealed class TapeTests
{
    private static readonly Device Cpu = Device.Parse("cpu");

    private static Tensor Leaf(params float[] values)
    {
        Tensor x = Tensor.Persistent(() => Tensor.From(Cpu, new Shape(values.Length), values));
        x.RequiresGradient = true;
        return x;
    }

    [Fact]
    public void GradientsAddUpOverPassesUntilCleared()
    {
        Tensor x = Leaf(1, 2, 3);
        for (int pass = 1; pass <= 2; pass++)
        {
            using MemoryScope scope = MemoryScope.Begin();
            using Tape tape = Tape.Record();
            tape.Backward(x.Multiply(x).Sum());
            Assert.Equal([2f * pass, 4f * pass, 6f * pass], x.Gradient!.ToArray<float>());
        }

        x.ClearGradient();
        Assert.Null(x.Gradient);
    }

    [Fact]
    public void ATensorUsedOftenGetsTheSumOfItsGradients()
    {
        Tensor x = Leaf(1, 2);
        using MemoryScope scope = MemoryScope.Begin();
        using Tape tape = Tape.Record();
        Tensor y = x.Affine(3);
        Tensor z = y.Add(y).Add(y.Multiply(y)).Add(x); // 7x + 9x²
        tape.Backward(z.Sum());
        Assert.Equal([25f, 43f], x.Gradient!.ToArray<float>());
    }

    [Fact]
    public void PartsThatCoverATensorWriteTheirGradientsWhereTheyBelong()
    {
        using MemoryScope scope = MemoryScope.Begin();
        Tensor x = Tensor.From(Cpu, new Shape(2, 4), [1f, 2, 3, 4, 5, 6, 7, 8]);
        x.RequiresGradient = true;
        Tensor weight = Tensor.Full(Cpu, DType.Float32, new Shape(2), 1);
        float[] Gradient(Func<Tensor, Tensor> part)
        {
            x.ClearGradient();
            using Tape tape = Tape.Record();
            Tensor y = x.Affine(2);
            Tensor left = part(y.Narrow(1, 0, 2)).RmsNorm(weight), right = part(y.Narrow(1, 2, 2)).RmsNorm(weight);
            tape.Backward(left.Multiply(left).Add(right).Sum());
            return x.Gradient!.ToArray<float>();
        }

        // Affine in between takes the gradient through buffers of its own.
        Assert.Equal(Gradient(part => part.Contiguous().Affine(1)), Gradient(part => part));
    }

    [Fact]
    public void APartAloneLeavesZerosBesideIt()
    {
        Tensor x = Leaf(1, 2, 3, 4);
        using MemoryScope scope = MemoryScope.Begin();
        using Tape tape = Tape.Record();
        Tensor y = x.Affine(3);
        tape.Backward(y.Narrow(0, 1, 2).Apply(Activation.Square).Sum());
        Assert.Equal([0f, 36f, 54f, 0f], x.Gradient!.ToArray<float>());
    }

    [Fact]
    public void NothingIsRecordedWhilePaused()
    {
        Tensor x = Leaf(1, 2);
        using MemoryScope scope = MemoryScope.Begin();
        using Tape tape = Tape.Record();
        using (Tape.Paused())
        {
            x.Multiply(x);
        }

        Assert.Equal(0, tape.Count);
        Assert.True(Tape.IsRecording);
    }

    [Fact]
    public void CheckpointingGivesTheSameGradients()
    {
        Tensor w = Leaf(0.5f, -1, 2);
        float[] Gradient(bool checkpoint)
        {
            using MemoryScope scope = MemoryScope.Begin();
            using Tape tape = Tape.Record();
            Tensor Section(Tensor t) => t.Multiply(w).Apply(Activation.Tanh).Multiply(w);
            Tensor x = w.Affine(2);
            Tensor y = checkpoint ? Checkpoint.Run(x, Section) : Section(x);
            tape.Backward(y.Multiply(y).Sum());
            float[] gradient = w.Gradient!.ToArray<float>();
            w.ClearGradient();
            return gradient;
        }

        Assert.Equal(Gradient(false), Gradient(true));
    }

    [Fact]
    public void AReleasedTensorIsRefused()
    {
        Tensor y;
        using (MemoryScope.Begin())
        {
            y = Tensor.Zeros(Cpu, DType.Float32, new Shape(4));
        }

        CaldException error = Assert.Throws<CaldException>(() => y.ToArray<float>());
        Assert.Contains("released", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BackwardNeedsALossThatDependsOnSomething()
    {
        using MemoryScope scope = MemoryScope.Begin();
        using Tape tape = Tape.Record();
        Tensor x = Tensor.Zeros(Cpu, DType.Float32, new Shape(2));
        Assert.Throws<CaldException>(() => tape.Backward(x));
        Assert.Throws<CaldException>(() => tape.Backward(x.Sum()));
    }

    [Fact]
    public void MemoryDoesNotGrowFromStepToStep()
    {
        Tensor w = Tensor.Persistent(() => GradientLeaf(64, 64));
        void Step()
        {
            using MemoryScope scope = MemoryScope.Begin();
            using Tape tape = Tape.Record();
            Tensor x = Tensor.Full(Cpu, DType.Float32, new Shape(32, 64), 0.1);
            for (int i = 0; i < 8; i++)
            {
                x = x.Linear(w, null, Activation.GeluErf).LayerNorm(null, null);
            }

            tape.Backward(x.Multiply(x).Mean());
            w.ClearGradient();
        }

        Step();
        Step();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++)
        {
            Step();
        }

        long managed = (GC.GetAllocatedBytesForCurrentThread() - before) / 20;
        Assert.True(managed < 40_000, $"{managed} managed bytes a step of 16 operations");
        w.Dispose();
    }

    private static Tensor GradientLeaf(int rows, int columns)
    {
        Tensor w = Tensor.Full(Cpu, DType.Float32, new Shape(rows, columns), 0.01);
        w.RequiresGradient = true;
        return w;
    }
}
