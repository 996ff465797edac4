using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;
using LinearCald.Tensors.Tests.Cpu;

namespace LinearCald.Tensors.Tests.Ops;

/// <summary>The scan of Mamba-2 against its recurrence and its form as masked attention, however it is cut, packed, padded, turned round or streamed.</summary>
[Collection("CPU kernels")]
public sealed class SsdScanTests
{
    private static readonly Device Cpu = Device.Parse("cpu");

    [Fact]
    public void Any_chunking_is_the_recurrence() => SsdCase.ForAll(x =>
    {
        Tensor[] inputs = x.Inputs();
        (double[] y, double[] final) = x.Recurrence(inputs);
        Tensor state = Poison(DType.Float64, inputs[7].Shape);
        KernelData.Close<double>(x.Scan(inputs, x.Options(inputs, state)).ToArray<double>(), y, 1e-12, $"y of {x}");
        KernelData.Close<double>(state.ToArray<double>(), final, 1e-12, $"final state of {x}");

        Tensor[] narrow = [.. inputs.Select(t => t.To(DType.Float32))];
        state = Poison(DType.Float32, inputs[7].Shape);
        KernelData.Close<float>(x.Scan(narrow, x.Options(narrow, state)).ToArray<float>(), y, 1e-5, $"float32 y of {x}", 0.1 * Math.Sqrt(y.Length)); // sums that cancel: the size of their terms
        KernelData.Close<float>(state.ToArray<float>(), final, 1e-5, $"float32 final state of {x}", 0.1 * Math.Sqrt(final.Length));
    });

    [Fact]
    public void Strong_decay_costs_no_accuracy()
    {
        using MemoryScope scope = MemoryScope.Begin();
        SsdCase x = new(new SsdShape(1, 256, 1, 1, 8, 16, 256, false, false, 0, double.PositiveInfinity), false, false, false, false, false, 5);
        Tensor[] inputs = x.Inputs();
        inputs[1] = Tensor.Full(Cpu, DType.Float64, inputs[1].Shape, 1.37); // sums up to −5600, of which float32 keeps steps of 0.0005
        inputs[2] = Tensor.Full(Cpu, DType.Float64, inputs[2].Shape, -16);
        inputs[1] = inputs[1].Multiply(x.R(9, 1, 256, 1).Apply(Activation.Sigmoid));
        Tensor[] narrow = [.. inputs.Select(t => t.To(DType.Float32))];
        Tensor[] wide = [.. narrow.Select(t => t.To(DType.Float64))];
        KernelData.Close<float>(x.Scan(narrow, x.Options(narrow)).ToArray<float>(), x.Recurrence(wide).Y, 3e-6);
    }

    [Fact]
    public void It_is_masked_attention() => SsdCase.ForAll(
        x => KernelData.Close<double>(x.Scan(x.Inputs(), x.Options(x.Inputs())).ToArray<double>(), MaskedAttention(x), 1e-11, $"{x}"),
        20,
        25);

    [Fact]
    public void Gradients_are_central_differences() => SsdCase.ForAll(
        x =>
        {
            Tensor[] inputs = [.. x.Inputs().Select(t => Leaf(t, DType.Float64))];
            double error = GradientCheck.WorstError(t => x.Scan(t, x.Options(t)), inputs);
            Assert.True(error <= 1e-6, $"error {error:G3} for {x}");
        },
        6,
        25);

    [Fact]
    public void Gradients_do_not_depend_on_chunks_and_survive_float32() => SsdCase.ForAll(x =>
    {
        Tensor[] inputs = x.Inputs();
        double[][] expected = Gradients(x with { Shape = x.Shape with { Chunk = 7 } }, inputs, DType.Float64);
        double[][] wide = Gradients(x, inputs, DType.Float64), narrow = Gradients(x, inputs, DType.Float32);
        for (int i = 0; i < expected.Length; i++)
        {
            KernelData.Close<double>(wide[i], expected[i], 1e-12, $"gradient {i} of {x}");

            // A gradient is a sum over positions at most; it may cancel: the size of its terms.
            KernelData.Close<double>(narrow[i], expected[i], 1e-5, $"float32 gradient {i} of {x}", 0.1 * Math.Sqrt((double)expected[i].Length * x.Shape.Batch * x.Shape.Length));
        }
    });

