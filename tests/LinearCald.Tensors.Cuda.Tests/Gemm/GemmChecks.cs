using FsCheck;
using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>Test bodies for matrix products on any accelerator.</summary>
internal static class GemmChecks
{
    public static readonly GemmPrecision[] Precisions = [GemmPrecision.Float32, GemmPrecision.TensorFloat32, GemmPrecision.TwoBFloat16, GemmPrecision.BFloat16, GemmPrecision.Half];

    private static readonly Activation[] s_activations =
    [
        Activation.None, Activation.GeluErf, Activation.GeluTanh, Activation.Silu, Activation.Relu, Activation.Tanh, Activation.Sigmoid, Activation.Softplus, Activation.Square,
    ];

    /// <summary>‖error‖ / ‖result‖ that a precision may have, results stored in <paramref name="output"/>.</summary>
    public static double Budget(GemmPrecision precision, DType output) => Math.Max(
        precision switch
        {
            GemmPrecision.TensorFloat32 => 1e-3,
            _ => 1e-5,
        },
        output == DType.Float32 ? 0 : 1e-2);

    /// <summary>Every tile of the table with both copy paths: results that need two blocks, with tails, and sums longer than the ring of stages.</summary>
    public static void Tile(Accelerator accelerator, GemmPrecision precision, GemmTile tile, bool transposeA, bool transposeB, bool aligned)
    {
        int depth = GemmPlan.Depth(precision);
        int odd = aligned ? 0 : 1;
        int m = tile.M + 8 + odd;
        int n = (tile.N / 2) + 16 - odd;
        int k = (depth * (tile.Stages + 1)) - 8 + odd;
        GemmProblem problem = GemmProblem.Contiguous(m, n, k, transposeA, transposeB) with { Precision = precision };
        new GemmCase(problem, 1) { Plan = new GemmPlan(tile, 1) }.Check(accelerator, Budget(precision, problem.Output));
    }

    /// <summary>
    /// Products on warpgroups: results that need several blocks, with tails, and sums of <paramref name="blocks"/> blocks of k less a tail. One group computes all of them if
    /// <paramref name="blocks"/> is even.
    /// </summary>
    public static void Warpgroups(Accelerator accelerator, GemmPrecision precision, GemmTile tile, bool transposeA, bool transposeB, int blocks, int parts = 1)
    {
        GemmProblem problem = GemmProblem.Contiguous(tile.M + 8, (tile.N / 2) + 16, (GemmPlan.Depth(precision) * blocks) - 8, transposeA, transposeB, parts) with { Precision = precision };
        GemmPlan plan = new(tile, parts) { Warpgroups = true, Groups = 1 - (blocks % 2) };
        new GemmCase(problem, blocks) { Plan = plan, Bias = blocks % 2 == 0 }.Check(accelerator, Budget(precision, problem.Output));
    }

    /// <summary>
    /// Random products on warpgroups: any extents, rows of operands that begin at multiples of 8 elements and may overlap by half, rows of results that begin anywhere, stacks, parts,
    /// epilogues, few groups.
    /// </summary>
    public static void RandomWarpgroups(Accelerator accelerator, int count, int rows, int columns, int length)
    {
        Gen<(GemmProblem Problem, GemmCase Case)> cases =
            from m in Gen.Choose(1, rows)
            from n in Gen.Choose(1, columns)
            from k in Gen.Choose(1, length)
            from tile in Gen.Elements(GemmPlan.WarpgroupTiles.AsEnumerable())
            from precision in Gen.Elements(GemmPrecision.BFloat16, GemmPrecision.Half, GemmPrecision.TensorFloat32)
            from round in Gen.Elements(1, 4, 8)
            from padding in Gen.Elements(0, 0, 8, 24)
            from offset in Gen.Elements(0, 0, 8)
            from flags in Gen.Elements(false, true).ArrayOf(6)
            from batch in Gen.Frequency((2, Gen.Constant(1)), (1, Gen.Constant(2)))
            from output in Gen.Elements(DType.Float32, precision == GemmPrecision.Half ? DType.Float16 : DType.BFloat16)
            from activation in Gen.Elements(s_activations)
            from alpha in Gen.Elements(1f, -0.5f)
            from parts in Gen.Elements(1, 1, 2, 3)
            from groups in Gen.Choose(0, 3)
            from overlapping in Gen.Elements(false, false, true)
            from seed in Gen.Choose(1, 1 << 30)
            select OnWarpgroups(
                new GemmProblem(m, Up(n, round), k)
                {
                    TransposeA = flags[0],
                    TransposeB = flags[1],
                    LeadingA = Up((flags[0] ? m : k) / (overlapping ? 2 : 1), 8) + padding,
                    LeadingB = Up((flags[1] ? k : Up(n, round)) / (overlapping ? 2 : 1), 8) + padding,
                    LeadingC = Up(n, round) + (padding / round),
                    Overlapping = overlapping,
                    Batch = batch,
                    Alpha = alpha,
                    Accumulate = flags[2],
                    Float32Bias = flags[5],
                    Activation = activation,
                    Precision = precision,
                    Output = output,
                },
                seed,
                offset,
                flags,
                new GemmPlan(tile, parts) { Warpgroups = true, Groups = groups });
        Prop.ForAll(cases.ToArbitrary(), c => c.Case.Check(accelerator, Budget(c.Problem.Precision, c.Problem.Output) * 2))
            .Holds(count);
    }

