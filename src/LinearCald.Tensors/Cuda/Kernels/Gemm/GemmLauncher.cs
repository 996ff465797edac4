using LinearCald.Gpu;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches matrix products on an accelerator: chooses the cut, the copy widths and the kernel, and gives nothing to the garbage collector.</summary>
internal static unsafe class GemmLauncher
{
    private const int MostAlongZ = 65535;

    /// <summary>Computes <paramref name="problem"/>, cut as the selection table says.</summary>
    /// <exception cref="CaldException">Extents, leading dimensions or types that cannot be.</exception>
    public static void Run(Accelerator accelerator, in GemmProblem problem, in GemmOperands operands) =>
        Run(accelerator, problem, operands, GemmPlanCache.Find(problem, accelerator.Limits, WarpgroupLaunch.Takes(operands)));

    /// <summary>Computes <paramref name="problem"/>, cut as told.</summary>
    /// <exception cref="CaldException">Extents, leading dimensions or types that cannot be.</exception>
    public static void Run(Accelerator accelerator, in GemmProblem problem, in GemmOperands operands, GemmPlan plan)
    {
        Check(problem, operands, plan);
        if (problem.M == 0 || problem.N == 0 || problem.Batch == 0)
        {
            return;
        }

        if (plan.Warpgroups && (WarpgroupLaunch.TurnsA(problem) || WarpgroupLaunch.TurnsB(problem)))
        {
            RunAlongK(accelerator, problem, operands, plan);
            return;
        }

        if (plan.Warpgroups && problem.Precision == GemmPrecision.TwoBFloat16)
        {
            RunOfTerms(accelerator, problem, operands, plan);
            return;
        }

        switch (problem.Output)
        {
            case DType.Float32:
                Run<float, Float32Format>(accelerator, problem, operands, plan);
                break;
            case DType.BFloat16:
                Run<ushort, BFloat16Format>(accelerator, problem, operands, plan);
                break;
            case DType.Float16:
                Run<ushort, Float16Format>(accelerator, problem, operands, plan);
                break;
            default:
                throw new CaldException($"matrix product: a result of {problem.Output} cannot be computed on this device; ask for Float32, BFloat16 or Float16");
        }
    }

    /// <summary>The product of operands that were first copied along k, those that do not lie so.</summary>
    private static void RunAlongK(Accelerator accelerator, in GemmProblem problem, in GemmOperands operands, GemmPlan plan)
    {
        bool turnsA = WarpgroupLaunch.TurnsA(problem), turnsB = WarpgroupLaunch.TurnsB(problem);
        int leading = WarpgroupLaunch.TurnedLeading(problem.K);
        nint a = turnsA ? WarpgroupLaunch.Turn(accelerator, operands.A, problem.M, problem.K, problem.LeadingA, problem.Batch, problem.StrideA) : operands.A;
        nint b = turnsB ? WarpgroupLaunch.Turn(accelerator, operands.B, problem.N, problem.K, problem.LeadingB, problem.Batch, problem.StrideB) : operands.B;
        GemmProblem turned = problem with
        {
            TransposeA = false,
            TransposeB = true,
            LeadingA = turnsA ? leading : problem.LeadingA,
            LeadingB = turnsB ? leading : problem.LeadingB,
            StrideA = turnsA && problem.StrideA != 0 ? (long)problem.M * leading : problem.StrideA,
            StrideB = turnsB && problem.StrideB != 0 ? (long)problem.N * leading : problem.StrideB,
        };
        Run(accelerator, turned, operands with { A = a, B = b }, plan);
        if (turnsA)
        {
            accelerator.Free(a);
        }

        if (turnsB)
        {
            accelerator.Free(b);
        }
    }

