namespace LinearCald.Gpu.Tests.Language;

/// <summary>Kernels with barrier objects, tensor copies and warpgroup products, right and wrong.</summary>
internal static class HopperKernels
{
    /// <summary>Rows of a box of <see cref="Boxes"/>.</summary>
    public const int BoxRows = 24;

    /// <summary>Bytes of a box.</summary>
    public const int BoxBytes = BoxRows * 128;

    /// <summary>Words of the box of <see cref="Block"/>: three rows of eight elements of two bytes.</summary>
    public const int BlockWords = 12;

    private const int Stages = 2;

    /// <summary>Copies boxes that start at (x + 40 i, y + 8 i) through a ring of two, and writes each as it lies in shared memory. One warp more than needed brings them.</summary>
    public static void Boxes(TensorMap map, View<uint> y, int x, int row, int count)
    {
        Shared<uint> ring = Shared.Allocate<uint>(Stages * BoxBytes / 4, 1024);
        Mbarrier full = Mbarrier.Allocate(Stages);
        Mbarrier empty = Mbarrier.Allocate(Stages);
        int readers = Group.SizeX - Warp.Size;
        if (Group.Thread == 0)
        {
            for (int s = 0; s < Stages; s++)
            {
                full.At(s).Init(1);
                empty.At(s).Init(readers);
            }

            Mbarrier.FenceInit();
            Tma.Prefetch(map);
        }

        Group.Barrier();
        for (int i = 0; i < count; i++)
        {
            Loop.Keep();
            int stage = i & 1;
            int lap = (i >> 1) & 1;
            if (Group.Thread < readers)
            {
                full.At(stage).Wait(lap);
                for (int j = Group.Thread; j < BoxBytes / 4; j += readers)
                    y[(i * (BoxBytes / 4)) + j] = ring[(stage * (BoxBytes / 4)) + j];

                empty.At(stage).Arrive();
            }
            else if (Warp.Lane == 0)
            {
                empty.At(stage).Wait(lap ^ 1);
                full.At(stage).ArriveExpect(BoxBytes);
                Tma.Load2D(ring.From(stage * (BoxBytes / 4)), map, x + (40 * i), row + (8 * i), full.At(stage));
            }
        }
    }

    /// <summary>
    /// y = x xᵀ for x of 64 × 16, once and then as often as told, the first time of those starting over; operands are written by the threads, in rows of 128 bytes with permuted
    /// chunks, zeros behind the 16.
    /// </summary>
    public static void Square(ReadOnlyView<float> x, View<float> y, int twice)
    {
        Shared<uint> tile = Shared.Allocate<uint>(64 * 32, 1024);
        for (int i = Group.Thread; i < 64 * 32; i += Group.SizeX)
        {
            int row = i >> 5;
            int pair = i & 31;
            uint word = pair < 8 ? Packed.Half(x[(row * 16) + (pair * 2)], x[(row * 16) + (pair * 2) + 1]) : 0;
            tile[(row * 32) + (pair ^ ((row & 7) << 2))] = word;
        }

        Group.FenceProxyAsync();
        Group.Barrier();
        WgmmaOperand operand = WgmmaOperand.AlongK(tile);
        Registers<float, N32> sums = default;
        sums.Fill(5);
        Wgmma.Fence();
        Wgmma.Half(ref sums, operand, operand, false);
        for (int i = 0; i < twice; i++)
        {
            Loop.Keep();
            Wgmma.Half(ref sums, operand, operand, i > 0);
            Wgmma.Half(ref sums, operand.Step(1), operand.Step(1));
        }

        Wgmma.Commit();
        Wgmma.Wait(0);
        int first = ((Warp.Index * 16) + (Warp.Lane >> 2)) * 64;
        for (int i = 0; i < 32; i++)
            y[first + (((i >> 1) & 1) * 8 * 64) + (8 * (i >> 2)) + (2 * (Warp.Lane & 3)) + (i & 1)] = sums[i];
    }

