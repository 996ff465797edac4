using FsCheck.Fluent;
using LinearCald.Models.Linformer;
using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Tests;

/// <summary>Properties of whole models: order of the batch, length of the padding, equality with attention, checkpointing, dropout, memory.</summary>
public sealed class RobertaForwardTests
{
    private static readonly Device Cpu = Device.Parse("cpu");

    private static RobertaForSequenceClassification Teacher() =>
        RobertaFiles.LoadClassifier(FixtureFolder.PathOf("seed0/roberta-cls"), BuildContext.For(Cpu, 0));

    private static RobertaForSequenceClassification Student(RobertaForSequenceClassification teacher, ProjectionSharing sharing = ProjectionSharing.Kv) =>
        RobertaFiles.Convert(teacher, new LinformerConfig(8, sharing, 70), BuildContext.For(Cpu, 3));

    private static (int[] Ids, int[] Lengths) Batch(int batch, int length, int seed)
    {
        Random random = new(seed);
        int[] ids = new int[batch * length];
        int[] lengths = new int[batch];
        for (int b = 0; b < batch; b++)
        {
            lengths[b] = random.Next(1, length + 1);
            for (int t = 0; t < length; t++)
            {
                ids[(b * length) + t] = t < lengths[b] ? random.Next(3, 211) : 1;
            }
        }

        return (ids, lengths);
    }

    private static float[] Logits(PretrainedRoberta model, int[] ids, int[] lengths)
    {
        using MemoryScope scope = MemoryScope.Begin();
        return model.Forward(RobertaInput.Create(model.Config, Cpu, ids, lengths), ForwardContext.Inference).Logits.ToArray<float>();
    }

    [Fact]
    public void PermutingABatchPermutesTheOutputsBitForBit()
    {
        using RobertaForSequenceClassification teacher = Teacher();
        using RobertaForSequenceClassification student = Student(teacher);
        Prop.ForAll(Gen.Choose(0, 10_000).ToArbitrary(), seed =>
        {
            (int[] ids, int[] lengths) = Batch(5, 17, seed);
            int[] order = [3, 0, 4, 1, 2];
            int[] moved = [.. order.SelectMany(b => ids.Skip(b * 17).Take(17))];
            int[] movedLengths = [.. order.Select(b => lengths[b])];
            foreach (RobertaForSequenceClassification model in (RobertaForSequenceClassification[])[teacher, student])
            {
                float[] straight = Logits(model, ids, lengths);
                float[] permuted = Logits(model, moved, movedLengths);
                for (int i = 0; i < order.Length; i++)
                {
                    Assert.Equal(straight.Skip(order[i] * 3).Take(3), permuted.Skip(i * 3).Take(3));
                }
            }
        }).Holds(10);
    }

    [Fact]
    public void MorePaddingChangesNothingButRounding()
    {
        using RobertaForSequenceClassification teacher = Teacher();
        using RobertaForSequenceClassification student = Student(teacher, ProjectionSharing.None);
        (int[] ids, int[] lengths) = Batch(4, 20, 7);
        int[] padded = [.. Enumerable.Range(0, 4).SelectMany(b => ids.Skip(b * 20).Take(20).Concat(Enumerable.Repeat(1, 13)))];
        foreach (RobertaForSequenceClassification model in (RobertaForSequenceClassification[])[teacher, student])
        {
            float[] a = Logits(model, ids, lengths);
            float[] b = Logits(model, padded, lengths);
            for (int i = 0; i < a.Length; i++)
            {
                Assert.Equal(a[i], b[i], 1e-4f);
            }
        }
    }