    /// <summary>The product of operands that were first split into terms: of bfloat16, with sums twice as long.</summary>
    private static void RunOfTerms(Accelerator accelerator, in GemmProblem problem, in GemmOperands operands, GemmPlan plan)
    {
        if (!WarpgroupLaunch.TakesTerms(problem))
        {
            throw new CaldException($"matrix product: {problem} of two terms; warpgroups need rows along k, and products of stacks, that begin at multiples of {TermSplit.Run} elements");
        }

        nint a = TermSplit.Copy(accelerator, operands.A, WarpgroupLaunch.ElementsA(problem), problem.TransposeA ? problem.LeadingA : 1);
        nint b = TermSplit.Copy(accelerator, operands.B, WarpgroupLaunch.ElementsB(problem), problem.TransposeB ? 1 : problem.LeadingB);
        GemmProblem terms = problem with
        {
            K = (problem.K + TermSplit.Run - 1) / TermSplit.Run * 2 * TermSplit.Run,
            LeadingA = problem.TransposeA ? problem.LeadingA : 2 * problem.LeadingA,
            LeadingB = problem.TransposeB ? 2 * problem.LeadingB : problem.LeadingB,
            StrideA = 2 * problem.StrideA,
            StrideB = 2 * problem.StrideB,
            Precision = GemmPrecision.BFloat16,
        };
        Run(accelerator, terms, operands with { A = a, B = b }, plan with { OfTerms = true });
        accelerator.Free(a);
        accelerator.Free(b);
    }

    private static void Run<TWord, TFormat>(Accelerator accelerator, in GemmProblem problem, in GemmOperands operands, GemmPlan plan)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        Kernel kernel = problem.Precision switch
        {
            GemmPrecision.Float32 => SimtKernel<TWord, TFormat>.Value,
            GemmPrecision.TensorFloat32 => TensorKernel<TensorFloat32Operand, TWord, TFormat>.Value,
            GemmPrecision.TwoBFloat16 => TensorKernel<TwoBFloat16Operand, TWord, TFormat>.Value,
            GemmPrecision.BFloat16 => TensorKernel<BFloat16Operand, TWord, TFormat>.Value,
            _ => TensorKernel<HalfOperand, TWord, TFormat>.Value,
        };
        GemmTile tile = plan.Tile;
        int bytes = problem.Precision.ElementBytes();
        int widthA = Width(problem.Precision, operands.A, problem.LeadingA, problem.StrideA | problem.InnerStrideA, problem.TransposeA ? problem.M : problem.K, !problem.TransposeA);
        int widthB = Width(problem.Precision, operands.B, problem.LeadingB, problem.StrideB | problem.InnerStrideB, problem.TransposeB ? problem.K : problem.N, problem.TransposeB);
        GemmOutput output = new(problem.Activation, Steps<TWord>(problem, operands));
        GemmStorage storage = (problem.TransposeA ? GemmStorage.TransposedA : 0) | (problem.TransposeB ? GemmStorage.TransposedB : 0);
        CheckOffsets("A", problem.TransposeA, problem.K, problem.LeadingA, bytes, widthA);
        CheckOffsets("B", !problem.TransposeB, problem.K, problem.LeadingB, bytes, widthB);
        int depth = GemmPlan.Depth(problem.Precision);
        int blocks = (int)(((long)problem.K + depth - 1) / depth);
        int partBlocks = Math.Max(1, (blocks + plan.Parts - 1) / plan.Parts);
        int parts = Math.Max(1, (blocks + partBlocks - 1) / partBlocks);
        int most = Math.Min(problem.Batch, MostAlongZ / problem.Inner * problem.Inner);
        int pitch = (problem.N + 3) & ~3;
        nint workspace = parts > 1 ? accelerator.Allocate(4L * parts * most * problem.M * pitch, "partial sums of a matrix product") : 0;
        GemmArguments<TWord> arguments = new()
        {
            Bias = new ReadOnlyView<byte>((byte*)operands.Bias, operands.Bias != 0 ? (long)problem.N * problem.Inner * (problem.Float32Bias ? sizeof(float) : sizeof(TWord)) : 0),
            Workspace = new View<float>((float*)workspace, parts > 1 ? (long)parts * most * problem.M * pitch : 0),
            StrideA = problem.StrideA * bytes,
            StrideB = problem.StrideB * bytes,
            StrideC = problem.StrideC,
            Inner = new FastDivisor(problem.Inner),
            InnerStrideA = problem.InnerStrideA * bytes,
            InnerStrideB = problem.InnerStrideB * bytes,
            InnerStrideC = problem.InnerStrideC,
            M = problem.M,
            N = problem.N,
            K = problem.K,
            LeadingA = Pieces(problem.LeadingA, bytes, widthA),
            LeadingB = Pieces(problem.LeadingB, bytes, widthB),
            LeadingC = problem.LeadingC,
            WorkspacePitch = pitch,
            TilesM = (problem.M + tile.M - 1) / tile.M,
            TilesN = (problem.N + tile.N - 1) / tile.N,
            PartK = partBlocks * depth,
            Parts = parts,
            Alpha = problem.Alpha,
        };
        GemmOutput written = parts > 1 ? new GemmOutput(Activation.None, GemmSteps.Partial | (output.Steps & GemmSteps.Nested)) : output;
        if (plan.Warpgroups && problem.Batch > 1)
        {
            written = written with { Steps = written.Steps | GemmSteps.Stacked };
        }