    [Fact]
    public void Clamped_deltas_have_no_gradient()
    {
        using MemoryScope scope = MemoryScope.Begin();
        SsdCase x = new(new SsdShape(2, 12, 2, 1, 3, 4, 5, false, true, 0.4, 1.1), true, true, false, false, true, 3);
        double error = GradientCheck.WorstError(t => x.Scan(t, x.Options(t)), [.. x.Inputs().Select(t => Leaf(t, DType.Float64))]);
        Assert.True(error <= 1e-6, $"error {error:G3}");
        Assert.Contains(0.0, Gradients(x, x.Inputs(), DType.Float64)[1]);
        (double[] y, _) = x.Recurrence(x.Inputs());
        KernelData.Close<double>(x.Scan(x.Inputs(), x.Options(x.Inputs())).ToArray<double>(), y, 1e-12);
    }

    [Fact]
    public void Reverse_is_flip_scan_flip() => SsdCase.ForAll(x =>
    {
        Tensor[] inputs = x.Inputs(), flipped = [.. inputs];
        foreach (int i in (int[])[0, 1, 3, 4])
        {
            flipped[i] = Flip(x, inputs[i]);
        }

        Tensor state = Poison(DType.Float64, inputs[7].Shape), other = Poison(DType.Float64, inputs[7].Shape);
        Tensor y = x.Scan(inputs, x.Options(inputs, state) with { Reverse = true });
        Tensor z = x.Scan(flipped, x.Options(inputs, other) with { Reverse = false, Sequences = x.Sequences is { } s ? Flip(x, s) : null });
        Assert.Equal(y.ToArray<double>(), Flip(x, z).ToArray<double>());
        Assert.Equal(state.ToArray<double>(), other.ToArray<double>());
    });

    [Fact]
    public void Packed_sequences_are_each_alone() => SsdCase.ForAll(x =>
    {
        x = x with { IsPacked = true, IsPadded = false, HasState = false };
        Tensor[] inputs = x.Inputs();
        Tensor y = x.Scan(inputs, x.Options(inputs));
        int[] numbers = x.SequenceNumbers();
        for (int b = 0; b < x.Shape.Batch; b++)
        {
            for (int from = 0, to; from < x.Shape.Length; from = to)
            {
                to = from + 1;
                while (to < x.Shape.Length && numbers[(b * x.Shape.Length) + to] == numbers[(b * x.Shape.Length) + from])
                {
                    to++;
                }

                Tensor Part(Tensor t) => t.Narrow(0, b, 1).Narrow(1, from, to - from);
                Tensor[] alone = [Part(inputs[0]), Part(inputs[1]), inputs[2], Part(inputs[3]), Part(inputs[4]), inputs[5], inputs[6]];
                KernelData.Close<double>(Part(y).ToArray<double>(), x.Scan(alone, x.Options(inputs) with { Sequences = null }).ToArray<double>(), 1e-12, $"{x}");
            }
        }
    });

