namespace LinearCald.Gpu.Tests.Language.Golden;

/// <summary>Kernels of five typical shapes whose PTX is kept beside them, for eyes to see what a change of the compiler does.</summary>
public static class GoldenKernels
{
    /// <summary>y = a x + y, one guarded access an element.</summary>
    public static void Axpy(ReadOnlyView<float> x, View<float> y, float a, int length)
    {
        int i = Grid.ThreadX;
        if (i < length)
            y[i] = GpuMath.Fma(a, x[i], y[i]);
    }

    /// <summary>The sums of rows of known width, four floats an access, one warp a row.</summary>
    public static void RowSums(ReadOnlyView<Float4> rows, View<float> sums, [Constant] int width)
    {
        int row = (Grid.IndexX * (Group.Size / Warp.Size)) + Warp.Index;
        float sum = 0;
        for (int i = 0; i < width / 128; i++)
        {
            Float4 v = rows[(row * (width / 4)) + (i * Warp.Size) + Warp.Lane];
            sum += (v.X + v.Y) + (v.Z + v.W);
        }

        sum = Warp.Sum(sum);
        if (Warp.Lane == 0)
            sums[row] = sum;
    }

    /// <summary>Elements scaled to a sum of 1 after e^x: a loop of the device, shared memory, barriers.</summary>
    public static void Softmax(ReadOnlyView<float> x, View<float> y, int width)
    {
        Shared<float> parts = Shared.Allocate<float>(4);
        ReadOnlyView<float> row = x.From((long)Grid.IndexX * width);
        float sum = 0;
        for (int i = Group.Thread; i < width; i += Group.Size)
            sum += GpuMath.Exp(row[i]);

        sum = Warp.Sum(sum);
        if (Warp.Lane == 0)
            parts[Warp.Index] = sum;

        Group.Barrier();
        float scale = 1 / (parts[0] + parts[1] + parts[2] + parts[3]);
        View<float> result = y.From((long)Grid.IndexX * width);
        for (int i = Group.Thread; i < width; i += Group.Size)
            result[i] = GpuMath.Exp(row[i]) * scale;
    }

    /// <summary>One 16 × 8 tile of a product of bfloat16 matrices by one warp; accumulators stay in their registers.</summary>
    public static void Tile(ReadOnlyView<UInt4> a, ReadOnlyView<UInt2> b, View<Float4> c, int steps)
    {
        Float4 sum = default;
        for (int k = 0; k < steps; k++)
            sum = Mma.BFloat16(sum, a[(k * Warp.Size) + Warp.Lane], b[(k * Warp.Size) + Warp.Lane]);

        c[Warp.Lane] = sum;
    }

    /// <summary>Control flow that depends on data: early exit, a switch, a struct carried by a loop.</summary>
    public static void Walk(ReadOnlyView<int> steps, View<int> y, int length)
    {
        (int X, int Y) at = (0, 0);
        for (int i = 0; i < length; i++)
        {
            switch (steps[i])
            {
                case 0:
                    at.X++;
                    break;
                case 1:
                    at.Y++;
                    break;
                case 2:
                    at = (at.Y, at.X);
                    break;
                default:
                    y[Grid.ThreadX] = i;
                    return;
            }
        }

        y[Grid.ThreadX] = at.X - (at.Y * 100);
    }
}