    private static (GemmProblem Problem, GemmCase Case) OnWarpgroups(GemmProblem problem, int seed, int offset, bool[] flags, GemmPlan plan)
    {
        GemmProblem stacked = problem with
        {
            StrideA = (long)problem.LeadingA * (problem.TransposeA ? problem.K : problem.M),
            StrideB = seed % 3 == 0 ? 0 : (long)problem.LeadingB * (problem.TransposeB ? problem.N : problem.K),
            StrideC = (long)problem.LeadingC * problem.M,
        };
        return (stacked, new GemmCase(stacked, seed) { Offset = offset, Bias = flags[3], Pre = flags[4], Plan = plan });
    }

    /// <summary>Operands of two terms on warpgroups: all forms, parts, stacks, and rows that overlap.</summary>
    public static void TermsOnWarpgroups(Accelerator accelerator, GemmTile tile, bool transposeA, bool transposeB, int blocks, int products)
    {
        GemmProblem problem = GemmProblem.Contiguous(tile.M + 8, (tile.N / 2) + 16, (TermSplit.Run * blocks) - (transposeA && !transposeB && products == 1 ? 13 : 0), transposeA, transposeB, products) with
        {
            Precision = GemmPrecision.TwoBFloat16,
            Accumulate = blocks % 2 == 1,
        };
        if (products > 1 && !transposeA && transposeB)
        {
            problem = problem with { LeadingA = TermSplit.Run, StrideA = TermSplit.Run * (problem.M + blocks), StrideB = 0, Overlapping = true };
        }

        new GemmCase(problem, blocks) { Plan = new GemmPlan(tile, blocks / 3) { Warpgroups = true }, Bias = true }.Check(accelerator, Budget(problem.Precision, problem.Output));
    }

    /// <summary>Products of tf32 and of two terms are as accurate on warpgroups as on mma.sync: compared with float32 ones.</summary>
    public static void AsAccurate(Accelerator accelerator, int m, int n, int k)
    {
        Random random = new(7);
        using DeviceBuffer<float> a = accelerator.Allocate<float>(Normal(m * k)), b = accelerator.Allocate<float>(Normal(n * k)), c = accelerator.Allocate<float>(m * n);
        GemmProblem problem = GemmProblem.Contiguous(m, n, k, false, true);
        GemmOperands operands = new(a.Address, b.Address, c.Address);
        GemmLauncher.Run(accelerator, problem, operands, new GemmPlan(GemmPlan.Tiles(GemmPrecision.Float32).First(), 1));
        float[] expected = c.ToArray();
        foreach (GemmPrecision precision in new[] { GemmPrecision.TensorFloat32, GemmPrecision.TwoBFloat16 })
        {
            double old = Error(precision, new GemmPlan(GemmPlan.Tiles(precision).First(), 1)), now = Error(precision, new GemmPlan(GemmPlan.WarpgroupTiles[0], 1) { Warpgroups = true });
            Assert.True(now <= (1.1 * old) + 2e-7, $"{precision}: {now:E3} on warpgroups, {old:E3} on mma.sync");
        }

        float[] Normal(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];

        double Error(GemmPrecision precision, GemmPlan plan)
        {
            GemmLauncher.Run(accelerator, problem with { Precision = precision }, operands, plan);
            float[] actual = c.ToArray();
            return Math.Sqrt(actual.Zip(expected, (x, y) => (double)(x - y) * (x - y)).Sum() / expected.Sum(y => (double)y * y));
        }
    }

