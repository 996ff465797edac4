using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>How a product is cut: block of C a group, and parts along k.</summary>
/// <param name="Tile">Block of C.</param>
/// <param name="Parts">Parts along k, summed in order by a second pass; 1 for none.</param>
internal readonly record struct GemmPlan(GemmTile Tile, int Parts)
{
    /// <summary>On warpgroups (<see cref="WarpgroupGemm"/>), with one of <see cref="WarpgroupTiles"/>.</summary>
    public bool Warpgroups { get; init; }

    /// <summary>Operands are bfloat16 terms as <see cref="TermSplit"/> leaves them: set where these are made.</summary>
    public bool OfTerms { get; init; }

    /// <summary>Groups on warpgroups at most, each for any number of blocks; 0 for one on each multiprocessor.</summary>
    public int Groups { get; init; }

    /// <summary>Blocks of C for warpgroups, with as many stages as shared memory holds.</summary>
    public static IReadOnlyList<GemmTile> WarpgroupTiles { get; } = [new(128, 256, 2, 4, 4), new(128, 192, 2, 4, 5), new(128, 128, 2, 4, 6)];

    /// <summary>One row of the selection table.</summary>
    /// <param name="Tile">Block of C.</param>
    /// <param name="Resident">Groups that fit on one multiprocessor.</param>
    /// <param name="Alone">Throughput of one group alone on a multiprocessor, in multiply-adds a cycle.</param>
    /// <param name="Full">Throughput of a multiprocessor with all the groups it can hold.</param>
    private readonly record struct Candidate(GemmTile Tile, int Resident, double Alone, double Full);

    // All numbers are of an H100 SXM at its base clock of 1.755 GHz, fitted to measured products (GemmCalibrationTests); other devices share the proportions.
    // Two-byte operands, of 2048 multiply-adds a cycle that the tensor cores have; mma.sync reaches 1280. 128 × 256: the fewest bytes from the second-level cache a result, one
    // group fills a multiprocessor (three stages where shared memory ends at 160 KiB). 128 × 128: two groups hide each other's barriers. 64 × 128 and 64 × 64: for outputs that
    // would leave multiprocessors idle; their warps are 32 wide and read more fragments a product, and two groups of 64 × 128 are no faster than one after the other.
    private static readonly Candidate[] s_twoBytes =
    [
        new(new GemmTile(128, 256, 2, 4, 4), 1, 1140, 1140),
        new(new GemmTile(128, 256, 2, 4, 3), 1, 1120, 1120),
        new(new GemmTile(128, 128, 2, 2, 3), 2, 760, 1080),
        new(new GemmTile(64, 128, 2, 2, 4), 2, 700, 700),
        new(new GemmTile(64, 64, 2, 2, 4), 3, 450, 660),
    ];

    // tf32, of 1024 multiply-adds a cycle, on mma.sync, which every fragment is rounded for.
    private static readonly Candidate[] s_tensorFloat32 =
    [
        new(new GemmTile(128, 256, 2, 4, 4), 1, 490, 490),
        new(new GemmTile(128, 256, 2, 4, 3), 1, 488, 488),
        new(new GemmTile(128, 128, 2, 2, 3), 2, 443, 473),
        new(new GemmTile(64, 128, 2, 2, 4), 2, 329, 336),
        new(new GemmTile(64, 64, 2, 2, 4), 3, 282, 323),
    ];

    // Operands of two bfloat16 terms: rounding and subtracting cost as much as the products, so small blocks lose little.
    private static readonly Candidate[] s_twoTerms =
    [
        new(new GemmTile(128, 256, 2, 4, 4), 1, 235, 235),
        new(new GemmTile(128, 256, 2, 4, 3), 1, 235, 235),
        new(new GemmTile(128, 128, 2, 2, 3), 2, 230, 240),
        new(new GemmTile(128, 64, 2, 2, 4), 2, 200, 218),
        new(new GemmTile(64, 128, 2, 2, 4), 2, 172, 203),
        new(new GemmTile(64, 64, 2, 2, 4), 3, 155, 193),
    ];

    // 128 FMA a cycle. Threads have 8 × 8 results in each; only the number of warps and the bytes a result differ.
    private static readonly Candidate[] s_simt =
    [
        new(new GemmTile(128, 128, 4, 2, 4), 2, 75, 103),
        new(new GemmTile(128, 64, 4, 1, 3), 4, 55, 92),
        new(new GemmTile(64, 64, 2, 1, 3), 8, 30, 85),
    ];

    // Two-byte operands on warpgroups, which do not share a multiprocessor. Smaller blocks take more bytes from the second-level cache a product; those of 192 columns are there
    // because 4096 × 768 results are 128 of them, one on each multiprocessor.
    private static readonly Candidate[] s_warpgroups =
    [
        new(WarpgroupTiles[0], 1, 1850, 1850),
        new(WarpgroupTiles[1], 1, 1800, 1800),
        new(WarpgroupTiles[2], 1, 1745, 1745),
    ];

    private static readonly Candidate[] s_warpgroupsTensorFloat32 =
    [
        new(WarpgroupTiles[0], 1, 1000, 1000),
        new(WarpgroupTiles[1], 1, 978, 978),
        new(WarpgroupTiles[2], 1, 890, 890),
    ];

    private static readonly Candidate[] s_warpgroupsTwoTerms =
    [
        new(WarpgroupTiles[0], 1, 518, 518),
        new(WarpgroupTiles[1], 1, 511, 511),
        new(WarpgroupTiles[2], 1, 501, 501),
    ];

    /// <summary>Cycles from the start of a group to its first product, and from its last one to the next launch: once for warpgroups, whose groups go on from block to block.</summary>
    private const double GroupCycles = 4200;

    /// <summary>Bytes a cycle in which a multiprocessor writes results when all do; nothing is multiplied meanwhile. Old values are read before and cost no time of their own.</summary>
    private const double ResultBytes = 18;

    /// <summary>Cycles that a second pass costs at the least: a launch.</summary>
    private const double PassCycles = 2500;

    /// <summary>Bytes a cycle that the second pass reads and writes, on all multiprocessors together: about what device memory gives.</summary>
    private const double PassBytes = 2100;

    /// <summary>Cycles that copying an operand along k, or as terms, costs at the least.</summary>
    private const double TurningCycles = 5500;

    /// <summary>Bytes a cycle that such a copy reads and writes.</summary>
    private const double TurningBytes = 1750;

    /// <summary>Parts must promise a tenth: they take a workspace, and groups do not really run in whole waves.</summary>
    private const double Reserve = 1.1;

    /// <summary>Elements of k in one block.</summary>
    public static int Depth(GemmPrecision precision) =>
        precision == GemmPrecision.Float32 ? SimtGemm.Depth : TensorCoreGemm.DepthBytes / precision.ElementBytes();

    /// <summary>The cheapest cut by <see cref="Cycles"/>. Parts are tried while each keeps at least four blocks of k.</summary>
    /// <param name="problem">The product.</param>
    /// <param name="limits">Of the device.</param>
    /// <param name="aligned">Whether the operands' addresses are multiples of 16, without which there are no warpgroups.</param>
    public static GemmPlan For(in GemmProblem problem, DeviceLimits limits, bool aligned = true)
    {
        (GemmPlan best, double least) = Cheapest(problem, limits, warpgroups: false);
        if (!aligned || !WarpgroupLaunch.Takes(problem, limits))
        {
            return best;
        }

        (GemmPlan plan, double cycles) = Cheapest(problem, limits, warpgroups: true);
        return cycles < least ? plan : best;
    }

    /// <summary>
    /// Cycles that a product takes by a model of whole waves: every multiprocessor gets ⌈groups / multiprocessors⌉ groups, which share its throughput, and each group's results
    /// are written when it has them all. Parts are written in float32, and read again by a second pass.
    /// </summary>
    /// <param name="problem">The product.</param>
    /// <param name="limits">Of the device.</param>
    /// <param name="plan">How it is cut, with a tile of the table.</param>
    public static double Cycles(in GemmProblem problem, DeviceLimits limits, GemmPlan plan) =>
        Waves(problem, limits, Candidates(problem.Precision, plan.Warpgroups).First(c => c.Tile == plan.Tile), plan);

    private static (GemmPlan Plan, double Cycles) Cheapest(in GemmProblem problem, DeviceLimits limits, bool warpgroups)
    {
        long blocks = Blocks(problem);
        GemmPlan best = default;
        double least = double.PositiveInfinity;
        foreach (Candidate candidate in Candidates(problem.Precision, warpgroups))
        {
            if ((warpgroups ? WarpgroupGemm.SharedBytes(candidate.Tile) : SharedBytes(problem.Precision, candidate.Tile)) > limits.GroupSharedBytes)
            {
                continue;
            }

            for (int parts = 1; parts <= 64 && (parts == 1 || blocks / parts >= 4); parts++)
            {
                GemmPlan plan = new(candidate.Tile, parts) { Warpgroups = warpgroups };
                double cycles = Waves(problem, limits, candidate, plan) * (parts > 1 ? Reserve : 1);
                if (cycles < least)
                {
                    least = cycles;
                    best = plan;
                }
            }
        }

        return (best, least);
    }

    private static double Waves(in GemmProblem problem, DeviceLimits limits, in Candidate candidate, GemmPlan plan)
    {
        GemmTile tile = candidate.Tile;
        long blocks = Blocks(problem), partBlocks = Math.Max(1, (blocks + plan.Parts - 1) / plan.Parts), parts = Math.Max(1, (blocks + partBlocks - 1) / partBlocks);
        double groups = Math.Ceiling((double)problem.M / tile.M) * Math.Ceiling((double)problem.N / tile.N) * problem.Batch;
        double each = Math.Ceiling(groups * parts / limits.Multiprocessors);
        double share = Math.Min(1, (each - 1) / Math.Max(1, candidate.Resident - 1));
        double throughput = candidate.Alone + ((candidate.Full - candidate.Alone) * share);
        double products = (double)tile.M * tile.N * Depth(problem.Precision) * partBlocks / throughput;
        int bytes = problem.Output.Size();
        double results = Math.Min(tile.M, problem.M) * (double)Math.Min(tile.N, problem.N) * (parts > 1 ? sizeof(float) : bytes) / ResultBytes;
        double cycles = (each * (products + results)) + (GroupCycles * (plan.Warpgroups ? 1 : Math.Ceiling(each / candidate.Resident)));
        if (parts > 1)
        {
            double passed = (sizeof(float) * parts) + (bytes * (problem.Accumulate ? 2 : 1));
            cycles += PassCycles + ((double)problem.M * problem.N * problem.Batch * passed / PassBytes);
        }

        if (plan.Warpgroups && problem.Precision == GemmPrecision.TwoBFloat16)
        {
            cycles += Turning(1, 1, WarpgroupLaunch.ElementsA(problem)) + Turning(1, 1, WarpgroupLaunch.ElementsB(problem));
        }
        else if (plan.Warpgroups)
        {
            cycles += WarpgroupLaunch.TurnsA(problem) ? Turning(problem.M, problem.K, problem.StrideA == 0 ? 1 : problem.Batch) : 0;
            cycles += WarpgroupLaunch.TurnsB(problem) ? Turning(problem.N, problem.K, problem.StrideB == 0 ? 1 : problem.Batch) : 0;
        }

        return cycles;
    }

    /// <summary>Cycles in which operands are copied along k, or as terms.</summary>
    private static double Turning(int extent, int k, long count) => TurningCycles + (2.0 * sizeof(float) * extent * k * count / TurningBytes);

    private static Candidate[] Candidates(GemmPrecision precision, bool warpgroups) => (precision, warpgroups) switch
    {
        (GemmPrecision.TensorFloat32, true) => s_warpgroupsTensorFloat32,
        (GemmPrecision.TwoBFloat16, true) => s_warpgroupsTwoTerms,
        (_, true) => s_warpgroups,
        (GemmPrecision.Float32, _) => s_simt,
        (GemmPrecision.TensorFloat32, _) => s_tensorFloat32,
        (GemmPrecision.TwoBFloat16, _) => s_twoTerms,
        _ => s_twoBytes,
    };

    private static long Blocks(in GemmProblem problem)
    {
        int depth = Depth(problem.Precision);
        return ((long)problem.K + depth - 1) / depth;
    }

    /// <summary>Shared memory that a group needs.</summary>
    public static int SharedBytes(GemmPrecision precision, GemmTile tile) =>
        precision == GemmPrecision.Float32 ? SimtGemm.SharedBytes(tile) : TensorCoreGemm.SharedBytes(tile);

    /// <summary>Blocks of C that the table knows for a precision, largest first.</summary>
    public static IEnumerable<GemmTile> Tiles(GemmPrecision precision) => Candidates(precision, false).Select(c => c.Tile);
}
