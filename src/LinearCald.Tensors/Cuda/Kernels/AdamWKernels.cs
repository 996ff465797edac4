using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// One AdamW update (see <see cref="AdamWStep"/>) of float32 parameters, fused: parameter, gradient and both moments are read, parameter and moments
/// written: 28 bytes a parameter, which is the floor. A group updates a chunk of <see cref="Chunk"/> parameters of one tensor; a thread has two vectors of
/// each of the four arrays in flight, 128 bytes. All accesses are streaming: a model's state is larger than the cache.
/// </summary>
internal static unsafe class AdamWKernels
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>Parameters that a group updates.</summary>
    public const int Chunk = 16384;

    private const int InFlight = 2;

    /// <summary>One tensor.</summary>
    [Kernel(Name = "adamw")]
    public static void Update(View<float> p, View<float> g, View<float> m, View<float> v, long length, AdamWCoefficients c, [Constant] bool vectors)
    {
        long first = (long)Grid.IndexX * Chunk;
        int count = Count(length - first);
        UpdateChunk(p.Slice(first, count), g.Slice(first, count), m.Slice(first, count), v.Slice(first, count), count, c, vectors);
    }

    /// <summary>Many tensors.</summary>
    /// <param name="table">See <see cref="TensorTable"/>.</param>
    /// <param name="chunks">A group's tensor (X) and chunk within it (Y).</param>
    /// <param name="coefficients">See <see cref="SumOfSquaresKernels.Finish"/>.</param>
    [Kernel(Name = "adamw_all")]
    public static void UpdateAll(ReadOnlyView<long> table, ReadOnlyView<Int2> chunks, ReadOnlyView<float> coefficients)
    {
        if (coefficients[SumOfSquaresKernels.Proceed] == 0f)
        {
            return;
        }

        Int2 chunk = chunks[Grid.IndexX];
        int row = chunk.X * TensorTable.Columns;
        long first = (long)chunk.Y * Chunk;
        int count = Count(table[row + TensorTable.Length] - first);
        int flags = (int)table[row + TensorTable.Flags];
        View<float> p = new((float*)table[row + TensorTable.Parameter] + first, count);
        View<float> g = new((float*)table[row + TensorTable.Gradient] + first, count);
        View<float> m = new((float*)table[row + TensorTable.Mean] + first, count);
        View<float> v = new((float*)table[row + TensorTable.Square] + first, count);
        AdamWCoefficients c = new(
            (flags & TensorTable.Decays) != 0 ? coefficients[0] : 1f,
            coefficients[1], coefficients[2], coefficients[3], coefficients[4], coefficients[5], coefficients[6], coefficients[7]);
        if ((flags & TensorTable.Aligned) != 0)
        {
            UpdateChunk(p, g, m, v, count, c, vectors: true);
        }
        else
        {
            UpdateChunk(p, g, m, v, count, c, vectors: false);
        }
    }

    /// <summary>Elements of a chunk of which this many are left.</summary>
    internal static int Count(long left) => left < Chunk ? (int)left : Chunk;

    private static void UpdateChunk(View<float> p, View<float> g, View<float> m, View<float> v, int count, AdamWCoefficients c, bool vectors)
    {
        int done = 0;
        if (vectors)
        {
            View<Float4> ps = p.As<Float4>(), gs = g.As<Float4>(), ms = m.As<Float4>(), vs = v.As<Float4>();
            int whole = count >> 2;
            int i = Group.IndexX;
            for (; i + Threads < whole; i += InFlight * Threads)
            {
                Registers<Float4, N2> gradient = default, mean = default, square = default, parameter = default;
                for (int k = 0; k < InFlight; k++)
                {
                    gradient[k] = gs.ReadStreaming(i + (k * Threads));
                    mean[k] = ms.ReadStreaming(i + (k * Threads));
                    square[k] = vs.ReadStreaming(i + (k * Threads));
                    parameter[k] = ps.ReadStreaming(i + (k * Threads));
                }

                for (int k = 0; k < InFlight; k++)
                {
                    Store(ps, ms, vs, i + (k * Threads), parameter[k], gradient[k], mean[k], square[k], c);
                }
            }

            if (i < whole)
            {
                Store(ps, ms, vs, i, ps.ReadStreaming(i), gs.ReadStreaming(i), ms.ReadStreaming(i), vs.ReadStreaming(i), c);
            }

            done = whole << 2;
        }

        for (int i = done + Group.IndexX; i < count; i += Threads)
        {
            float first = m[i], second = v[i];
            p[i] = Element(p[i], g[i], ref first, ref second, c);
            m[i] = first;
            v[i] = second;
        }
    }

    private static void Store(View<Float4> ps, View<Float4> ms, View<Float4> vs, int i, Float4 p, Float4 g, Float4 m, Float4 v, AdamWCoefficients c)
    {
        p.X = Element(p.X, g.X, ref m.X, ref v.X, c);
        p.Y = Element(p.Y, g.Y, ref m.Y, ref v.Y, c);
        p.Z = Element(p.Z, g.Z, ref m.Z, ref v.Z, c);
        p.W = Element(p.W, g.W, ref m.W, ref v.W, c);
        ps.WriteStreaming(i, p);
        ms.WriteStreaming(i, m);
        vs.WriteStreaming(i, v);
    }

    private static float Element(float p, float g, ref float m, ref float v, AdamWCoefficients c)
    {
        float first = GpuMath.Fma(c.Beta1, m, c.Into1 * g);
        float root = c.Into2 * g;
        float second = GpuMath.Fma(c.Beta2, v, root * root);
        m = first;
        v = second;
        float scale = GpuMath.Fma(MathF.Sqrt(second), c.Unbias, c.Epsilon);
        return GpuMath.Fma(c.Shrink, p, GpuMath.DivideApproximate(c.Move * first, scale));
    }
}
