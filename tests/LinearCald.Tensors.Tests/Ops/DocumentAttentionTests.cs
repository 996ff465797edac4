using FsCheck.Fluent;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Tests.Ops;

/// <summary>Attention within documents against attention to each document alone, and its gradients.</summary>
public sealed class DocumentAttentionTests
{
    private const int Length = 12;

    [Fact]
    public void EachDocumentIsAsIfItWereAlone()
    {
        Prop.ForAll(Gen.Choose(0, 3).ArrayOf(3 * Length).ToArbitrary(), Gen.Elements(true, false).ToArbitrary(), (jumps, causal) =>
        {
            using MemoryScope scope = MemoryScope.Begin();
            int[] numbers = Numbers(jumps);
            (Tensor q, Tensor k, Tensor v) = (GradientCheck.Random(1, 3, Length, 6), GradientCheck.Random(2, 3, Length, 6), GradientCheck.Random(3, 3, Length, 6));
            AttentionOptions options = new(2, causal, 0.7);
            Tensor y = q.DocumentAttention(k, v, DocumentSpans.Of(Tensor.From(q.Device, new Shape(3, Length), numbers)), options);
            for (int row = 0; row < 3; row++)
            {
                for (int start = 0, end; start < Length; start = end)
                {
                    end = start + 1;
                    while (end < Length && numbers[(row * Length) + end] == numbers[(row * Length) + start])
                    {
                        end++;
                    }

                    Tensor Document(Tensor x) => x.Narrow(0, row, 1).Narrow(1, start, end - start);
                    double[] alone = Document(q).Attention(Document(k), Document(v), null, options).ToArray<double>();
                    double[] packed = Document(y).ToArray<double>();
                    Assert.All(alone.Zip(packed), pair => Assert.Equal(pair.First, pair.Second, 12));
                }
            }
        }).Holds(30);
    }

    [Fact]
    public void GradientsAreThoseOfFiniteDifferences()
    {
        using MemoryScope scope = MemoryScope.Begin();
        int[] numbers = [0, 0, 0, 1, 1, 5, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3];
        DocumentSpans documents = DocumentSpans.Of(numbers, 3, 6);
        Assert.Equal([new(0, 1, 0, 3), new(0, 1, 3, 2), new(0, 1, 5, 1), new(1, 2, 0, 6)], documents.Spans); // whole rows go together
        foreach (double dropout in (double[])[0, 0.3])
        {
            double error = GradientCheck.WorstError(
                t => t[0].DocumentAttention(t[1], t[2], documents, new AttentionOptions(2, Causal: true, 0.5, dropout, new RandomKey(3, 4))),
                GradientCheck.Random(4, 3, 6, 4),
                GradientCheck.Random(5, 3, 6, 4),
                GradientCheck.Random(6, 3, 6, 4));
            Assert.True(error < 1e-6, $"dropout {dropout}: {error}");
        }
    }

    [Fact]
    public void DocumentsOfAnotherBatchAreRefused()
    {
        using MemoryScope scope = MemoryScope.Begin();
        Tensor x = GradientCheck.Random(1, 2, 3, 4);
        CaldException error = Assert.Throws<CaldException>(() => x.DocumentAttention(x, x, DocumentSpans.Of([0, 0], 1, 2), new AttentionOptions(1, true, 1)));
        Assert.Contains("those of a batch [1, 2]", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Documents of random lengths, some rows without a border: a 0 among the jumps begins one.</summary>
    private static int[] Numbers(int[] jumps)
    {
        int[] numbers = new int[jumps.Length];
        for (int i = 0; i < jumps.Length; i++)
        {
            numbers[i] = (i % Length == 0 ? 7 : numbers[i - 1]) + (jumps[i] == 0 && i >= Length ? 1 : 0);
        }

        return numbers;
    }
}
