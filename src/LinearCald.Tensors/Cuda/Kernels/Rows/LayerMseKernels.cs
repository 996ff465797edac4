using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Squared distance of a student's hidden states to a teacher's, rows of [B · L, d] that are normalised first or not, Σ (N(s) − N(t))² over the positions that
/// count, and its gradient by the student: with e = 2 scale gloss (N(s) − N(t)), e or through the norm (e − mean(e) − N(s) mean(e N(s))) rstd. Both rows stay in
/// registers; wide rows are read once more a sweep. Floor: one read of both; the gradient a write more.
/// </summary>
internal static class LayerMseKernels
{
    /// <summary>terms[row] = the row's distance; 0 at positions from the sample's length on.</summary>
    [Kernel(Name = "layer_mse")]
    public static void Forward<TWord, TFormat, TTeam, TCount>(
        View<TWord> student, View<TWord> teacher, ReadOnlyView<int> lengths, View<double> terms, int rows, int positions, int columns, float epsilon,
        [Constant] RowAccess access, [Constant] bool wide, [Constant] bool normalise, [Constant] bool hasLengths)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int wanted = (Grid.IndexX * (Group.Size / TTeam.Threads)) + TTeam.Index;
        int row = Math.Min(wanted, rows - 1);
        View<TWord> from = student.Slice((long)row * columns, columns);
        View<TWord> target = teacher.Slice((long)row * columns, columns);
        Registers<float, TCount> s = default;
        Registers<float, TCount> t = default;
        Moments moments = Read<TWord, TFormat, TTeam, TCount>(ref s, ref t, from, target, columns, epsilon, access, wide, normalise);
        int tiles = RowTile<TWord, TFormat, TTeam, TCount>.Tiles(columns, wide);
        float sum = 0f;
        for (int tile = 0; tile < tiles; tile++)
        {
            int first = tile * RowTile<TWord, TFormat, TTeam, TCount>.Span;
            if (wide)
            {
                RowTile<TWord, TFormat, TTeam, TCount>.Load(from, first, columns, 0f, access, ref s);
                RowTile<TWord, TFormat, TTeam, TCount>.Load(target, first, columns, 0f, access, ref t);
            }

            for (int i = 0; i < TCount.Value; i++)
            {
                float d = moments.Student(s[i]) - moments.Teacher(t[i]);
                d = RowTile<TWord, TFormat, TTeam, TCount>.Inside(first, i, columns, access) ? d : 0f;
                sum = GpuMath.Fma(d, d, sum);
            }
        }

