using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Copies between element types and between strides. Floor: every byte read once and written once. See <see cref="Copy"/> for which kernel does what.
/// </summary>
internal static class CopyKernels
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>Accesses that a thread has in flight.</summary>
    public const int InFlight = 4;

    /// <summary>Rows and columns of a tile of <see cref="Transpose{TWord}"/>.</summary>
    public const int Tile = 32;

    /// <summary>Threads down a tile.</summary>
    public const int TileThreads = 8;

    /// <summary>
    /// y[i] = x[i] in another type, contiguous. A thread converts packs of 16 / (the wider element's size) elements, so that the wider side moves in
    /// 16-byte accesses and the other in one access a pack as well.
    /// </summary>
    /// <param name="vectors">Whether both addresses allow such accesses; else elements move alone.</param>
    [Kernel(Name = "cast")]
    public static void Cast(View<byte> x, View<byte> y, int count, [Constant] DType from, [Constant] DType to, [Constant] bool vectors)
    {
        int size = ElementConversion.Size(from), target = ElementConversion.Size(to);
        int first = (Grid.IndexX * (Threads * InFlight)) + Group.IndexX;
        if (!vectors)
        {
            for (int k = 0; k < InFlight; k++)
            {
                int i = first + (k * Threads);
                if (i < count)
                {
                    ElementConversion.Store(y, i, target, ElementConversion.Convert(ElementConversion.Load(x, i, size), from, to));
                }
            }

            return;
        }

        int lanes = 16 / (size > target ? size : target);
        int whole = (int)((uint)count / (uint)lanes);
        if (first + ((InFlight - 1) * Threads) < whole)
        {
            Registers<UInt4, N4> loaded = default;
            for (int k = 0; k < InFlight; k++)
            {
                loaded[k] = LoadPack(x, first + (k * Threads), lanes * size);
            }

            for (int k = 0; k < InFlight; k++)
            {
                StorePack(y, first + (k * Threads), lanes * target, ConvertPack(loaded[k], lanes, from, to));
            }
        }
        else
        {
            for (int v = first; v < whole; v += Threads)
            {
                StorePack(y, v, lanes * target, ConvertPack(LoadPack(x, v, lanes * size), lanes, from, to));
            }
        }

        int last = (whole * lanes) + Group.IndexX;
        if (Grid.IndexX == Grid.SizeX - 1 && last < count)
        {
            ElementConversion.Store(y, last, target, ElementConversion.Convert(ElementConversion.Load(x, last, size), from, to));
        }
    }

    /// <summary>y[i] = x[i], contiguous; several words at a time where both addresses allow 16-byte accesses.</summary>
    /// <param name="lanes">Words of an access.</param>
    [Kernel(Name = "copy")]
    public static void Copy<TWord>(View<TWord> x, View<TWord> y, int count, [Constant] int lanes)
        where TWord : unmanaged
    {
        int first = (Grid.IndexX * (Threads * InFlight)) + Group.IndexX;
        if (lanes == 1)
        {
            for (int k = 0; k < InFlight; k++)
            {
                if (first + (k * Threads) < count)
                {
                    y[first + (k * Threads)] = x[first + (k * Threads)];
                }
            }

            return;
        }

        View<UInt4> xs = x.As<UInt4>(), ys = y.As<UInt4>();
        int whole = (int)((uint)count / (uint)lanes);
        if (first + ((InFlight - 1) * Threads) < whole)
        {
            Registers<UInt4, N4> loaded = default;
            for (int k = 0; k < InFlight; k++)
            {
                loaded[k] = xs[first + (k * Threads)];
            }

            for (int k = 0; k < InFlight; k++)
            {
                ys[first + (k * Threads)] = loaded[k];
            }
        }
        else
        {
            for (int v = first; v < whole; v += Threads)
            {
                ys[v] = xs[v];
            }
        }

        int last = (whole * lanes) + Group.IndexX;
        if (Grid.IndexX == Grid.SizeX - 1 && last < count)
        {
            y[last] = x[last];
        }
    }

    /// <summary>y[…] = x[…] for words of 1 to 16 bytes between any strides.</summary>
    [Kernel(Name = "copy_strided")]
    public static void Strided<TWord>(View<TWord> x, View<TWord> y, StridedIndex index, [Constant] int rank)
        where TWord : unmanaged
    {
        int first = (Grid.IndexX * (Threads * InFlight)) + Group.IndexX;
        if (first + ((InFlight - 1) * Threads) < index.Count)
        {
            Registers<TWord, N4> loaded = default;
            Registers<long, N4> targets = default;
            for (int k = 0; k < InFlight; k++)
            {
                index.Offsets(first + (k * Threads), rank, out long source, out long target);
                loaded[k] = x[source];
                targets[k] = target;
            }

            for (int k = 0; k < InFlight; k++)
            {
                y[targets[k]] = loaded[k];
            }
        }
        else
        {
            for (int i = first; i < index.Count; i += Threads)
            {
                index.Offsets(i, rank, out long source, out long target);
                y[target] = x[source];
            }
        }
    }

    /// <summary>The same for single elements with a conversion.</summary>
    [Kernel(Name = "cast_strided")]
    public static void CastStrided(View<byte> x, View<byte> y, StridedIndex index, [Constant] int rank, [Constant] DType from, [Constant] DType to)
    {
        int first = (Grid.IndexX * (Threads * InFlight)) + Group.IndexX;
        for (int k = 0; k < InFlight; k++)
        {
            int i = first + (k * Threads);
            if (i < index.Count)
            {
                index.Offsets(i, rank, out long source, out long target);
                ulong bits = ElementConversion.Load(x, source, ElementConversion.Size(from));
                ElementConversion.Store(y, target, ElementConversion.Size(to), ElementConversion.Convert(bits, from, to));
            }
        }
    }

    /// <summary>
    /// Stacks of matrices with rows and columns exchanged: y[b, r, c] = x[b, r, c] where x is contiguous along r and y along c. A group moves a tile of 32 × 32
    /// through shared memory, whose rows are one element longer than a tile's, so that neither rows nor columns of it share banks.
    /// </summary>
    /// <param name="rows">Extent of r.</param>
    /// <param name="columns">Extent of c.</param>
    /// <param name="xStep">Stride of c in x.</param>
    /// <param name="yStep">Stride of r in y.</param>
    /// <param name="tilesDown">Tiles along r; the grid's x counts them fastest, then those along c; its y counts the stack.</param>
    [Kernel(Name = "transpose")]
    public static void Transpose<TWord>(
        View<TWord> x, View<TWord> y, int rows, int columns, long xStep, long yStep, FastDivisor tilesDown, StridedIndex index, [Constant] int rank)
        where TWord : unmanaged
    {
        Shared<TWord> tile = Shared.Allocate<TWord>(Tile * (Tile + 1));
        int tileColumn = tilesDown.Divide(Grid.IndexX);
        int row = (Grid.IndexX - (tileColumn * tilesDown.Divisor)) * Tile, column = tileColumn * Tile;
        index.Offsets(Grid.IndexY, rank, out long source, out long target);
        int across = Group.IndexX, down = Group.IndexY;
        Registers<TWord, N4> loaded = default;
        for (int k = 0; k < Tile / TileThreads; k++)
        {
            int c = column + down + (k * TileThreads);
            if (c < columns && row + across < rows)
            {
                loaded[k] = x[source + (c * xStep) + (row + across)];
            }
        }

        for (int k = 0; k < Tile / TileThreads; k++)
        {
            int c = column + down + (k * TileThreads);
            if (c < columns && row + across < rows)
            {
                tile[((down + (k * TileThreads)) * (Tile + 1)) + across] = loaded[k];
            }
        }

        Group.Barrier();
        for (int k = 0; k < Tile / TileThreads; k++)
        {
            int r = row + down + (k * TileThreads);
            if (r < rows && column + across < columns)
            {
                y[target + (r * yStep) + (column + across)] = tile[(across * (Tile + 1)) + down + (k * TileThreads)];
            }
        }
    }

    /// <summary>y[i] = word, contiguous; the vector is the word repeated.</summary>
    [Kernel(Name = "fill")]
    public static void Fill<TWord>(View<TWord> y, int count, TWord word, UInt4 vector, [Constant] int lanes)
        where TWord : unmanaged
    {
        int first = (Grid.IndexX * (Threads * InFlight)) + Group.IndexX;
        int whole = 0;
        if (lanes > 1)
        {
            View<UInt4> ys = y.As<UInt4>();
            whole = (int)((uint)count / (uint)lanes);
            for (int k = 0; k < InFlight; k++)
            {
                if (first + (k * Threads) < whole)
                {
                    ys[first + (k * Threads)] = vector;
                }
            }

            int last = (whole * lanes) + Group.IndexX;
            if (Grid.IndexX == Grid.SizeX - 1 && last < count)
            {
                y[last] = word;
            }
        }
        else
        {
            for (int k = 0; k < InFlight; k++)
            {
                if (first + (k * Threads) < count)
                {
                    y[first + (k * Threads)] = word;
                }
            }
        }
    }

    /// <summary>y[…] = word between any strides.</summary>
    [Kernel(Name = "fill_strided")]
    public static void FillStrided<TWord>(View<TWord> y, TWord word, StridedIndex index, [Constant] int rank)
        where TWord : unmanaged
    {
        int first = (Grid.IndexX * (Threads * InFlight)) + Group.IndexX;
        for (int k = 0; k < InFlight; k++)
        {
            int i = first + (k * Threads);
            if (i < index.Count)
            {
                index.Offsets(i, rank, out _, out long target);
                y[target] = word;
            }
        }
    }

    private static UInt4 LoadPack(View<byte> x, int pack, int bytes)
    {
        switch (bytes)
        {
            case 16:
                return x.As<UInt4>()[pack];
            case 8:
                UInt2 pair = x.As<UInt2>()[pack];
                return new UInt4(pair.X, pair.Y, 0, 0);
            case 4:
                return new UInt4(x.As<uint>()[pack], 0, 0, 0);
            default:
                return new UInt4(x.As<ushort>()[pack], 0, 0, 0);
        }
    }

    private static void StorePack(View<byte> y, int pack, int bytes, UInt4 value)
    {
        switch (bytes)
        {
            case 16:
                View<UInt4> y16 = y.As<UInt4>();
                y16[pack] = value;
                break;
            case 8:
                View<UInt2> y8 = y.As<UInt2>();
                y8[pack] = new UInt2(value.X, value.Y);
                break;
            case 4:
                View<uint> y4 = y.As<uint>();
                y4[pack] = value.X;
                break;
            default:
                View<ushort> y2 = y.As<ushort>();
                y2[pack] = (ushort)value.X;
                break;
        }
    }

    private static UInt4 ConvertPack(UInt4 pack, int lanes, DType from, DType to)
    {
        Registers<uint, N4> source = default, target = default;
        source[0] = pack.X;
        source[1] = pack.Y;
        source[2] = pack.Z;
        source[3] = pack.W;
        target.Fill(0u);
        int size = ElementConversion.Size(from), width = ElementConversion.Size(to);
        if (width == 2 && ElementConversion.IsShortFloat(from) && ElementConversion.IsShortFloat(to))
        {
            for (int i = 0; i < lanes; i += 2)
            {
                float low = ElementConversion.ToFloat(Short(source, i * size, size), from), high = ElementConversion.ToFloat(Short(source, (i + 1) * size, size), from);
                target[i / 2] = to == DType.BFloat16 ? Packed.BFloat16(low, high) : Packed.Half(low, high);
            }
        }
        else if (size <= 4 && width <= 4)
        {
            for (int i = 0; i < lanes; i++)
            {
                Put(ref target, i * width, width, ElementConversion.ConvertShort(Short(source, i * size, size), from, to));
            }
        }
        else
        {
            for (int i = 0; i < lanes; i++)
            {
                ulong bits = size == 8 ? source[2 * i] | ((ulong)source[(2 * i) + 1] << 32) : Short(source, i * size, size);
                bits = ElementConversion.Convert(bits, from, to);
                if (width == 8)
                {
                    target[2 * i] = (uint)bits;
                    target[(2 * i) + 1] = (uint)(bits >> 32);
                }
                else
                {
                    Put(ref target, i * width, width, (uint)bits);
                }
            }
        }

        return new UInt4(target[0], target[1], target[2], target[3]);
    }

    /// <summary>The element of at most four bytes at a byte of a pack.</summary>
    private static uint Short(Registers<uint, N4> pack, int at, int size) =>
        size == 4 ? pack[at / 4] : (pack[at / 4] >> (at % 4 * 8)) & ((1u << (size * 8)) - 1u);

    /// <summary>Adds an element of at most four bytes to a pack that is still 0 there.</summary>
    private static void Put(ref Registers<uint, N4> pack, int at, int width, uint bits)
    {
        if (width == 4)
        {
            pack[at / 4] = bits;
        }
        else
        {
            pack[at / 4] = pack[at / 4] | ((bits & ((1u << (width * 8)) - 1u)) << (at % 4 * 8));
        }
    }
}
