using FsCheck;
using FsCheck.Fluent;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Tests.Ops;

/// <summary>What a selective scan is, whatever computes it: a linear recurrence that may be cut, packed, streamed and written as a matrix.</summary>
public sealed class SelectiveScanTests
{
    private const double Budget = 1e-10;

    private static Arbitrary<(int B, int L, int D, int N, ulong Seed)> Cases(int longest) => (
        from b in Gen.Choose(1, 3)
        from l in Gen.Choose(1, longest)
        from d in Gen.Choose(1, 20)
        from n in Gen.Elements(1, 3, 8, 16)
        from seed in Gen.Choose(1, 100_000)
        select (b, l, d, n, (ulong)seed)).ToArbitrary();

    private static void ForAll(int longest, Action<Scan> property, int runs = 15) =>
        Prop.ForAll(Cases(longest), x =>
        {
            using MemoryScope scope = MemoryScope.Begin();
            property(new Scan(x.B, x.L, x.D, x.N, x.Seed));
        }).Holds(runs);

    private static double Error(double[] found, double[] expected)
    {
        double difference = Math.Sqrt(found.Zip(expected, (a, b) => (a - b) * (a - b)).Sum());
        return difference / Math.Max(1e-300, Math.Sqrt(expected.Sum(v => v * v)));
    }

    [Fact]
    public void Gradients() => ForAll(6, s =>
    {
        Tensor sequences = s.Integers(2, s.B, s.L), lengths = s.Integers(s.L + 1, s.B);
        Tensor[] all = [s.U, s.Delta, s.A, s.Bs, s.C, s.Skip, s.Z, s.Bias, s.State];
        double whole = GradientCheck.WorstError(
            t => t[0].SelectiveScan(t[1], t[2], t[3], t[4], t[5], t[6], t[7], new() { Softplus = true, InitialState = t[8], Sequences = sequences }), all);
        double bare = GradientCheck.WorstError(t => t[0].SelectiveScan(t[1], t[2], t[3], t[4], null, null, null, new() { Lengths = lengths }), all[..5]);
        Assert.True(whole <= 1e-6 && bare <= 1e-6, $"{whole:G3}, {bare:G3} for {s}");
    }, 12);

    [Fact]
    public void Views_are_read_where_they_are() => ForAll(5, s =>
    {
        // u, delta and z from one wider tensor; b from rows that are not regular, so that it is copied
        double error = GradientCheck.WorstError(
            t => t[0].Narrow(2, 1, s.D).SelectiveScan(
                t[0].Narrow(2, s.D, s.D), t[1].Transpose(0, 1), t[2].Transpose(0, 1), t[3].Narrow(1, 1, s.L), null, t[0].Narrow(2, 0, s.D), null, new() { Softplus = true }),
            GradientCheck.Random(s.Seed, s.B, s.L, (2 * s.D) + 1), Scan.Copy(s.A.Transpose(0, 1)), Scan.Copy(s.Bs.Transpose(0, 1)), GradientCheck.Random(s.Seed + 1, s.B, s.L + 2, s.N));
        Assert.True(error <= 1e-6, $"{error:G3} for {s}");
    }, 8);

    [Fact]
    public void Any_cut_in_time_gives_the_whole() => ForAll(90, s =>
    {
        Tensor whole = s.Run(0, s.L, s.State, null);
        Tensor state = Scan.Copy(s.State);
        int cut = (int)(s.Seed % (ulong)(s.L + 1));
        Tensor first = s.Run(0, cut, state, state), second = s.Run(cut, s.L - cut, state, state);
        Assert.True(Error(s.Rows(first, second), whole.ToArray<double>()) <= Budget, $"cut at {cut} of {s}");
    });

    [Fact]
    public void Steps_give_the_whole_and_its_state() => ForAll(20, s =>
    {
        Tensor last = Scan.Copy(s.State), state = Scan.Copy(s.State);
        double[] whole = s.Run(0, s.L, s.State, last).ToArray<double>();
        Tensor[] steps = [.. Enumerable.Range(0, s.L).Select(t => s.Run(t, 1, state, state))];
        Assert.True(Error(s.Rows(steps), whole) <= Budget, $"steps of {s}");
        Assert.True(Error(state.ToArray<double>(), last.ToArray<double>()) <= Budget, $"state of {s}");
    });

    [Fact]
    public void Packed_sequences_are_each_alone() => ForAll(70, s =>
    {
        int cut = (int)(s.Seed % (ulong)s.L);
        int[] numbers = [.. Enumerable.Range(0, s.B * s.L).Select(i => i % s.L < cut ? 7 : 3)];
        Tensor packed = s.Run(0, s.L, null, null, Tensor.From(s.U.Device, new Shape(s.B, s.L), numbers));
        Assert.True(Error(packed.ToArray<double>(), s.Rows(s.Run(0, cut, null, null), s.Run(cut, s.L - cut, null, null))) <= Budget, $"cut at {cut} of {s}");
    });

