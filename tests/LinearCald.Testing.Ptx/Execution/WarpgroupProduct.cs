using LinearCald.Testing.Ptx.Numbers;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Execution;

/// <summary>The warpgroup products of a warp that have started and not ended.</summary>
internal sealed class WarpgroupProducts
{
    public List<Action> Open { get; set; } = [];

    public Queue<List<Action>> Groups { get; } = new();

    /// <summary>Accumulator registers → products in flight that write them.</summary>
    public Dictionary<int, int> InFlight { get; } = [];
}

/// <summary>wgmma.fence, wgmma.commit_group, wgmma.wait_group.</summary>
/// <param name="remaining">Groups that may still run; −1 for commit, −2 for the fence.</param>
internal sealed class WarpgroupGroups(int remaining) : WholeWarp
{
    protected override void Run(Warp warp)
    {
        WarpgroupProducts products = warp.Products ??= new WarpgroupProducts();
        if (remaining == -1)
        {
            products.Groups.Enqueue(products.Open);
            products.Open = [];
        }

        while (remaining >= 0 && products.Groups.Count > remaining)
        {
            foreach (Action product in products.Groups.Dequeue())
            {
                product();
            }
        }
    }
}

/// <summary>Where the elements of a shared operand lie (PTX ISA "Matrix-descriptor format").</summary>
internal readonly record struct MatrixDescriptor(ulong Bits, int ElementBytes, bool IsTransposed)
{
    /// <summary>Address of an element: its index along M or N, and along K.</summary>
    public ulong Address(int row, int k)
    {
        ulong start = (Bits & 0x3FFF) << 4;
        ulong leading = ((Bits >> 16) & 0x3FFF) << 4;
        ulong stride = ((Bits >> 32) & 0x3FFF) << 4;
        int code = (int)(Bits >> 62);
        int span = code switch { 1 => 128, 2 => 64, 3 => 32, _ => 16 };
        ulong r = (ulong)row;
        ulong column = (ulong)k;
        ulong size = (ulong)ElementBytes;
        ulong width = (ulong)span / size;
        ulong address = (IsTransposed, code) switch
        {
            (false, 0) => start + (r / 8 * stride) + (column / width * leading) + (r % 8 * 16) + (column % width * size),
            (false, _) => start + (r / 8 * stride) + (r % 8 * (ulong)span) + (column * size),
            (true, 0) => start + (column / 8 * leading) + (r / width * stride) + (column % 8 * 16) + (r % width * size),
            _ => start + (r / width * leading) + (column / 8 * stride) + (column % 8 * (ulong)span) + (r % width * size),
        };
        ulong mask = code switch { 1 => 7UL, 2 => 3, 3 => 1, _ => 0 };
        return address ^ (((address >> 7) & mask) << 4);
    }
}

/// <summary>
/// wgmma.mma_async: each warp computes its 16 of the 64 rows, when it waits for the product's group; until then its accumulators have no value. The sum runs
/// upwards in k in float32.
/// </summary>
internal sealed class WarpgroupProduct : WholeWarp
{
    public required PtxType Element { get; init; }

    public required int Columns { get; init; }

    public required int[] Accumulators { get; init; }

    /// <summary>One register that holds a descriptor, or four that hold rows.</summary>
    public required int[] Left { get; init; }

    public required int Right { get; init; }

    /// <summary>Predicate: whether to add to the accumulators.</summary>
    public required int Adds { get; init; }

    public required int LeftSign { get; init; }

    public required int RightSign { get; init; }

    public required bool IsLeftTransposed { get; init; }

    public required bool IsRightTransposed { get; init; }

    private int Bytes => Element.Kind == TypeKind.TensorFloat ? 4 : 2;

    private int Depth => 32 / Bytes;