    [Fact]
    public void Padding_reaches_nothing() => SsdCase.ForAll(x =>
    {
        x = x with { IsPadded = true };
        Tensor[] inputs = x.Inputs(), poisoned = [.. inputs];
        int[] lengths = x.LengthNumbers();
        foreach (int i in (int[])[0, 1, 3, 4])
        {
            poisoned[i] = Poison(DType.Float64, inputs[i].Shape);
            for (int b = 0; b < x.Shape.Batch; b++)
            {
                poisoned[i].Narrow(0, b, 1).Narrow(1, 0, lengths[b]).CopyFrom(inputs[i].Narrow(0, b, 1).Narrow(1, 0, lengths[b]));
            }
        }

        Tensor state = Poison(DType.Float64, inputs[7].Shape), other = Poison(DType.Float64, inputs[7].Shape);
        Tensor y = x.Scan(poisoned, x.Options(inputs, state));
        Assert.Equal(x.Scan(inputs, x.Options(inputs, other)).ToArray<double>(), y.ToArray<double>());
        Assert.Equal(other.ToArray<double>(), state.ToArray<double>());
        double[][] expected = Gradients(x, inputs, DType.Float64), gradients = Gradients(x, poisoned, DType.Float64);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], gradients[i]);
        }

        for (int b = 0; b < x.Shape.Batch; b++)
        {
            Assert.All(y.Narrow(0, b, 1).Narrow(1, lengths[b], x.Shape.Length - lengths[b]).ToArray<double>(), v => Assert.Equal(0, v));
        }
    });

    [Fact]
    public void Streaming_is_the_whole() => SsdCase.ForAll(x =>
    {
        x = x with { Shape = x.Shape with { Reverse = false }, IsPacked = false, IsPadded = false, HasState = true };
        Tensor[] inputs = x.Inputs();
        (double[] y, double[] final) = x.Recurrence(inputs);
        Tensor state = inputs[7].Affine(1), streamed = Poison(DType.Float64, inputs[0].Shape);
        System.Random random = new(x.Seed);
        for (int from = 0, rows; from < x.Shape.Length; from += rows)
        {
            rows = random.Next(2) == 0 ? 1 : random.Next(1, x.Shape.Length - from + 1);
            Tensor Part(Tensor t) => t.Narrow(1, from, rows);
            Tensor[] part = [Part(inputs[0]), Part(inputs[1]), inputs[2], Part(inputs[3]), Part(inputs[4]), inputs[5], inputs[6], state];
            Part(streamed).CopyFrom(x.Scan(part, x.Options(part, state)));
        }

        KernelData.Close<double>(streamed.ToArray<double>(), y, 1e-12, $"y of {x}");
        KernelData.Close<double>(state.ToArray<double>(), final, 1e-12, $"final state of {x}");
    });

    [Fact]
    public void Same_bits_on_any_thread_count()
    {
        using MemoryScope scope = MemoryScope.Begin();
        SsdCase x = new(new SsdShape(2, 150, 6, 2, 9, 17, 32, false, true, 0, double.PositiveInfinity), true, true, true, true, true, 4);
        Tensor[] inputs = x.Inputs();
        KernelData.SameBitsOnAnyThreadCount<double>(() => [.. x.Scan(inputs, x.Options(inputs)).ToArray<double>(), .. Gradients(x, inputs, DType.Float32).SelectMany(g => g)]);
    }

    [Fact]
    public void Bad_arguments_are_refused()
    {
        using MemoryScope scope = MemoryScope.Begin();
        SsdCase x = new(new SsdShape(2, 4, 4, 2, 3, 5, 2, false, true, 0, double.PositiveInfinity), true, true, true, true, true, 4);
        Tensor[] t = x.Inputs();
        SsdOptions good = x.Options(t);
        _ = x.Scan(t, good);
        foreach (SsdOptions bad in (SsdOptions[])
            [
                good with { Heads = 5 }, good with { Groups = 3 }, good with { Chunk = 0 }, good with { DeltaMin = 2, DeltaMax = 1 }, good with { Lengths = t[2] },
                good with { Sequences = x.Lengths }, good with { InitialState = t[0] }, good with { FinalState = t[7].To(DType.Float32) },
            ])
        {
            Assert.Throws<CaldException>(() => x.Scan(t, bad));
        }

        for (int i = 0; i < 7; i++)
        {
            Tensor[] bad = [.. t];
            bad[i] = x.R(1, 2, 4, 7);
            Assert.Throws<CaldException>(() => x.Scan(bad, good));
        }

        using Tape tape = Tape.Record();
        t[7].RequiresGradient = true;
        Assert.Throws<CaldException>(() => x.Scan(t, good with { FinalState = t[7] }));
    }

    /// <summary>y_i = Σ_j (c_i · b_j) exp(Σ_{j &lt; k ≤ i} Δ_k A) Δ_j x_j over the steps j ≤ i of the same sequence, and the share of the initial state and of D.</summary>
    private static double[] MaskedAttention(SsdCase x)
    {
        SsdShape s = x.Shape;
        double[][] t = [.. x.Inputs().Select(v => v.ToArray<double>())];
        double[] y = new double[t[0].Length];
        int[] lengths = x.LengthNumbers(), sequences = x.SequenceNumbers();
        for (int bh = 0; bh < s.Batch * s.Heads; bh++)
        {
            (int b, int h) = Math.DivRem(bh, s.Heads);
            int Row(int step) => (b * s.Length) + (s.Reverse ? lengths[b] - 1 - step : step);
            double Delta(int step)
            {
                double raw = t[1][(Row(step) * s.Heads) + h] + (x.HasBias ? t[6][h] : 0);
                return s.Softplus ? Math.Log(1 + Math.Exp(raw)) : raw;
            }

            double Dot(int i, Func<int, double> other)
            {
                int at = ((Row(i) * s.Groups) + (h / s.HeadsPerGroup)) * s.StateSize;
                return Enumerable.Range(0, s.StateSize).Sum(n => t[4][at + n] * other(n));
            }

            for (int i = 0; i < lengths[b]; i++)
            {
                for (int p = 0; p < s.HeadSize; p++)
                {
                    double log = 0, sum = x.HasD ? t[5][h] * X(i) : 0;
                    int j = i;
                    for (; j >= 0 && sequences[Row(j)] == sequences[Row(Math.Min(i, j + 1))]; j--)
                    {
                        int at = ((Row(j) * s.Groups) + (h / s.HeadsPerGroup)) * s.StateSize;
                        sum += Dot(i, n => t[3][at + n]) * Math.Exp(log) * Delta(j) * X(j);
                        log += Delta(j) * t[2][h];
                    }

                    if (j < 0 && x.HasState)
                    {
                        sum += Math.Exp(log) * Dot(i, n => t[7][((((bh * s.HeadSize) + p) * s.StateSize) + n)]);
                    }

                    y[(Row(i) * s.Heads * s.HeadSize) + (h * s.HeadSize) + p] = sum;
                    double X(int step) => t[0][(Row(step) * s.Heads * s.HeadSize) + (h * s.HeadSize) + p];
                }
            }
        }

        return y;
    }

    /// <summary>Gradients of Σ w·y with respect to every input that takes part, w the same for all types.</summary>
    private static double[][] Gradients(SsdCase x, Tensor[] inputs, DType type)
    {
        Tensor[] leaves = [.. inputs.Select(t => Leaf(t, type))];
        using Tape tape = Tape.Record();
        foreach (Tensor leaf in leaves)
        {
            leaf.RequiresGradient = true;
        }

        Tensor y = x.Scan(leaves, x.Options(leaves));
        tape.Backward(y, x.R(8, y.Shape.ToArray()).To(type));
        return [.. leaves.Where(l => l.Gradient is not null).Select(l => l.Gradient!.To(DType.Float64).ToArray<double>())];
    }

    private static Tensor Leaf(Tensor values, DType type)
    {
        Tensor leaf = Tensor.Empty(Cpu, type, values.Shape);
        leaf.CopyFrom(values);
        return leaf;
    }

    private static Tensor Poison(DType type, Shape shape) => Tensor.Full(Cpu, type, shape, double.NaN);

    /// <summary>The valid positions of each row in reverse order.</summary>
    private static Tensor Flip(SsdCase x, Tensor t)
    {
        Tensor flipped = t.Contiguous().Detach();
        Tensor result = Tensor.Full(Cpu, t.Type, t.Shape, 0);
        int[] lengths = x.LengthNumbers();
        for (int b = 0; b < x.Shape.Batch; b++)
        {
            for (int i = 0; i < lengths[b]; i++)
            {
                result.Narrow(0, b, 1).Narrow(1, i, 1).CopyFrom(flipped.Narrow(0, b, 1).Narrow(1, lengths[b] - 1 - i, 1));
            }
        }

        return result;
    }
}
