using FsCheck.Fluent;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Tests.Ops;

/// <summary>What defines CTC, in float64: the sum over every way to spell the target.</summary>
public sealed class CtcLossOperationTests
{
    private static readonly Device Cpu = Device.Parse("cpu");

    [Fact]
    public void TheLossIsTheSumOverAllAlignments() => ForAll((rows, frames, classes, blank, seed) =>
    {
        Case c = new(rows, frames, classes, blank, seed);
        double[] probabilities = c.Logits.Softmax().ToArray<double>(), losses = c.Loss(zeroInfinity: false).ToArray<double>();
        for (int b = 0; b < rows; b++)
        {
            double expected = -Math.Log(c.Enumerate(b, probabilities));
            Assert.Equal(double.IsFinite(expected), double.IsFinite(losses[b]));
            Assert.True(!double.IsFinite(expected) || Math.Abs(losses[b] - expected) <= 1e-12 * (1 + expected), $"{losses[b]}, not {expected}");
        }
    });

    [Fact]
    public void TheGradientIsTheSlopeOfTheLoss() => ForAll((rows, frames, classes, blank, seed) =>
    {
        Case c = new(rows, frames, classes, blank, seed);
        Assert.InRange(GradientCheck.WorstError(x => c.Loss(zeroInfinity: true, x[0]), c.Logits), 0, 1e-7);
    });

    [Fact]
    public void AFramesGradientSumsToZeroAndInfiniteLossesHaveNone() => ForAll((rows, frames, classes, blank, seed) =>
    {
        Case c = new(rows, frames, classes, blank, seed);
        double[] losses = c.Loss(zeroInfinity: false).ToArray<double>(), zeroed = c.Loss(zeroInfinity: true).ToArray<double>();
        foreach (bool zero in (bool[])[true, false])
        {
            double[] g = c.Gradient(zero);
            for (int i = 0; i < rows * frames; i++)
            {
                double[] frame = g[(i * classes)..((i + 1) * classes)];
                Assert.InRange(frame.Sum(), -1e-13, 1e-13);
                bool counts = i % frames < c.InputLengths[i / frames] && double.IsFinite(losses[i / frames]);
                Assert.True(counts || frame.All(v => v == 0), "a gradient where there is none");
            }
        }

        Assert.Equal(losses.Select(l => double.IsFinite(l) ? l : 0), zeroed);
    });

    [Fact]
    public void PaddingNeverMatters() => ForAll((rows, frames, classes, blank, seed) =>
    {
        Case c = new(rows, frames, classes, blank, seed);
        double[] losses = c.Loss(zeroInfinity: true).ToArray<double>(), gradient = c.Gradient(zeroInfinity: true);
        c.Disturb();
        Assert.Equal(losses, c.Loss(zeroInfinity: true).ToArray<double>());
        Assert.Equal(gradient, c.Gradient(zeroInfinity: true));

        // and each row alone has the same loss
        for (int b = 0; b < rows; b++)
        {
            Assert.Equal(losses[b], c.Loss(zeroInfinity: true, c.Logits, b).Item());
        }
    });

    [Fact]
    public void ShapesAndTypesThatDoNotFitAreNamed()
    {
        using MemoryScope scope = MemoryScope.Begin();
        Tensor logits = Tensor.Zeros(Cpu, DType.Float32, new Shape(2, 5, 4)), targets = Tensor.Zeros(Cpu, DType.Int32, new Shape(2, 3)), lengths = Tensor.Zeros(Cpu, DType.Int32, new Shape(2));
        void Fails(string message, Func<Tensor> run) => Assert.Contains(message, Assert.Throws<CaldException>(run).Message, StringComparison.Ordinal);
        Fails("logits must have 3 dimensions", () => targets.To(DType.Float32).CtcLoss(targets, lengths, lengths));
        Fails("targets must be Int32", () => logits.CtcLoss(targets.To(DType.Float32), lengths, lengths));
        Fails("as many rows as the logits", () => logits.CtcLoss(targets.Narrow(0, 0, 1), lengths, lengths));
        Fails("inputLengths must have shape [2]", () => logits.CtcLoss(targets, lengths.Narrow(0, 0, 1), lengths));
        Fails("the blank is class 4", () => logits.CtcLoss(targets, lengths, lengths, blank: 4));
        Fails("convert with To(DType.Float32)", () => logits.To(DType.BFloat16).CtcLoss(targets, lengths, lengths));
    }

