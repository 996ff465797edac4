#if UNOPTIMISED
namespace LinearCald.Gpu.Unoptimised;
#else
namespace LinearCald.Gpu.Tests.Compiler;
#endif

/// <summary>The kernels by which the compiler is judged: exact on the emulator, clean to read.</summary>
public static class NumericKernels
{
    public static void VectorAdd(ReadOnlyView<float> a, ReadOnlyView<float> b, View<float> c, int n)
    {
        int i = Grid.ThreadX;
        if (i < n)
        {
            c[i] = a[i] + b[i];
        }
    }

    /// <summary>One sum a group of 64, by shuffles and one exchange through shared memory.</summary>
    public static void Sum(ReadOnlyView<float> x, View<float> y, int n)
    {
        float sum = 0;
        for (int i = Grid.ThreadX; i < n; i += Grid.ThreadsX)
        {
            sum += x[i];
        }

        sum = Warp.Sum(sum);
        Shared<float> parts = Shared.Allocate<float>(2);
        if (Warp.Lane == 0)
        {
            parts[Warp.Index] = sum;
        }

        Group.Barrier();
        if (Group.Thread == 0)
        {
            y[Grid.IndexX] = parts[0] + parts[1];
        }
    }

    /// <summary>x − max over a row, divided by its sum: softmax without the exponential, whose accuracy is not the compiler's matter.</summary>
    public static void NormaliseRow(ReadOnlyView<float> x, View<float> y, int length)
    {
        ReadOnlyView<float> row = x.From((long)Grid.IndexX * length);
        View<float> result = y.From((long)Grid.IndexX * length);
        float max = float.NegativeInfinity;
        for (int i = Warp.Lane; i < length; i += Warp.Size)
        {
            max = MathF.Max(max, row[i]);
        }

        max = Warp.Max(max);
        float sum = 0;
        for (int i = Warp.Lane; i < length; i += Warp.Size)
        {
            sum += max - row[i] + 1;
        }

        sum = Warp.Sum(sum);
        for (int i = Warp.Lane; i < length; i += Warp.Size)
        {
            result[i] = (max - row[i] + 1) / sum;
        }
    }

    /// <summary>C = A B, row-major; tiles of 128 × 128 × 16, 8 × 8 a thread, 256 threads.</summary>
    public static void Gemm(ReadOnlyView<float> a, ReadOnlyView<float> b, View<float> c, [Constant] int n, [Constant] int depth)
    {
        Shared<float> tileA = Shared.Allocate<float>(16 * 128);
        Shared<float> tileB = Shared.Allocate<float>(16 * 128);
        int tx = Group.Thread % 16;
        int ty = Group.Thread / 16;
        int row = Grid.IndexY * 128;
        int fours = n / 4;
        int four = Grid.IndexX * 32;
        Registers<float, N64> acc = default;
        for (int start = 0; start < depth; start += 16)
        {
            for (int i = 0; i < 8; i++)
            {
                int e = Group.Thread + (i * 256);
                tileA[(e % 16 * 128) + (e / 16)] = a[((row + (e / 16)) * depth) + start + (e % 16)];
            }

            for (int i = 0; i < 2; i++)
            {
                int e = Group.Thread + (i * 256);
                tileB.As<Float4>()[e] = b.As<Float4>()[((start + (e / 32)) * fours) + four + (e % 32)];
            }

            Group.Barrier();
            for (int k = 0; k < 16; k++)
            {
                Registers<float, N8> fromA = Eight(tileA.As<Float4>(), (k * 32) + (ty * 2));
                Registers<float, N8> fromB = Eight(tileB.As<Float4>(), (k * 32) + (tx * 2));
                for (int i = 0; i < 8; i++)
                {
                    for (int j = 0; j < 8; j++)
                    {
                        acc[(i * 8) + j] = GpuMath.Fma(fromA[i], fromB[j], acc[(i * 8) + j]);
                    }
                }
            }

            Group.Barrier();
        }

        for (int i = 0; i < 8; i++)
        {
            for (int j = 0; j < 2; j++)
            {
                int e = (i * 8) + (j * 4);
                c.As<Float4>()[((row + (ty * 8) + i) * fours) + four + (tx * 2) + j] = new Float4(acc[e], acc[e + 1], acc[e + 2], acc[e + 3]);
            }
        }
    }

    /// <summary>hₛ ← dₛ hₛ + u, y = Σ hₛ over 16 states, one channel a thread.</summary>
    public static void Scan(ReadOnlyView<float> u, ReadOnlyView<float> d, View<float> y, int length)
    {
        int channel = Grid.ThreadX;
        Registers<float, N16> h = default;
        Registers<float, N16> decay = default;
        for (int s = 0; s < 16; s++)
        {
            decay[s] = d[(channel * 16) + s];
        }

        for (int t = 0; t < length; t++)
        {
            float input = u[((long)channel * length) + t];
            float output = 0;
            for (int s = 0; s < 16; s++)
            {
                h[s] = GpuMath.Fma(h[s], decay[s], input);
                output += h[s];
            }

            y[((long)channel * length) + t] = output;
        }
    }

    private static Registers<float, N8> Eight(Shared<Float4> tile, int index)
    {
        Registers<float, N8> r = default;
        for (int j = 0; j < 2; j++)
        {
            Float4 v = tile[index + j];
            r[j * 4] = v.X;
            r[(j * 4) + 1] = v.Y;
            r[(j * 4) + 2] = v.Z;
            r[(j * 4) + 3] = v.W;
        }

        return r;
    }
}
