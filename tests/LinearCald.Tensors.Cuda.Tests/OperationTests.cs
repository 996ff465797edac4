using FsCheck.Fluent;
using LinearCald.Tensors.Ops;
using LinearCald.Testing.Ptx;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>Every operation and its gradient through the tensors' own entries: as PTX, in the emulator, against the CPU.</summary>
public sealed class OperationTests : IDisposable
{
    private const double Dropout = 0.25;
    private readonly EmulatorAccelerator _accelerator = new();
    private readonly GpuDevice _device;

    public OperationTests() => _device = new GpuDevice(_accelerator) { PoisonMemory = true };

    public static TheoryData<DType> Types => [DType.Float32, DType.BFloat16, DType.Float16];

    public static TheoryData<Activation> Activations =>
        [.. Enum.GetValues<Activation>().Where(f => f is not (Activation.None or Activation.Log or Activation.Sqrt))];

    [Theory]
    [MemberData(nameof(Types))]
    public void Arithmetic(DType type)
    {
        Compare(type, c => c.Data("a", 3, 5, 8).Add(c.Data("b", 3, 5, 8)));
        Compare(type, c => c.Data("a", 3, 5, 8).Subtract(c.Data("b", 8)));
        Compare(type, c => c.Data("a", 3, 5, 8).Multiply(c.Data("b", 3, 5, 8)));
        Compare(type, c => c.Data("a", 3, 5, 8).Divide(c.Data("b", 3, 5, 8).Apply(Activation.Exp)));
    }