    [Fact]
    public void AStudentWhoseProjectionIsAPermutationIsItsTeacherOnFullTexts()
    {
        // With e a permutation matrix times √n the slots are the positions in another order, which softmax attention does not see.
        const int Length = 12;
        using RobertaForSequenceClassification teacher = Teacher();
        using RobertaForSequenceClassification student = RobertaFiles.Convert(
            teacher, new LinformerConfig(Length, ProjectionSharing.Layer, 70), BuildContext.For(Cpu, 3));
        Parameter projection = student.NamedParameters().Single(p => RobertaFiles.IsProjection(p.Name)).Parameter;
        float[] e = new float[70 * Length];
        for (int p = 0; p < Length; p++)
        {
            e[(p * Length) + ((p * 5) % Length)] = MathF.Sqrt(Length);
        }

        projection.Value.Set<float>(e);
        (int[] ids, _) = Batch(3, Length, 11);
        ids = [.. ids.Select(id => id == 1 ? 9 : id)];
        int[] lengths = [Length, Length, Length];
        float[] expected = Logits(teacher, ids, lengths);
        float[] actual = Logits(student, ids, lengths);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], 1e-5f);
        }
    }

    [Fact]
    public void CheckpointingGivesTheSameBitsWithDropout()
    {
        using RobertaForSequenceClassification teacher = Teacher();
        using RobertaForSequenceClassification student = RobertaFiles.Convert(
            teacher, new LinformerConfig(8, ProjectionSharing.Kv, 70), BuildContext.For(Cpu, 3), c => c with { HiddenDropout = 0.2, AttentionDropout = 0.1 });
        (int[] ids, int[] lengths) = Batch(4, 15, 2);
        float[][] Gradients(bool checkpointing)
        {
            using MemoryScope scope = MemoryScope.Begin();
            using Tape tape = Tape.Record();
            ForwardContext context = new() { Dropout = new RandomGenerator(4), Checkpointing = checkpointing };
            Tensor logits = student.Forward(RobertaInput.Create(student.Config, Cpu, ids, lengths), context).Logits;
            tape.Backward(logits.CrossEntropy(Tensor.From(Cpu, new Shape(4), (ReadOnlySpan<int>)[0, 1, 2, 0])));
            float[][] gradients = [.. student.NamedParameters().Select(p => p.Parameter.Value.Gradient!.ToArray<float>())];
            student.ClearGradients();
            return gradients;
        }

        float[][] plain = Gradients(false);
        float[][] again = Gradients(true);
        for (int i = 0; i < plain.Length; i++)
        {
            Assert.Equal(plain[i], again[i]);
        }
    }

    [Fact]
    public void TheGradientOfTheWholeStudentIsThatOfItsLoss()
    {
        // Float64 end to end: a directional derivative against a central difference.
        RobertaConfig config = RobertaConfig.Read(FixtureFolder.PathOf("seed0/roberta-cls")) with
        {
            Linformer = new LinformerConfig(5, ProjectionSharing.None, 70),
            InitialiserRange = 0.3,
        };
        using RobertaForSequenceClassification model = new(new BuildContext(Cpu, DType.Float64, new RandomGenerator(8)), config);
        (int[] ids, int[] lengths) = Batch(3, 9, 4);
        ModelGradient.IsThatOf(model, () =>
        {
            Tensor logits = model.Forward(RobertaInput.Create(config, Cpu, ids, lengths), ForwardContext.Inference).Logits;
            return logits.CrossEntropy(Tensor.From(Cpu, new Shape(3), (ReadOnlySpan<int>)[0, 1, 2]));
        });
    }

    [Fact]
    public void BadInputIsRefusedWithAReason()
    {
        using RobertaForSequenceClassification model = Teacher();
        Assert.Contains("longer than the model's 68", Assert.Throws<CaldException>(() => RobertaInput.Create(model.Config, Cpu, new int[69], [69])).Message, StringComparison.Ordinal);
        Assert.Contains("outside the model's vocabulary of 211", Assert.Throws<CaldException>(() => RobertaInput.Create(model.Config, Cpu, [5, 211], [2])).Message, StringComparison.Ordinal);
        Assert.Contains("3 valid tokens of 2", Assert.Throws<CaldException>(() => RobertaInput.Create(model.Config, Cpu, [5, 6], [3])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ATrainingStepNeitherGrowsNorAllocatesMuch()
    {
        using RobertaForSequenceClassification teacher = Teacher();
        using RobertaForSequenceClassification student = Student(teacher);
        using Nn.Optimisers.AdamW optimiser = new(student.NamedParameters(), new Nn.Optimisers.AdamWOptions());
        (int[] ids, int[] lengths) = Batch(8, 32, 5);
        int[] labels = [0, 1, 2, 0, 1, 2, 0, 1];
        void Step()
        {
            using (MemoryScope scope = MemoryScope.Begin())
            using (Tape tape = Tape.Record())
            {
                Tensor logits = student.Forward(RobertaInput.Create(student.Config, Cpu, ids, lengths), new ForwardContext { Dropout = new RandomGenerator(1) }).Logits;
                tape.Backward(logits.CrossEntropy(Tensor.From(Cpu, new Shape(8), labels)));
            }

            optimiser.Update(1e-4, clipNorm: 1);
            student.ClearGradients();
        }

        for (int i = 0; i < 3; i++)
        {
            Step();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++)
        {
            Step();
        }

        long managed = (GC.GetAllocatedBytesForCurrentThread() - before) / 20;
        Assert.True(managed < 100_000, $"{managed} managed bytes a step");
    }
}
