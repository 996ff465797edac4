using FsCheck.Fluent;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;
using LinearCald.Tensors.Tests.Cpu;

namespace LinearCald.Tensors.Tests.Ops;

/// <summary>A random scan of Mamba-2 in float64: odd sizes, chunks longer and shorter than the rows, packed sequences, padding, any direction.</summary>
internal sealed record SsdCase(SsdShape Shape, bool HasD, bool HasBias, bool IsPacked, bool IsPadded, bool HasState, int Seed)
{
    private static readonly Device Cpu = Device.Parse("cpu");

    /// <summary>int32 [B, L]: runs of equal numbers, also ones that come again.</summary>
    public Tensor? Sequences => IsPacked ? Tensor.From(Cpu, new Shape(Shape.Batch, Shape.Length), SequenceNumbers()) : null;

    public Tensor? Lengths => IsPadded ? Tensor.From(Cpu, new Shape(Shape.Batch), LengthNumbers()) : null;

    /// <param name="longest">Most positions of a row.</param>
    public static void ForAll(Action<SsdCase> property, int longest = 40, int? cases = null) => Prop.ForAll(
        (from batch in Gen.Choose(1, 3)
         from length in Gen.Frequency((1, Gen.Constant(1)), (6, Gen.Choose(1, longest)), (1, Gen.Choose(longest, 3 * longest)))
         from groups in Gen.Choose(1, 2)
         from heads in Gen.Choose(1, 3)
         from headSize in Gen.Elements(1, 3, 4, 8, 17)
         from stateSize in Gen.Elements(1, 2, 5, 16, 19)
         from chunk in Gen.Elements(1, 2, 5, 16, 33, 64, 300)
         from flags in Gen.Choose(0, 127)
         from seed in Gen.Choose(0, 100_000)
         select new SsdCase(
             new SsdShape(batch, length, groups * heads, groups, headSize, stateSize, chunk, (flags & 1) != 0, (flags & 2) != 0, (flags & 2) != 0 ? 0 : 0.05, double.PositiveInfinity),
             (flags & 4) != 0, (flags & 8) != 0, (flags & 16) != 0, (flags & 32) != 0, (flags & 64) != 0, seed)).ToArbitrary(),
        x =>
        {
            using MemoryScope scope = MemoryScope.Begin();
            property(x);
        }).Holds(cases ?? KernelShapes.Cases);

    /// <summary>x, delta, b and c are ranges of one wider tensor; then a, d, deltaBias and the initial state. Absent ones too.</summary>
    public Tensor[] Inputs()
    {
        SsdShape s = Shape;
        int width = s.Heads * s.HeadSize, group = s.Groups * s.StateSize;
        Tensor projected = R(1, s.Batch, s.Length, width + (2 * group) + s.Heads);
        Tensor delta = projected.Narrow(2, width + (2 * group), s.Heads);
        if (!s.Softplus)
        {
            delta = delta.Apply(Activation.Sigmoid).Affine(1, 0.1); // away from the bounds, where there is no derivative
        }

        return
        [
            projected.Narrow(2, 0, width), delta, R(2, s.Heads).Apply(Activation.Exp).Affine(-1), projected.Narrow(2, width, group), projected.Narrow(2, width + group, group),
            R(3, s.Heads), s.Softplus ? R(4, s.Heads) : R(4, s.Heads).Apply(Activation.Sigmoid), R(5, s.Batch, s.Heads, s.HeadSize, s.StateSize),
        ];
    }

    /// <summary>Numbers that belong to the case.</summary>
    public Tensor R(int stream, params ReadOnlySpan<int> shape) => GradientCheck.Random((ulong)((Seed * 11) + stream), shape);

    public SsdOptions Options(Tensor[] inputs, Tensor? final = null) => new()
    {
        Heads = Shape.Heads,
        Groups = Shape.Groups,
        Softplus = Shape.Softplus,
        DeltaMin = Shape.DeltaMin,
        DeltaMax = Shape.DeltaMax,
        Chunk = Shape.Chunk,
        Reverse = Shape.Reverse,
        Sequences = Sequences,
        Lengths = Lengths,
        InitialState = HasState ? inputs[7] : null,
        FinalState = final,
    };

    public Tensor Scan(Tensor[] inputs, SsdOptions options) => inputs[0].SsdScan(
        inputs[1], inputs[2], inputs[3], inputs[4], HasD ? inputs[5] : null, HasBias ? inputs[6] : null, options);

    /// <summary>The recurrence, in float64.</summary>
    public unsafe (double[] Y, double[] Final) Recurrence(Tensor[] inputs)
    {
        double[][] values = [.. inputs.Select(t => t.ToArray<double>())];
        int[] sequences = SequenceNumbers(), lengths = LengthNumbers();
        double[] y = new double[values[0].Length], final = new double[values[7].Length];
        int width = Shape.Heads * Shape.HeadSize, group = Shape.Groups * Shape.StateSize;
        fixed (double* x = values[0], delta = values[1], a = values[2], b = values[3], c = values[4], d = values[5], bias = values[6], initial = values[7], py = y, pf = final)
        {
            fixed (int* s = sequences, l = lengths)
            {
                SsdData<double> data = new()
                {
                    X = new(x, width),
                    Delta = new(delta, Shape.Heads),
                    B = new(b, group),
                    C = new(c, group),
                    A = a,
                    D = HasD ? d : null,
                    DeltaBias = HasBias ? bias : null,
                    Sequences = IsPacked ? s : null,
                    Lengths = IsPadded ? l : null,
                    InitialState = HasState ? initial : null,
                    FinalState = pf,
                };
                SsdReference.Forward(Shape, data, py);
            }
        }

        return (y, final);
    }

    public int[] LengthNumbers()
    {
        System.Random random = new(Seed + 1);
        return [.. Enumerable.Range(0, Shape.Batch).Select(_ => IsPadded ? random.Next(Shape.Length + 1) : Shape.Length)];
    }

    public int[] SequenceNumbers()
    {
        System.Random random = new(Seed);
        int[] numbers = new int[Shape.Batch * Shape.Length];
        for (int i = 1; i < numbers.Length; i++)
        {
            numbers[i] = (numbers[i - 1] + (IsPacked && random.Next(6) == 0 ? 1 : 0)) % 3;
        }

        return numbers;
    }
}