        if (plan.OfTerms)
        {
            written = written with { Steps = written.Steps | GemmSteps.TwoTerms };
        }

        GemmVariant variant = new(tile, storage, widthA, widthB, written);
        for (int first = 0; first < problem.Batch; first += most)
        {
            int count = Math.Min(most, problem.Batch - first);
            Stack stack = new(first, count, problem.Inner);
            arguments.A = stack.Bytes(operands.A, problem.StrideA, problem.InnerStrideA, problem.LeadingA, problem.TransposeA ? problem.K : problem.M, problem.TransposeA ? problem.M : problem.K, bytes);
            arguments.B = stack.Bytes(operands.B, problem.StrideB, problem.InnerStrideB, problem.LeadingB, problem.TransposeB ? problem.N : problem.K, problem.TransposeB ? problem.K : problem.N, bytes);
            arguments.C = stack.Result<TWord>(operands.C, problem);
            arguments.Pre = operands.Pre != 0 ? stack.Result<TWord>(operands.Pre, problem) : default;
            if (plan.Warpgroups)
            {
                arguments.Products = count;
                int groups = plan.Groups > 0 ? plan.Groups : accelerator.Limits.Multiprocessors;
                WarpgroupLaunch.Run<TWord, TFormat>(
                    accelerator, problem, operands.A + (nint)(first * problem.StrideA * bytes), operands.B + (nint)(first * problem.StrideB * bytes), groups, arguments, variant);
            }
            else
            {
                accelerator.Launch(kernel, new LaunchShape(new Index3(arguments.TilesM * arguments.TilesN, parts, count), tile.Threads), arguments, variant);
            }

            if (parts > 1)
            {
                int groups = (int)((((long)problem.M * (pitch / 4)) + SplitSum.Threads - 1) / SplitSum.Threads);
                accelerator.Launch(SumKernel<TWord, TFormat>.Value, new LaunchShape(new Index3(groups, 1, count), SplitSum.Threads), arguments, output);
            }
        }