    protected override void Run(Warp warp)
    {
        if ((warp.Index / 4 * 4) + 4 > warp.Group.Warps.Length)
        {
            throw warp.Error(0, this, "needs a whole warpgroup: four warps, the first of them a multiple of four");
        }

        WarpgroupProducts products = warp.Products ??= new WarpgroupProducts();
        warp.Require(this, Right, uint.MaxValue);
        warp.Require(this, Adds, uint.MaxValue);
        ulong[][] left = new ulong[Left.Length][];
        for (int i = 0; i < Left.Length; i++)
        {
            warp.Require(this, Left[i], uint.MaxValue);
            left[i] = warp.Registers.AsSpan(Left[i] * 32, 32).ToArray();
        }

        ulong right = warp.Registers[Right * 32];
        bool adds = warp.Registers[Adds * 32] != 0;
        foreach (int register in Accumulators)
        {
            int flying = products.InFlight.GetValueOrDefault(register);
            if (adds && flying == 0)
            {
                warp.Require(this, register, uint.MaxValue);
            }

            products.InFlight[register] = flying + 1;
            warp.Written[register] = 0;
        }

        products.Open.Add(() => Finish(warp, products, left, right, adds));
    }

    private void Finish(Warp warp, WarpgroupProducts products, ulong[][] left, ulong right, bool adds)
    {
        int firstRow = warp.Index % 4 * 16;
        float[] a = new float[16 * Depth];
        float[] b = new float[Depth * Columns];
        if (Left.Length == 1)
        {
            MatrixDescriptor descriptor = new(left[0][0], Bytes, IsLeftTransposed);
            for (int i = 0; i < a.Length; i++)
            {
                a[i] = LeftSign * Shared(warp, descriptor.Address(firstRow + (i / Depth), i % Depth));
            }
        }
        else
        {
            for (int lane = 0; lane < 32; lane++)
            {
                for (int i = 0; i < 4; i++)
                {
                    int row = (lane / 4) + (8 * (i & 1));
                    for (int part = 0; part < 4 / Bytes; part++)
                    {
                        int k = Bytes == 4 ? (lane % 4) + (4 * (i >> 1)) : (8 * (i >> 1)) + (2 * (lane % 4)) + part;
                        a[(row * Depth) + k] = LeftSign * Value(left[i][lane] >> (16 * part));
                    }
                }
            }
        }

        MatrixDescriptor columns = new(right, Bytes, IsRightTransposed);
        for (int n = 0; n < Columns; n++)
        {
            for (int k = 0; k < Depth; k++)
            {
                b[(n * Depth) + k] = RightSign * Shared(warp, columns.Address(n, k));
            }
        }

        for (int i = 0; i < Accumulators.Length; i++)
        {
            int register = Accumulators[i];
            for (int lane = 0; lane < 32; lane++)
            {
                int row = (lane / 4) + (8 * ((i >> 1) & 1));
                int column = (8 * (i >> 2)) + (2 * (lane % 4)) + (i & 1);
                float sum = adds ? Raw.Single(warp.Registers[(register * 32) + lane]) : 0;
                for (int k = 0; k < Depth; k++)
                {
                    sum += a[(row * Depth) + k] * b[(column * Depth) + k];
                }

                warp.Registers[(register * 32) + lane] = Raw.Of(sum);
            }

            if (--products.InFlight[register] == 0)
            {
                warp.Written[register] = uint.MaxValue;
            }
        }
    }

    private unsafe float Shared(Warp warp, ulong address)
    {
        if (warp.Group.Launch.Code.Shared.Find(address, Bytes) is null)
        {
            throw warp.Error(0, this, $"reads {warp.Group.Launch.Code.Shared.Name(address)}: out of bounds");
        }

        warp.Group.Shared.Read(warp, 0, address, Bytes, this, false);
        byte* at = warp.Group.Shared.At(address);
        return Value(Bytes == 4 ? *(uint*)at : *(ushort*)at);
    }

    private float Value(ulong word) => Element.Kind switch
    {
        TypeKind.TensorFloat => Raw.Single(word & 0xFFFFE000),
        TypeKind.BrainFloat => Raw.Brain(word & 0xFFFF),
        _ => Raw.Half(word & 0xFFFF),
    };
}