    [Fact]
    public void Positions_past_a_length_do_nothing() => ForAll(70, s =>
    {
        int length = (int)(s.Seed % (ulong)(s.L + 1));
        Tensor lengths = Tensor.From(s.U.Device, new Shape(s.B), Enumerable.Repeat(length, s.B).ToArray());
        Tensor last = Scan.Copy(s.State), expectedLast = Scan.Copy(s.State);
        double[] y = s.Run(0, s.L, s.State, last, lengths: lengths).ToArray<double>();
        double[] expected = s.Run(0, length, s.State, expectedLast).ToArray<double>();
        Assert.True(Error(last.ToArray<double>(), expectedLast.ToArray<double>()) <= Budget, $"state at {length} of {s}");
        for (int b = 0; b < s.B; b++)
        {
            double[] valid = y.AsSpan(b * s.L * s.D, length * s.D).ToArray();
            Assert.True(Error(valid, expected.AsSpan(b * length * s.D, length * s.D).ToArray()) <= Budget, $"{length} positions of {s}");
            Assert.All(y.AsSpan(((b * s.L) + length) * s.D, (s.L - length) * s.D).ToArray(), v => Assert.Equal(0, v));
        }
    });

    // y_t = Σ_{s ≤ t} C_t · exp(A Σ_{s < r ≤ t} Δ_r) Δ_s B_s u_s
    [Fact]
    public void Is_attention_with_decaying_scores() => ForAll(40, s =>
    {
        double[] y = s.U.SelectiveScan(s.Delta.Apply(Activation.Softplus), s.A, s.Bs, s.C, null, null, null, default).ToArray<double>();
        double[] u = s.U.ToArray<double>(), delta = s.Delta.Apply(Activation.Softplus).ToArray<double>(), a = s.A.ToArray<double>();
        double[] b = s.Bs.ToArray<double>(), c = s.C.ToArray<double>(), expected = new double[y.Length];
        for (int i = 0; i < s.B * s.L * s.D; i++)
        {
            int channel = i % s.D, t = i / s.D % s.L;
            double elapsed = 0;
            for (int back = 0; back <= t; back++)
            {
                int at = i - (back * s.D), row = (i / s.D) - back;
                double score = 0;
                for (int n = 0; n < s.N; n++)
                {
                    score += c[((i / s.D) * s.N) + n] * Math.Exp(a[(channel * s.N) + n] * elapsed) * b[(row * s.N) + n];
                }

                expected[i] += score * delta[at] * u[at];
                elapsed += delta[at];
            }
        }

        Assert.True(Error(y, expected) <= Budget, $"{s}");
    });

    [Fact]
    public void Misfits_are_named()
    {
        using MemoryScope scope = MemoryScope.Begin();
        Scan s = new(2, 3, 4, 16, 1);
        Tensor other = GradientCheck.Random(1, 2, 3, 5);
        Assert.Contains("do not fit", Assert.Throws<CaldException>(() => s.U.SelectiveScan(s.Delta, s.A, other, other, null, null, null, default)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "InitialState must have shape [2, 4, 16]",
            Assert.Throws<CaldException>(() => s.U.SelectiveScan(s.Delta, s.A, s.Bs, s.C, null, null, null, new() { InitialState = other })).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "a must be Float64",
            Assert.Throws<CaldException>(() => s.U.SelectiveScan(s.Delta, s.A.To(DType.Float32), s.Bs, s.C, null, null, null, default)).Message,
            StringComparison.Ordinal);
    }

    /// <summary>Random inputs in float64.</summary>
    private sealed class Scan(int b, int l, int d, int n, ulong seed)
    {
        public int B => b;

        public int L => l;

        public int D => d;

        public int N => n;

        public ulong Seed => seed;

        public Tensor U { get; } = GradientCheck.Random(seed + 1, b, l, d);

        public Tensor Delta { get; } = GradientCheck.Random(seed + 2, b, l, d);

        public Tensor A { get; } = Copy(GradientCheck.Random(seed + 3, d, n).Apply(Activation.Square).Affine(-1, -0.1));

        public Tensor Bs { get; } = GradientCheck.Random(seed + 4, b, l, n);

        public Tensor C { get; } = GradientCheck.Random(seed + 5, b, l, n);

        public Tensor Skip { get; } = GradientCheck.Random(seed + 6, d);

        public Tensor Z { get; } = GradientCheck.Random(seed + 7, b, l, d);

        public Tensor Bias { get; } = GradientCheck.Random(seed + 8, d);

        public Tensor State { get; } = GradientCheck.Random(seed + 9, b, d, n);

        /// <summary>The scan over some positions.</summary>
        public Tensor Run(int start, int length, Tensor? initial, Tensor? final, Tensor? sequences = null, Tensor? lengths = null) =>
            U.Narrow(1, start, length).SelectiveScan(
                Delta.Narrow(1, start, length), A, Bs.Narrow(1, start, length), C.Narrow(1, start, length), Skip, Z.Narrow(1, start, length), Bias,
                new() { Softplus = true, InitialState = initial, FinalState = final, Sequences = sequences, Lengths = lengths });

        public static Tensor Copy(Tensor x)
        {
            Tensor copy = Tensor.Empty(x.Device, x.Type, x.Shape);
            copy.CopyFrom(x);
            return copy;
        }

        /// <summary>Pieces [B, l, D] one after another in time, as [B, L, D].</summary>
        public double[] Rows(params Tensor[] pieces)
        {
            double[][] values = [.. pieces.Select(p => p.ToArray<double>())];
            return [.. Enumerable.Range(0, b).SelectMany(i => values.SelectMany(v => v.AsSpan(i * v.Length / b, v.Length / b).ToArray()))];
        }

        public Tensor Integers(int below, params ReadOnlySpan<int> shape)
        {
            Shape s = new(shape);
            return Tensor.From(U.Device, s, Enumerable.Range(0, (int)s.Count).Select(i => (int)((seed + (ulong)(i * i)) % (ulong)below)).ToArray());
        }

        public override string ToString() => $"[{b}, {l}, {d}] with {n} states, seed {seed}";
    }
}