    [Theory]
    [MemberData(nameof(Activations))]
    public void Functions(Activation f)
    {
        Compare(DType.Float32, c => c.Data("x", 7, 11).Apply(f));
        Compare(DType.BFloat16, c => c.Data("x", 7, 16).Apply(f));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Views_and_sums(DType type)
    {
        Compare(type, c => c.Data("x", 4, 6, 10).Transpose(0, 2).Contiguous());
        Compare(type, c => c.Data("x", 4, 6, 10).Narrow(1, 2, 3).Contiguous());
        Compare(type, c => c.Data("x", 4, 6, 10).Transpose(1, 2).To(DType.Float32));
        Compare(type, c => c.Data("x", 4, 6, 10).Sum());
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Products(DType type)
    {
        Compare(type, c => c.Data("a", 33, 20).MatMul(c.Data("b", 20, 24)));
        Compare(type, c => c.Data("a", 3, 17, 20).MatMul(c.Data("b", 3, 9, 20), transposeB: true));
        Compare(type, c => c.Data("x", 2, 9, 24).Linear(c.Parameter("w", 16, 24), c.Parameter("bias", 16)));
        Compare(type, c => c.Data("x", 2, 9, 24).Linear(c.Parameter("w", 16, 24), c.Parameter("bias", 16), Activation.GeluErf));
        Compare(type, c => c.Data("x", 2, 9, 24).Linear(c.Parameter("w", 16, 24), c.Parameter("bias", 16), Activation.GeluErf, output: DType.Float32));
    }

    [Fact]
    public void Gradients_of_any_size_pass_through_float16()
    {
        Prop.ForAll(Gen.Choose(0, 10_000).ToArbitrary(), Gen.Choose(-47, 12).ToArbitrary(), (seed, exponent) =>
            Assert.InRange(GradientScaleCheck.WorstError(_device, seed, exponent), 0, 1)).Holds(30);
    }

    [Fact]
    public void Products_in_tf32()
    {
        _device.TensorFloat32 = true;
        DeviceCase.Compare(_device, DType.Float32, 1e-3, c => c.Data("a", 33, 20).MatMul(c.Data("b", 20, 24)));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Rows(DType type)
    {
        Compare(type, c => c.Data("x", 5, 40).Softmax());
        Compare(type, c => c.Data("x", 5, 40).LogSoftmax());
        Compare(type, c => c.Data("x", 5, 40).LayerNorm(c.Parameter("w", 40), c.Parameter("b", 40)));
        Compare(type, c => c.Data("x", 5, 40).ResidualLayerNorm(c.Data("h", 5, 40), c.Parameter("w", 40), c.Parameter("b", 40), p: Dropout, key: new RandomKey(3, 4)));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Losses(DType type)
    {
        Compare(type, c => c.Data("logits", 6, 11).CrossEntropy(c.Ids(0, 11, 6)));
        Compare(type, c => c.Data("student", 6, 11).KlDivergence(c.Data("teacher", 6, 11).Detach(), 2, 0.5));
        foreach (bool normalise in new[] { false, true })
        {
            Compare(type, c => c.Data("student", 3, 5, 16).LayerLoss(c.Data("teacher", 3, 5, 16).Detach(), c.Ids(1, 6, 3), normalise, 0.5));
            Compare(type, c => c.Data("student", 3, 5, 16).LayerLoss(c.Parameter("teacher", 3, 5, 16).Detach(), c.Ids(1, 6, 3), normalise, 0.5));
            Compare(type, c => c.Parameter("student", 3, 5, 16).LayerLoss(c.Data("teacher", 3, 5, 16).Detach(), c.Ids(1, 6, 3), normalise, 0.5));
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void The_loss_of_a_head_in_chunks(DType type)
    {
        foreach (Reduction reduction in Enum.GetValues<Reduction>())
        {
            Compare(type, c => LinearCrossEntropyOperation.LinearCrossEntropy(c.Data("hidden", 9, 16), c.Parameter("weight", 13, 16), c.Ids(-1, 13, 9), -1, reduction, 4));
        }

        DeviceCase.Compare(
            _device, type, type == DType.Float32 ? 1e-5 : 1e-2, c => c.Data("hidden", 3, 16).LinearCrossEntropy(c.Data("weight", 5, 16), c.Ids(0, 5, 3)));
    }

    [Fact]
    public void The_loss_of_a_head_holds_one_chunk_of_logits()
    {
        using EmulatorAccelerator accelerator = new();
        GpuDevice device = new(accelerator);
        const int rows = 64, classes = 300, features = 8, chunk = 8;
        using Memory.MemoryScope scope = Memory.MemoryScope.Begin();
        Tensor hidden = Tensor.Zeros(device, DType.Float32, new Shape(rows, features)), weight = Tensor.Zeros(device, DType.Float32, new Shape(classes, features));
        Tensor labels = Tensor.Zeros(device, DType.Int32, new Shape(rows));
        hidden.RequiresGradient = weight.RequiresGradient = true;
        long before = device.Memory.Peak;
        using (Autograd.Tape tape = Autograd.Tape.Record())
        {
            Tensor loss = LinearCrossEntropyOperation.LinearCrossEntropy(hidden, weight, labels, -1, Reduction.Mean, chunk);
            Assert.Equal(Math.Log(classes), loss.Item(), 5);
            tape.Backward(loss);
        }

        // logits of a chunk, an unscaled and a scaled gradient of each input, and a few numbers a row; buffers are up to a quarter larger than asked for
        long needed = 4L * ((chunk * classes) + (2 * features * (rows + classes)) + (4 * rows));
        Assert.InRange(device.Memory.Peak - before, needed / 2, (needed * 5 / 4) + 8192);
        Assert.True(device.Memory.Peak - before < 4L * rows * classes);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Tables_and_dropout(DType type)
    {
        Compare(type, c => c.Parameter("table", 9, 16).Embedding(c.Ids(0, 9, 4, 5)).To(c.Data("x", 1).Type));
        Compare(type, c => c.Data("x", 5, 100).Dropout(Dropout, new RandomKey(3, 4)));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Attention(DType type)
    {
        foreach (bool causal in new[] { false, true })
        {
            AttentionOptions options = new(2, causal, 0.25, Dropout, new RandomKey(5, 6));
            Compare(type, c => c.Data("q", 2, 9, 32).Attention(c.Data("k", 2, 9, 32), c.Data("v", 2, 9, 32), causal ? null : c.Ids(1, 10, 2), options));
        }
    }

    /// <summary>New queries after cached keys see what they would see as the end of the whole text.</summary>
    [Theory]
    [MemberData(nameof(Types))]
    public void Attention_of_the_last_queries_only(DType type)
    {
        foreach ((int queries, int keys) in ((int, int)[])[(1, 1), (1, 70), (3, 65), (2, 5)])
        {
            AttentionOptions options = new(2, true, 0.25);
            Compare(type, c => c.Data("q", 2, queries, 32).Attention(c.Data("k", 2, keys, 32), c.Data("v", 2, keys, 32), c.Ids(1, keys + 1, 2), options));
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Attention_within_documents(DType type)
    {
        DocumentSpans documents = DocumentSpans.Of([0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4], 3, 9);
        AttentionOptions options = new(2, true, 0.25, Dropout, new RandomKey(5, 6));
        Compare(type, c => c.Data("q", 3, 9, 32).DocumentAttention(c.Data("k", 3, 9, 32), c.Data("v", 3, 9, 32), documents, options));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void LinformerAttention(DType type)
    {
        AttentionOptions options = new(2, false, 0.25, Dropout, new RandomKey(5, 6));
        Compare(type, c => c.Data("q", 2, 9, 32).LinformerAttention(
            c.Data("k", 2, 9, 32), c.Data("v", 2, 9, 32), c.Parameter("e", 12, 8), c.Parameter("f", 12, 8), c.Ids(1, 10, 2), options));
    }

    [Fact]
    public void A_clipped_step_of_the_optimiser()
    {
        Compare(DType.Float32, c =>
        {
            Tensor p = c.Parameter("p", 1000).Detach(), g = c.Parameter("g", 1000).Detach();
            Tensor m = Tensor.Zeros(c.Device, DType.Float32, new Shape(1000)), v = Tensor.Zeros(c.Device, DType.Float32, new Shape(1000));
            Tensor total = Tensor.Zeros(c.Device, DType.Float64, new Shape(1)), leftOut = Tensor.Zeros(c.Device, DType.Float64, new Shape(1));
            AdamWSlot[] slots = [new AdamWSlot(p, g, m, v, true)];
            for (int step = 1; step <= 3; step++)
            {
                slots.UpdateAdamW([], new AdamWStep(1e-2, 0.9, 0.999, 1e-8, 0.01, 1, step), 1, total, leftOut);
            }

            return c.Parameter("x", 1000).Multiply(p);
        });
    }

    [Fact]
    public void What_has_no_kernel_is_refused_by_name()
    {
        using Memory.MemoryScope scope = Memory.MemoryScope.Begin();
        Tensor x = Tensor.Zeros(_device, DType.Float64, new Shape(4, 4));
        Assert.Equal(new double[16], x.ToArray<double>());
        Assert.Contains("Float64", Assert.Throws<CaldException>(() => x.MatMul(x)).Message);
        Assert.Contains("Float64", Assert.Throws<CaldException>(() => x.Softmax()).Message);
        Assert.Contains("Float64", Assert.Throws<CaldException>(() => x.Apply(Activation.Exp)).Message);
    }

    public void Dispose() => _accelerator.Dispose();

    private void Compare(DType type, Func<DeviceCase, Tensor> body) =>
        DeviceCase.Compare(_device, type, type == DType.Float32 ? 1e-5 : type == DType.BFloat16 ? 1e-2 : 2e-3, body);
}