    /// <summary>z = (x xᵀ) y for x of 64 × 16 and y of 64 × 64: what the first product leaves in registers is the second one's left operand.</summary>
    public static void Chain(ReadOnlyView<float> x, ReadOnlyView<float> y, View<float> z)
    {
        Shared<uint> left = Shared.Allocate<uint>(64 * 32, 1024);
        Shared<uint> right = Shared.Allocate<uint>(64 * 32, 1024);
        for (int i = Group.Thread; i < 64 * 32; i += Group.SizeX)
        {
            int row = i >> 5;
            int pair = i & 31;
            int place = (row * 32) + (pair ^ ((row & 7) << 2));
            left[place] = pair < 8 ? Packed.Half(x[(row * 16) + (pair * 2)], x[(row * 16) + (pair * 2) + 1]) : 0;
            right[place] = Packed.Half(y[(row * 64) + (pair * 2)], y[(row * 64) + (pair * 2) + 1]);
        }

        Group.FenceProxyAsync();
        Group.Barrier();
        WgmmaOperand operand = WgmmaOperand.AlongK(left);
        Registers<float, N32> square = default;
        Wgmma.Fence();
        Wgmma.Half(ref square, operand, operand, false);
        Wgmma.Commit();
        Wgmma.Wait(0);
        Registers<UInt4, N4> packed = default;
        for (int i = 0; i < 4; i++)
            packed[i] = Pack(ref square, 8 * i);

        WgmmaOperand columns = WgmmaOperand.AcrossK(right, 64);
        Registers<float, N32> sums = default;
        Wgmma.Fence();
        for (int i = 0; i < 4; i++)
            Wgmma.Half(ref sums, packed[i], columns.Step(i), i > 0);

        Wgmma.Commit();
        Wgmma.Wait(0);
        int first = ((Warp.Index * 16) + (Warp.Lane >> 2)) * 64;
        for (int i = 0; i < 32; i++)
            z[first + (((i >> 1) & 1) * 8 * 64) + (8 * (i >> 2)) + (2 * (Warp.Lane & 3)) + (i & 1)] = sums[i];
    }

    /// <summary>Copies one box of a tensor of four dimensions.</summary>
    public static void Block(TensorMap map, View<uint> y, int first, int second, int third, int fourth)
    {
        Shared<uint> box = Shared.Allocate<uint>(BlockWords, 128);
        Mbarrier full = Mbarrier.Allocate();
        if (Group.Thread == 0)
        {
            full.Init(1);
            Mbarrier.FenceInit();
            full.ArriveExpect(BlockWords * 4);
            Tma.Load4D(box, map, first, second, third, fourth, full);
        }

        Group.Barrier();
        full.Wait(0);
        if (Group.Thread < BlockWords)
        {
            y[Group.Thread] = box[Group.Thread];
        }
    }

    public static void LeftOverwritten(View<float> y)
    {
        Registers<float, N32> sums = default;
        WgmmaOperand operand = Operand();
        UInt4 left = new(Packed.Half(y[0], y[1]), Packed.Half(y[2], y[3]), Packed.Half(y[4], y[5]), Packed.Half(y[6], y[7]));
        sums.Fill(0);
        for (int i = 0; i < y.Length; i++)
        {
            Loop.Keep();
            Wgmma.Fence();
            Wgmma.BFloat16(ref sums, left, operand);
            Wgmma.Commit();
            left.X = Packed.Half(y[i], 1);
            Wgmma.Wait(0);
        }

        y[Group.Thread] = sums[0];
    }

    public static void LeftAfterFence(View<float> y)
    {
        Registers<float, N32> sums = default;
        WgmmaOperand operand = Operand();
        Wgmma.Fence();
        UInt4 left = new(Packed.Half(y[0], y[1]), Packed.Half(y[2], y[3]), Packed.Half(y[4], y[5]), Packed.Half(y[6], y[7]));
        Wgmma.BFloat16(ref sums, left, operand, false);
        Wgmma.Commit();
        Wgmma.Wait(0);
        y[Group.Thread] = sums[0];
    }

