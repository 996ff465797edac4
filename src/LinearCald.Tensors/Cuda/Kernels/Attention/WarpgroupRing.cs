using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Stages of blocks of rows of a head, in shared memory, with two barriers each: <c>full</c> counts the bytes that have come, <c>empty</c> the warps that are done with the block.
/// Block i lies in stage i mod their number; a block may be one tile or several of different tensors.
/// </summary>
internal struct WarpgroupRing
{
    /// <summary>Columns of a box: 128 bytes.</summary>
    public const int BoxColumns = 64;

    /// <summary>Bytes of a row of a box.</summary>
    public const int BoxRowBytes = 128;

    /// <summary>The first stage's tiles.</summary>
    public Shared<byte> Tiles;
    private Mbarrier _full;
    private Mbarrier _empty;
    private int _rows;
    private int _boxes;
    private int _tiles;
    private int _moreBytes;
    private int _stageBits;

    /// <summary>Blocks in shared memory at once.</summary>
    public readonly int Stages => 1 << _stageBits;

    /// <summary>
    /// Blocks of a walk with one ring that are on their way or there when a step begins, the step's own among them; the stages left are those of steps that slower warpgroups may
    /// be at.
    /// </summary>
    public readonly int Ahead => Stages / 2;

    /// <summary>Bytes of a tile.</summary>
    public readonly int TileBytes => _boxes * _rows * BoxRowBytes;

    /// <summary>All integers are known to the compiler.</summary>
    /// <param name="stageBits">Binary logarithm of the number of stages.</param>
    /// <param name="rows">Rows of a tile.</param>
    /// <param name="boxes">Boxes of 64 columns of a tile.</param>
    /// <param name="tiles">Tiles of a block.</param>
    /// <param name="moreBytes">Bytes that come with a block and lie elsewhere.</param>
    public static WarpgroupRing Allocate(int stageBits, int rows, int boxes, int tiles = 1, int moreBytes = 0) => new()
    {
        Tiles = Shared.Allocate<byte>((tiles << stageBits) * boxes * rows * BoxRowBytes, 1024),
        _full = Mbarrier.Allocate(1 << stageBits),
        _empty = Mbarrier.Allocate(1 << stageBits),
        _rows = rows,
        _boxes = boxes,
        _tiles = tiles,
        _moreBytes = moreBytes,
        _stageBits = stageBits,
    };

    /// <summary>The stage of a block.</summary>
    public readonly int StageOf(int index) => index & (Stages - 1);

    /// <summary>By one thread.</summary>
    public readonly void Init()
    {
        for (int s = 0; s < Stages; s++)
        {
            Loop.Unroll();
            _full.At(s).Init(1);
            _empty.At(s).Init(Group.SizeX / Warp.Size);
        }
    }

    /// <summary>Bytes from the first tile of the first stage to one of a block.</summary>
    public readonly int OffsetOf(int index, int tile = 0) => ((StageOf(index) * _tiles) + tile) * TileBytes;

    /// <summary>Waits until the block before this one in its stage is done with (on the first lap there is none) and announces the bytes. By one thread.</summary>
    /// <returns>What hears of them.</returns>
    public readonly Mbarrier Reserve(int index)
    {
        int stage = StageOf(index);
        _empty.At(stage).Wait(((index >> _stageBits) & 1) ^ 1);
        Mbarrier arrived = _full.At(stage);
        arrived.ArriveExpect((_tiles * TileBytes) + _moreBytes);
        return arrived;
    }

    /// <summary>Starts copying one tile of a reserved block. By the same thread.</summary>
    /// <param name="map">Of columns, heads, rows, samples.</param>
    /// <param name="row">First row of the block in the tensor.</param>
    public readonly void Load(in TensorMap map, int index, int tile, int row, int sample, int head, Mbarrier arrived) =>
        WarpgroupTiles.Load(Tiles.From(OffsetOf(index, tile)), map, _boxes, _rows, head, row, sample, arrived);

    /// <summary>Waits until a block is there.</summary>
    public readonly void Wait(int index) => _full.At(StageOf(index)).Wait((index >> _stageBits) & 1);

    /// <summary>Says that a warp is done with a block.</summary>
    public readonly void Release(int index)
    {
        if (Warp.Lane == 0)
        {
            _empty.At(StageOf(index)).Arrive();
        }
    }
}