    private static void ForAll(Action<int, int, int, int, int> property, [System.Runtime.CompilerServices.CallerMemberName] string test = "") => Prop.ForAll(
        Arb.From(Gen.Choose(1, 3)), Arb.From(Gen.Choose(1, 6)), Arb.From(Gen.Choose(0, 1_000_000)), (rows, frames, seed) =>
        {
            using MemoryScope scope = MemoryScope.Begin();
            int classes = 2 + (seed % 3);
            property(rows, frames, classes, seed / 3 % classes, seed);
        }).Holds(60, test);

    private sealed class Case
    {
        private readonly int _blank;
        private readonly int[] _targets;
        private readonly int[] _targetLengths;
        private readonly int _room;

        public Case(int rows, int frames, int classes, int blank, int seed)
        {
            System.Random random = new(seed);
            _blank = blank;
            _room = 4;
            double[] logits = Array.ConvertAll(GradientCheck.Random((ulong)seed, rows, frames, classes).ToArray<double>(), x => x * (1 + (seed % 4)));
            Logits = Tensor.From<double>(Cpu, DType.Float64, new Shape(rows, frames, classes), logits);
            InputLengths = [.. Enumerable.Range(0, rows).Select(_ => random.Next(frames + 1))];
            _targetLengths = [.. Enumerable.Range(0, rows).Select(_ => random.Next(_room + 1))];
            _targets = new int[rows * _room];
            for (int i = 0; i < _targets.Length; i++)
            {
                _targets[i] = i % _room < _targetLengths[i / _room] ? (blank + 1 + random.Next(classes - 1)) % classes : -100;
            }
        }

        public Tensor Logits { get; private set; }

        public int[] InputLengths { get; }

        public Tensor Loss(bool zeroInfinity, Tensor? logits = null, int row = -1)
        {
            logits ??= Logits;
            (int from, int count) = row < 0 ? (0, InputLengths.Length) : (row, 1);
            return logits.Narrow(0, from, count).CtcLoss(
                Tensor.From(Cpu, new Shape(count, _room), _targets.AsSpan(from * _room, count * _room)), Tensor.From(Cpu, new Shape(count), InputLengths.AsSpan(from, count)),
                Tensor.From(Cpu, new Shape(count), _targetLengths.AsSpan(from, count)), _blank, zeroInfinity);
        }

        /// <summary>Of the sum of all losses.</summary>
        public double[] Gradient(bool zeroInfinity)
        {
            using Tape tape = Tape.Record();
            Tensor leaf = Logits.Detach();
            leaf.RequiresGradient = true;
            Tensor losses = Loss(zeroInfinity, leaf);
            tape.Backward(losses, Tensor.Full(Cpu, DType.Float64, losses.Shape, 1));
            return leaf.Gradient!.ToArray<double>();
        }

        /// <summary>Other numbers, NaN too, wherever nothing may be read.</summary>
        public void Disturb()
        {
            double[] logits = Logits.ToArray<double>();
            int frames = Logits.Shape[1], classes = Logits.Shape[2];
            for (int i = 0; i < logits.Length; i++)
            {
                bool padding = i / classes % frames >= InputLengths[i / classes / frames];
                logits[i] = padding ? (i % 2 == 0 ? double.NaN : 1e30) : logits[i];
            }

            for (int i = 0; i < _targets.Length; i++)
            {
                _targets[i] = i % _room < _targetLengths[i / _room] ? _targets[i] : int.MinValue + i;
            }

            Logits = Tensor.From<double>(Cpu, DType.Float64, Logits.Shape, logits);
        }

        /// <summary>Σ over all classes^frames paths that spell the target of the product of their probabilities.</summary>
        public double Enumerate(int row, double[] probabilities)
        {
            int frames = InputLengths[row], classes = Logits.Shape[2];
            ReadOnlySpan<int> target = _targets.AsSpan(row * _room, _targetLengths[row]);
            double total = 0;
            for (int path = 0; path < (int)Math.Pow(classes, frames); path++)
            {
                double product = 1;
                List<int> spelled = [];
                int before = -1;
                for (int t = 0, rest = path; t < frames; t++, rest /= classes)
                {
                    int c = rest % classes;
                    product *= probabilities[(((row * Logits.Shape[1]) + t) * classes) + c];
                    if (c != before && c != _blank)
                    {
                        spelled.Add(c);
                    }

                    before = c;
                }

                total += target.SequenceEqual(spelled.ToArray()) ? product : 0;
            }

            return total;
        }
    }
}