    /// <summary>Operands of tf32 are the nearest numbers with ten fraction bits: a matrix times the identity.</summary>
    public static void Rounding(Accelerator accelerator)
    {
        const int size = 128;
        Random random = new(3);
        float[] values = [.. Enumerable.Range(0, size * size).Select(_ => (random.NextSingle() + 0.5f) * MathF.Pow(2, random.Next(-20, 20)) * (random.Next(2) == 0 ? 1 : -1))];
        float[] identity = new float[size * size];
        for (int i = 0; i < size; i++)
        {
            identity[(i * size) + i] = 1;
        }

        using DeviceBuffer<float> x = accelerator.Allocate<float>(values), one = accelerator.Allocate<float>(identity), y = accelerator.Allocate<float>(size * size);
        GemmProblem problem = GemmProblem.Contiguous(size, size, size, false, true) with { Precision = GemmPrecision.TensorFloat32 };
        foreach (bool left in new[] { false, true })
        {
            GemmLauncher.Run(
                accelerator, problem, left ? new GemmOperands(x.Address, one.Address, y.Address) : new GemmOperands(one.Address, x.Address, y.Address),
                new GemmPlan(GemmPlan.WarpgroupTiles[2], 1) { Warpgroups = true });
            float[] actual = y.ToArray();
            for (int i = 0; i < actual.Length; i++)
            {
                float value = left ? values[i] : values[(i % size * size) + (i / size)], half = MathF.ScaleB(1, MathF.ILogB(value) - 11);
                Assert.True(MathF.Abs(actual[i] - value) <= half && (BitConverter.SingleToUInt32Bits(actual[i]) & 0x1FFF) == 0, $"{value:R} became {actual[i]:R} {(left ? "on the left" : "on the right")}");
            }
        }
    }

    /// <summary>Sums of 0 … 2 elements more than a block of k, and of every number of blocks around the number of stages.</summary>
    /// <param name="few">Leave out all but the ends of each.</param>
    public static void Lengths(Accelerator accelerator, GemmPrecision precision, bool transposeA, bool transposeB, bool few = false)
    {
        int depth = GemmPlan.Depth(precision);
        GemmTile tile = GemmPlan.Tiles(precision).Last();
        int[] lengths = few ? [0, 1, depth, depth + 8, (5 * depth) + 3] : [0, 1, 2, 7, depth - 1, depth, depth + 8, (2 * depth) + 1, 3 * depth, (4 * depth) - 4, (5 * depth) + 3];
        foreach (int k in lengths)
        {
            GemmProblem problem = GemmProblem.Contiguous(17, 24, k, transposeA, transposeB) with { Precision = precision, Accumulate = k % 2 == 0, Alpha = 0.5f };
            new GemmCase(problem, k + 1) { Plan = new GemmPlan(tile, 1) }.Check(accelerator, Budget(precision, problem.Output));
        }
    }

    /// <summary>Random problems: any extents, leading dimensions, offsets, stacks, results, epilogues, splits.</summary>
    public static void Random(Accelerator accelerator, GemmPrecision precision, int count, int largest)
    {
        Gen<(GemmProblem Problem, GemmCase Case)> cases =
            from sizes in Gen.Choose(1, largest).Three()
            from padding in Gen.Frequency((2, Gen.Constant(0)), (1, Gen.Choose(0, 9)))
            from round in Gen.Elements(1, 1, 4, 8)
            from offset in Gen.Frequency((3, Gen.Constant(0)), (1, Gen.Choose(1, 3)))
            from batch in Gen.Frequency((3, Gen.Constant(1)), (1, Gen.Choose(2, 3)))
            from repeat in Gen.Elements(false, false, true)
            from flags in Gen.Elements(false, true).ArrayOf(6)
            from output in Gen.Elements(DType.Float32, DType.BFloat16, DType.Float16)
            from activation in Gen.Elements(s_activations)
            from alpha in Gen.Elements(1f, 0.25f, -0.5f)
            from parts in Gen.Elements(0, 1, 2, 3)
            from seed in Gen.Choose(1, 1 << 30)
            select Make(precision, sizes, padding, round, offset, batch, repeat, flags, output, activation, alpha, parts, seed);
        Prop.ForAll(cases.ToArbitrary(), c => c.Case.Check(accelerator, Budget(precision, c.Problem.Output) * 2))
            .Holds(count);
    }

