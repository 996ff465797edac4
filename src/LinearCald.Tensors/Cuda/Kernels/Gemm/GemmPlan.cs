using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>How a product is cut: block of C a group, and parts along k.</summary>
/// <param name="Tile">Block of C.</param>
/// <param name="Parts">Parts along k, summed in order by a second pass; 1 for none.</param>
internal readonly record struct GemmPlan(GemmTile Tile, int Parts)
{
    /// <summary>On warpgroups (<see cref="WarpgroupGemm"/>), with one of <see cref="WarpgroupTiles"/>.</summary>
    public bool Warpgroups { get; init; }

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

    // Two-byte operands; rates are of 1024 multiply-adds a cycle, of which mma.sync reaches 640. 128 × 256: the fewest bytes from the second-level cache a result, one group fills a
    // multiprocessor (three stages where shared memory ends at 160 KiB). 128 × 128: two groups hide each other's barriers. 64 × 128 and 64 × 64: for outputs that would
    // leave multiprocessors idle; their warps are 32 wide and read more fragments a product.
    private static readonly Candidate[] s_tensor =
    [
        new(new GemmTile(128, 256, 2, 4, 4), 1, 560, 560),
        new(new GemmTile(128, 256, 2, 4, 3), 1, 550, 550),
        new(new GemmTile(128, 128, 2, 2, 3), 2, 380, 540),
        new(new GemmTile(64, 128, 2, 2, 4), 2, 300, 430),
        new(new GemmTile(64, 64, 2, 2, 4), 3, 170, 330),
    ];

    // 128 FMA a cycle. Threads have 8 × 8 results in each; only the number of warps and the bytes a result differ.
    private static readonly Candidate[] s_simt =
    [
        new(new GemmTile(128, 128, 4, 2, 3), 2, 75, 100),
        new(new GemmTile(128, 64, 4, 1, 3), 4, 55, 92),
        new(new GemmTile(64, 64, 2, 1, 3), 8, 30, 85),
    ];

    // Two-byte operands on warpgroups, which do not share a multiprocessor. Smaller blocks take more bytes from the second-level cache a product; those of 192 columns are there
    // because 4096 × 768 results are 128 of them, one on each multiprocessor.
    private static readonly Candidate[] s_warpgroups =
    [
        new(WarpgroupTiles[0], 1, 840, 840),
        new(WarpgroupTiles[1], 1, 800, 800),
        new(WarpgroupTiles[2], 1, 700, 700),
    ];

    /// <summary>Cycles in which a column of a block's results is written by warpgroups, which do nothing else then.</summary>
    private const double ColumnCycles = 14;

    /// <summary>Cycles that a group spends outside its loop: the first blocks' way from memory and the result's way back.</summary>
    private const double GroupCycles = 3500;

    /// <summary>Cycles that a second pass costs at the least: a launch.</summary>
    private const double PassCycles = 5000;

    /// <summary>Bytes a cycle of the second-level cache, which holds most workspaces.</summary>
    private const double CacheBytes = 2000;

    /// <summary>A split must promise a tenth: it takes a workspace, and groups do not really run in whole waves.</summary>
    private const double SplitReserve = 1.1;

    /// <summary>Elements of k in one block.</summary>
    public static int Depth(GemmPrecision precision) =>
        precision == GemmPrecision.Float32 ? SimtGemm.Depth : TensorCoreGemm.DepthBytes / precision.ElementBytes();

    /// <summary>
    /// The cheapest cut by a model of whole waves: every multiprocessor gets ⌈groups / multiprocessors⌉ groups, which share its throughput; a second pass moves
    /// each part twice. Parts are tried while each keeps at least four blocks of k.
    /// </summary>
    /// <param name="problem">The product.</param>
    /// <param name="limits">Of the device.</param>
    /// <param name="aligned">Whether the operands' addresses are multiples of 16, without which there are no warpgroups.</param>
    public static GemmPlan For(in GemmProblem problem, DeviceLimits limits, bool aligned = true)
    {
        (GemmPlan best, double least) = Cheapest(problem, limits, problem.Precision == GemmPrecision.Float32 ? s_simt : s_tensor, false);
        if (!aligned || !WarpgroupLaunch.Takes(problem, limits))
        {
            return best;
        }

        (GemmPlan plan, double cycles) = Cheapest(problem, limits, s_warpgroups, true);
        return cycles < least ? plan : best;
    }

    private static (GemmPlan Plan, double Cycles) Cheapest(in GemmProblem problem, DeviceLimits limits, Candidate[] candidates, bool warpgroups)
    {
        int depth = Depth(problem.Precision);
        long blocks = ((long)problem.K + depth - 1) / depth;
        double rate = problem.Precision == GemmPrecision.TensorFloat32 ? 0.5 : 1;

        // Warpgroups compute a stack product by product.
        int launches = warpgroups ? problem.Batch : 1;
        int together = problem.Batch / Math.Max(1, launches);
        GemmPlan best = default;
        double least = double.PositiveInfinity;
        foreach (Candidate candidate in candidates)
        {
            GemmTile tile = candidate.Tile;
            if ((warpgroups ? WarpgroupGemm.SharedBytes(tile) : SharedBytes(problem.Precision, tile)) > limits.GroupSharedBytes)
            {
                continue;
            }

            double groups = Math.Ceiling((double)problem.M / tile.M) * Math.Ceiling((double)problem.N / tile.N) * together;
            for (int parts = 1; parts <= 64 && (parts == 1 || blocks / parts >= 4); parts++)
            {
                long partBlocks = (blocks + parts - 1) / parts;
                double each = Math.Ceiling(groups * parts / limits.Multiprocessors);
                double share = Math.Min(1, (each - 1) / Math.Max(1, candidate.Resident - 1));
                double throughput = (candidate.Alone + ((candidate.Full - candidate.Alone) * share)) * rate;
                double outside = warpgroups ? GroupCycles + (ColumnCycles * tile.N * each) : GroupCycles * Math.Ceiling(each / candidate.Resident);
                double cycles = (each * tile.M * tile.N * depth * partBlocks / throughput) + outside;
                if (parts > 1)
                {
                    cycles = (cycles + PassCycles + (8.0 * problem.M * problem.N * together * parts / CacheBytes)) * SplitReserve;
                }

                if (cycles * launches < least)
                {
                    least = cycles * launches;
                    best = new GemmPlan(tile, parts) { Warpgroups = warpgroups };
                }
            }
        }

        return (best, least);
    }

    /// <summary>Shared memory that a group needs.</summary>
    public static int SharedBytes(GemmPrecision precision, GemmTile tile) =>
        precision == GemmPrecision.Float32 ? SimtGemm.SharedBytes(tile) : TensorCoreGemm.SharedBytes(tile);

    /// <summary>Blocks of C that the table knows for a precision, largest first.</summary>
    public static IEnumerable<GemmTile> Tiles(GemmPrecision precision) => (precision == GemmPrecision.Float32 ? s_simt : s_tensor).Select(c => c.Tile);
}