    public static void ReadBeforeWait(View<float> y)
    {
        Registers<float, N32> sums = default;
        WgmmaOperand operand = Operand();
        Wgmma.Fence();
        Wgmma.BFloat16(ref sums, operand, operand, false);
        Wgmma.Commit();
        y[Group.Thread] = sums[3];
        Wgmma.Wait(0);
    }

    public static void WaitForTooFew(View<float> y)
    {
        Registers<float, N32> first = default;
        Registers<float, N32> second = default;
        WgmmaOperand operand = Operand();
        Wgmma.Fence();
        Wgmma.BFloat16(ref first, operand, operand, false);
        Wgmma.Commit();
        Wgmma.BFloat16(ref second, operand, operand, false);
        Wgmma.Commit();
        Wgmma.Wait(1);
        y[Group.Thread] = first[0];
        y[Group.Thread + 128] = second[0];
    }

    public static void NoFence(View<float> y)
    {
        Registers<float, N32> sums = default;
        WgmmaOperand operand = Operand();
        Wgmma.Fence();
        Wgmma.BFloat16(ref sums, operand, operand, false);
        Wgmma.Commit();
        Wgmma.Wait(0);
        y[Group.Thread] = sums[0];
        Wgmma.BFloat16(ref sums, operand, operand);
        Wgmma.Commit();
        Wgmma.Wait(0);
        y[Group.Thread] = sums[0];
    }

    public static void KeptCopy(View<float> y)
    {
        Registers<float, N32> sums = default;
        WgmmaOperand operand = Operand();
        Wgmma.Fence();
        Wgmma.BFloat16(ref sums, operand, operand, false);
        Wgmma.Commit();
        Wgmma.Wait(0);
        Registers<float, N32> old = sums;
        Wgmma.Fence();
        Wgmma.BFloat16(ref sums, operand, operand);
        Wgmma.Commit();
        Wgmma.Wait(0);
        y[Group.Thread] = sums[0] - old[0];
    }

    public static void TooManyArrivals()
    {
        Mbarrier barrier = Mbarrier.Allocate();
        if (Group.Thread == 0)
        {
            barrier.Init(40);
        }

        Group.Barrier();
        barrier.Arrive();
        if (Group.Thread < 16)
        {
            barrier.ArriveExpect(16);
        }
    }

    public static void NobodyArrives()
    {
        Mbarrier barrier = Mbarrier.Allocate();
        if (Group.Thread == 0)
        {
            barrier.Init(1);
        }

        Group.Barrier();
        barrier.Wait(0);
    }

    public static void NotInitialised()
    {
        Mbarrier barrier = Mbarrier.Allocate();
        barrier.Wait(1);
    }

    public static void ReadsTooSoon(TensorMap map, View<uint> y)
    {
        Shared<uint> box = Shared.Allocate<uint>(BoxBytes / 4, 1024);
        Mbarrier full = Mbarrier.Allocate();
        if (Group.Thread == 0)
        {
            full.Init(1);
            Mbarrier.FenceInit();
            full.ArriveExpect(BoxBytes);
            Tma.Load2D(box, map, 0, 0, full);
        }

        Group.Barrier();
        full.Wait(1);
        y[Group.Thread] = box[Group.Thread];
    }

    private static UInt4 Pack(ref Registers<float, N32> sums, int first) => new(
        Packed.Half(sums[first], sums[first + 1]),
        Packed.Half(sums[first + 2], sums[first + 3]),
        Packed.Half(sums[first + 4], sums[first + 5]),
        Packed.Half(sums[first + 6], sums[first + 7]));

    private static WgmmaOperand Operand() => WgmmaOperand.AlongK(Shared.Allocate<uint>(64 * 32, 1024));
}