        sum = TTeam.Sum(TTeam.Scratch(), sum);
        if (TTeam.Rank == 0 && wanted < rows)
        {
            terms[row] = !hasLengths || row % positions < lengths[row / positions] ? sum : 0.0;
        }
    }

    /// <summary>gstudent, 0 at positions that do not count; it may be student.</summary>
    [Kernel(Name = "layer_mse_gradient")]
    public static void Backward<TWord, TFormat, TTeam, TCount>(
        View<TWord> student, View<TWord> teacher, ReadOnlyView<int> lengths, ReadOnlyView<float> gloss, View<TWord> gstudent, int rows, int positions, int columns,
        float epsilon, float factor, [Constant] RowAccess access, [Constant] bool wide, [Constant] bool normalise, [Constant] bool hasLengths)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int wanted = (Grid.IndexX * (Group.Size / TTeam.Threads)) + TTeam.Index;
        int row = Math.Min(wanted, rows - 1);
        View<TWord> from = student.Slice((long)row * columns, columns);
        View<TWord> target = teacher.Slice((long)row * columns, columns);
        View<TWord> to = gstudent.Slice((long)row * columns, columns);
        Registers<float, TCount> s = default;
        Registers<float, TCount> t = default;
        Moments moments = Read<TWord, TFormat, TTeam, TCount>(ref s, ref t, from, target, columns, epsilon, access, wide, normalise);
        int tiles = RowTile<TWord, TFormat, TTeam, TCount>.Tiles(columns, wide);
        int span = RowTile<TWord, TFormat, TTeam, TCount>.Span;
        Float2 means = default;
        if (normalise)
        {
            float difference = 0f;
            float projection = 0f;
            for (int tile = 0; tile < tiles; tile++)
            {
                if (wide)
                {
                    RowTile<TWord, TFormat, TTeam, TCount>.Load(from, tile * span, columns, 0f, access, ref s);
                    RowTile<TWord, TFormat, TTeam, TCount>.Load(target, tile * span, columns, 0f, access, ref t);
                }

                for (int i = 0; i < TCount.Value; i++)
                {
                    float normal = moments.Student(s[i]);
                    float d = normal - moments.Teacher(t[i]);
                    d = RowTile<TWord, TFormat, TTeam, TCount>.Inside(tile * span, i, columns, access) ? d : 0f;
                    difference += d;
                    projection = GpuMath.Fma(d, normal, projection);
                }
            }

            Float2 sums = TTeam.Sum(TTeam.Scratch(), new Float2(difference, projection));
            means = new Float2(sums.X / columns, sums.Y / columns);
        }

        bool counts = !hasLengths || row % positions < lengths[row / positions];
        float scale = factor * gloss[0] * moments.StudentScale;
        for (int tile = 0; tile < tiles; tile++)
        {
            if (wide)
            {
                RowTile<TWord, TFormat, TTeam, TCount>.Load(from, tile * span, columns, 0f, access, ref s);
                RowTile<TWord, TFormat, TTeam, TCount>.Load(target, tile * span, columns, 0f, access, ref t);
            }

            for (int i = 0; i < TCount.Value; i++)
            {
                float normal = moments.Student(s[i]);
                float own = normal - moments.Teacher(t[i]) - means.X;
                float g = scale * GpuMath.Fma(-normal, means.Y, own);
                s[i] = counts ? g : 0f;
            }

            RowTile<TWord, TFormat, TTeam, TCount>.Store(to, tile * span, columns, wanted < rows, access, ref s);
        }
    }

    // Reads the first tile of both rows, and what normalises them.
    private static Moments Read<TWord, TFormat, TTeam, TCount>(
        ref Registers<float, TCount> s, ref Registers<float, TCount> t, View<TWord> from, View<TWord> target, int columns, float epsilon,
        RowAccess access, bool wide, bool normalise)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount
    {
        int tiles = RowTile<TWord, TFormat, TTeam, TCount>.Tiles(columns, wide);
        int span = RowTile<TWord, TFormat, TTeam, TCount>.Span;
        Moments moments = new(0f, 1f, 0f, 1f);
        if (!wide)
        {
            RowTile<TWord, TFormat, TTeam, TCount>.Load(from, 0, columns, 0f, access, ref s);
            RowTile<TWord, TFormat, TTeam, TCount>.Load(target, 0, columns, 0f, access, ref t);
        }

        if (normalise)
        {
            Float2 sums = default;
            for (int tile = 0; tile < tiles; tile++)
            {
                if (wide)
                {
                    RowTile<TWord, TFormat, TTeam, TCount>.Load(from, tile * span, columns, 0f, access, ref s);
                    RowTile<TWord, TFormat, TTeam, TCount>.Load(target, tile * span, columns, 0f, access, ref t);
                }

                sums.X += RowNorm<TWord, TFormat, TTeam, TCount>.Sum(ref s);
                sums.Y += RowNorm<TWord, TFormat, TTeam, TCount>.Sum(ref t);
            }

            sums = TTeam.Sum(TTeam.Scratch(), sums);
            float meanS = sums.X / columns;
            float meanT = sums.Y / columns;
            Float2 squares = default;
            for (int tile = 0; tile < tiles; tile++)
            {
                if (wide)
                {
                    RowTile<TWord, TFormat, TTeam, TCount>.Load(from, tile * span, columns, 0f, access, ref s);
                    RowTile<TWord, TFormat, TTeam, TCount>.Load(target, tile * span, columns, 0f, access, ref t);
                }

                squares.X += RowNorm<TWord, TFormat, TTeam, TCount>.SquaredDeviations(ref s, meanS, tile * span, columns, access);
                squares.Y += RowNorm<TWord, TFormat, TTeam, TCount>.SquaredDeviations(ref t, meanT, tile * span, columns, access);
            }

            squares = TTeam.Sum(TTeam.Scratch(), squares);
            moments = new Moments(
                meanS, RowNorm<TWord, TFormat, TTeam, TCount>.Reciprocal(squares.X, columns, epsilon),
                meanT, RowNorm<TWord, TFormat, TTeam, TCount>.Reciprocal(squares.Y, columns, epsilon));
        }

        return moments;
    }

    /// <summary>What normalises a row of both sides: (x − mean) · scale.</summary>
    private readonly struct Moments(float studentMean, float studentScale, float teacherMean, float teacherScale)
    {
        public float StudentScale => studentScale;

        public float Student(float x) => (x - studentMean) * studentScale;

        public float Teacher(float x) => (x - teacherMean) * teacherScale;
    }
}