        if (parts > 1)
        {
            accelerator.Free(workspace);
        }
    }

    // The widest copy that the operand's address, rows, stack and inner extent are multiples of. Turning copies are of single floats.
    private static int Width(GemmPrecision precision, nint address, long leading, long stride, long inner, bool depthInner)
    {
        int bytes = precision.ElementBytes();
        long all = (long)address | (leading * bytes) | (stride * bytes) | (inner * bytes);
        if (precision == GemmPrecision.Float32 && depthInner)
        {
            return 4;
        }

        return (all & 15) == 0 ? 16 : (all & 3) == 0 ? 4 : 2;
    }

    private static int Pieces(int leading, int bytes, int width) => (int)((long)leading * bytes / width);

    private static GemmSteps Steps<TWord>(in GemmProblem problem, in GemmOperands operands)
        where TWord : unmanaged
    {
        bool float32Bias = problem.Float32Bias && problem.Output != DType.Float32;
        GemmSteps steps = (problem.Accumulate ? GemmSteps.Accumulate : GemmSteps.None) | (problem.Inner > 1 ? GemmSteps.Nested : GemmSteps.None);
        if (operands.Bias != 0)
        {
            steps |= float32Bias ? GemmSteps.Float32Bias : GemmSteps.Bias;
        }

        if (operands.Pre != 0)
        {
            steps |= GemmSteps.Pre;
        }

        long elements = (uint)problem.N | (uint)problem.LeadingC | problem.StrideC | problem.InnerStrideC;
        long addresses = (long)operands.C | operands.Pre;
        int bias = 4 * (float32Bias ? sizeof(float) : sizeof(TWord));
        return (elements & 3) == 0 && addresses % (4 * sizeof(TWord)) == 0 && operands.Bias % bias == 0 ? steps | GemmSteps.Vector : steps;
    }

    private static void Check(in GemmProblem problem, in GemmOperands operands, GemmPlan plan)
    {
        if (problem.M < 0 || problem.N < 0 || problem.K < 0 || problem.Batch < 0 || problem.K > 1 << 30)
        {
            throw new CaldException($"matrix product: extents {problem.M} × {problem.N} × {problem.K}, stack of {problem.Batch}; extents are 0 or more, the length of the sums at most {1 << 30:N0}");
        }

        if (problem.Inner < 1 || problem.Inner > MostAlongZ || problem.Batch % problem.Inner != 0 || (problem.Inner > 1 && plan.Warpgroups))
        {
            throw new CaldException($"matrix product: a stack of {problem.Batch} products in inner stacks of {problem.Inner}; these are from 1 to {MostAlongZ}, divide the whole stack, and do not run on warpgroups");
        }

        CheckLeading("A", problem.LeadingA, problem.Overlapping ? 1 : problem.TransposeA ? problem.M : problem.K);
        CheckLeading("B", problem.LeadingB, problem.Overlapping ? 1 : problem.TransposeB ? problem.K : problem.N);
        CheckLeading("C", problem.LeadingC, problem.N);
        if ((((long)operands.A | operands.B) & (problem.Precision.ElementBytes() - 1)) != 0)
        {
            throw new CaldException("matrix product: an operand's address is not a multiple of its element's size");
        }

        long tiles = (((long)problem.M + plan.Tile.M - 1) / plan.Tile.M) * (((long)problem.N + plan.Tile.N - 1) / plan.Tile.N);
        if (tiles > int.MaxValue)
        {
            throw new CaldException($"matrix product: a result of {problem.M:N0} × {problem.N:N0} has {tiles:N0} blocks; the most is {int.MaxValue:N0}: split it");
        }
    }

    // Offsets within a block are 32-bit.
    private static void CheckLeading(string name, int leading, int inner)
    {
        if (leading < inner || leading > 1 << 21)
        {
            throw new CaldException($"matrix product: leading dimension {leading:N0} of {name}, whose rows have {inner:N0} elements; it is at least that, and at most {1 << 21:N0}");
        }
    }

    // Offsets along k are 32-bit counts of copies: 32 GiB of a matrix copied 16 bytes at a time.
    private static void CheckOffsets(string name, bool depthOuter, long k, int leading, int bytes, int width)
    {
        long pieces = (depthOuter ? k + 1024 : 1024) * Pieces(leading, bytes, width);
        if (pieces > int.MaxValue)
        {
            throw new CaldException($"matrix product: {name} has {k:N0} rows of {leading:N0} elements that can be copied {width} bytes at a time, {pieces:N0} copies; the most is {int.MaxValue:N0}: align its rows to 16 bytes or split the sums");
        }
    }

    /// <summary>The products of one launch, whole inner stacks: where their operands lie.</summary>
    private readonly record struct Stack(int First, int Count, int Inner)
    {
        public ReadOnlyView<byte> Bytes(nint address, long stride, long innerStride, long leading, long rows, long columns, int bytes)
        {
            long length = rows == 0 || columns == 0 ? 0 : Length(stride, innerStride) + ((rows - 1) * leading) + columns;
            return new ReadOnlyView<byte>((byte*)address + (First / Inner * stride * bytes), length * bytes);
        }

        public View<TWord> Result<TWord>(nint address, in GemmProblem problem)
            where TWord : unmanaged =>
            new((TWord*)address + (First / Inner * problem.StrideC), Length(problem.StrideC, problem.InnerStrideC) + ((problem.M - 1L) * problem.LeadingC) + problem.N);

        private long Length(long stride, long innerStride) => (((Count / Inner) - 1) * stride) + ((Inner - 1) * innerStride);
    }

    private static class SimtKernel<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Value = Kernel.Of(SimtGemm.Run<TWord, TFormat>);
    }

    private static class TensorKernel<TOperand, TWord, TFormat>
        where TOperand : struct, IMatrixOperand
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Value = Kernel.Of(TensorCoreGemm.Run<TOperand, TWord, TFormat>);
    }

    private static class SumKernel<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Value = Kernel.Of(SplitSum.Run<TWord, TFormat>);
    }
}