    /// <summary>A long sum with few results: split along k, and the same bits again.</summary>
    /// <param name="batch">Products in the stack.</param>
    /// <param name="counts">How many parts: 3 accumulates, 7 has a bias and an activation.</param>
    public static void Split(Accelerator accelerator, GemmPrecision precision, DType output, int batch, params int[] counts)
    {
        int depth = GemmPlan.Depth(precision);
        GemmTile tile = GemmPlan.Tiles(precision).Last();
        foreach (int parts in counts)
        {
            GemmProblem problem = GemmProblem.Contiguous(33, 50, (depth * 7) + 3, true, false, batch) with
            {
                Precision = precision,
                Output = output,
                Accumulate = parts == 3,
                Activation = parts == 7 ? Activation.GeluErf : Activation.None,
            };
            new GemmCase(problem, parts) { Plan = new GemmPlan(tile, parts), Bias = parts == 7, Pre = parts == 7 }.Check(accelerator, Budget(precision, output));
        }
    }

    /// <summary>Every activation behind a bias, with and without its argument kept.</summary>
    /// <param name="few">Leave out all but some.</param>
    public static void Epilogues(Accelerator accelerator, GemmPrecision precision, DType output, bool float32Bias, bool few = false)
    {
        foreach (Activation activation in few ? [Activation.None, Activation.GeluErf, Activation.Relu] : s_activations)
        {
            GemmProblem problem = GemmProblem.Contiguous(20, 36, 24, false, true) with
            {
                Precision = precision,
                Output = output,
                Activation = activation,
                Float32Bias = float32Bias,
                Alpha = 0.3f,
            };
            new GemmCase(problem, (int)activation) { Bias = true, Pre = activation != Activation.Relu }.Check(accelerator, Budget(precision, output) * 2);
        }
    }

    /// <summary>Empty results, stacks and sums.</summary>
    public static void Empty(Accelerator accelerator)
    {
        foreach (GemmPrecision precision in Precisions)
        {
            foreach ((int m, int n, int k, int batch) in new[] { (0, 5, 3, 1), (5, 0, 3, 1), (3, 4, 0, 1), (3, 4, 5, 0), (0, 0, 0, 0) })
            {
                GemmProblem problem = GemmProblem.Contiguous(m, n, k, false, false, batch) with { Precision = precision };
                new GemmCase(problem, 1).Check(accelerator, 1e-3);
            }
        }
    }

    private static (GemmProblem Problem, GemmCase Case) Make(
        GemmPrecision precision, (int M, int N, int K) sizes, int padding, int round, int offset, int batch, bool repeat, bool[] flags, DType output, Activation activation, float alpha, int parts, int seed)
    {
        int m = Up(sizes.M, round);
        int n = Up(sizes.N, round);
        int k = Up(sizes.K, round);
        GemmProblem contiguous = GemmProblem.Contiguous(m, n, k, flags[0], flags[1], batch);
        GemmProblem problem = contiguous with
        {
            LeadingA = contiguous.LeadingA + padding,
            LeadingB = contiguous.LeadingB + padding,
            LeadingC = contiguous.LeadingC + padding,
            Precision = precision,
            Output = output,
            Accumulate = flags[2],
            Activation = activation,
            Alpha = alpha,
            Float32Bias = flags[5],
        };
        problem = problem with
        {
            StrideA = (long)problem.LeadingA * (flags[0] ? k : m),
            StrideB = repeat ? 0 : (long)problem.LeadingB * (flags[1] ? n : k),
            StrideC = (long)problem.LeadingC * m,
        };
        GemmPlan? plan = parts == 0 ? null : new GemmPlan(GemmPlan.Tiles(precision).Last(), parts);
        return (problem, new GemmCase(problem, seed) { Offset = offset, Bias = flags[3], Pre = flags[4], Plan = plan });
    }

    private static int Up(int value, int multiple) => (value + multiple - 1) / multiple * multiple;
}
