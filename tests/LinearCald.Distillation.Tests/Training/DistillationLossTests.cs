using LinearCald.Distillation.Guidance;
using LinearCald.Distillation.Recipes;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Tests.Training;

/// <summary>The four conventions on an example done by hand: 3 layers (entries 0 … 3), two texts of 3 and 2 positions, width 2; the last position of the second text is padding.</summary>
public sealed class DistillationLossTests
{
    private const int Entries = 4;
    private static readonly Device Cpu = Device.Parse("cpu");

    [Theory]
    [InlineData("nlp", ((5 * 30) + (4 * 36)) / 6.0)] // Σ over entries of (5 (i + 1)² + 36) / 6
    [InlineData("masked", 30.0)] // 1 + 4 + 9 + 16
    public void PlainConventionsSumTheEntries(string convention, double expected)
    {
        // Student less teacher: i + 1 at every valid position of entry i, 6 at the padded one.
        double loss = Layers(convention, (_, _) => (0.5f, -0.25f), (entry, position) => position < 5 ? (entry + 1.5f, entry + 0.75f) : (6.5f, 5.75f));
        Assert.Equal(expected, loss, 1e-4);
    }

    [Theory]
    [InlineData("lm", ((0.8 * 1) + (0.8 * 2)) / 2)] // entries 1 and 2
    [InlineData("speech", ((0.8 * 1) + (0.8 * 2) + (0.8 * 3)) / 3)] // entries 1, 2 and 3
    public void NormalisedConventionsTakeTheMean(string convention, double expected)
    {
        // N of two values is (1, −1) or (−1, 1). In entry i, i of the 5 valid positions point the other way and cost 2² in each feature: 4i/5. All of entry 0
        // and the padded position do so too, and must not count. Scale and offset of the others must not either.
        double loss = Layers(convention, (_, _) => (10, -10), (entry, position) => entry == 0 || position == 5 || position < entry ? (-7, 9) : (300, 200));
        Assert.Equal(expected, loss, 1e-4);
    }

    [Theory]
    [InlineData("nlp", 4)] // times temperature²
    [InlineData("masked", 4)]
    [InlineData("lm", 1)]
    [InlineData("speech", 1)]
    public void OutputLossIsTheMeanKlAtTheTemperature(string convention, double factor)
    {
        // At temperature 2 the first teacher is (1/2, 1/2) and its student (3/4, 1/4): KL = ½ ln(2/3) + ½ ln 2 = ½ ln(4/3). The second pair agrees: 0.
        float ln3 = MathF.Log(3);
        using Tensor student = Tensor.From(Cpu, new Shape(2, 2), [2 * ln3, 0f, 1f, 5f]);
        using Tensor teacher = Tensor.From(Cpu, new Shape(2, 2), [0f, 0f, 2f, 6f]);
        using Tensor loss = Loss(convention).Outputs(student, teacher, null, 1);
        Assert.Equal(factor * 0.5 * Math.Log(4.0 / 3) / 2, loss.Item(), 1e-6);
    }

    [Fact]
    public void ModelsOfDifferentDepthAreRefused()
    {
        using Tensor state = Tensor.Zeros(Cpu, DType.Float32, new Shape(1, 1, 2));
        using Tensor lengths = Tensor.From(Cpu, new Shape(1), [1]);
        CaldException error = Assert.Throws<CaldException>(() => Loss("masked").Layers([state, state, state], [state, state], lengths, 1));
        Assert.Contains("the student has 2 layers, the teacher 1", error.Message, StringComparison.Ordinal);
        Assert.Contains("nothing to compare", Assert.Throws<CaldException>(() => Loss("lm").Layers([state, state], [state, state], lengths, 1)).Message, StringComparison.Ordinal);
    }

    private static DistillationLoss Loss(string convention) => new(Recipe.Parse($"guidance:\n  convention: {convention}\n  temperature: 2\n").Guidance);

    private static double Layers(string convention, Func<int, int, (float, float)> teacher, Func<int, int, (float, float)> student)
    {
        Tensor[] theirs = [.. Enumerable.Range(0, Entries).Select(entry => State(entry, teacher))];
        Tensor[] ours = [.. Enumerable.Range(0, Entries).Select(entry => State(entry, student))];
        using Tensor lengths = Tensor.From(Cpu, new Shape(2), [3, 2]);
        return Loss(convention).Layers(ours, theirs, lengths, 5).Item();
    }

    private static Tensor State(int entry, Func<int, int, (float A, float B)> values)
    {
        float[] state = [.. Enumerable.Range(0, 6).Select(position => values(entry, position)).SelectMany(pair => (float[])[pair.A, pair.B])];
        return Tensor.From(Cpu, new Shape(2, 3, 2), state);
    }
}
