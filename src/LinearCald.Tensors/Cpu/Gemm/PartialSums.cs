namespace LinearCald.Tensors.Cpu;

/// <summary>The end of a product whose k was cut: c = Σ_chunk partial[chunk] + beta · c, chunk after chunk in order.</summary>
internal static unsafe class PartialSums<T, TVector, TLanes>
    where T : unmanaged
    where TVector : struct
    where TLanes : struct, IGemmLanes<T, TVector>
{
    /// <param name="partial">The row in the first chunk.</param>
    /// <param name="stride">Elements from one chunk to the next.</param>
    /// <param name="c">The row of C; not read when <paramref name="beta"/> is zero.</param>
    public static void AddRow(T* partial, nint stride, int chunks, int columns, T* c, T beta)
    {
        T one = GemmScalar.From<T>(1);
        TVector ones = TLanes.Splat(one);
        TVector keep = TLanes.Splat(beta);
        bool overwrite = GemmScalar.IsZero(beta);
        int j = 0;
        for (; j <= columns - TLanes.Count; j += TLanes.Count)
        {
            TVector sum = TLanes.Load(partial + j);
            for (int chunk = 1; chunk < chunks; chunk++)
            {
                sum = TLanes.MultiplyAdd(ones, TLanes.Load(partial + j + (chunk * stride)), sum);
            }

            TLanes.Store(overwrite ? sum : TLanes.MultiplyAdd(keep, TLanes.Load(c + j), sum), c + j);
        }

        for (; j < columns; j++)
        {
            T sum = partial[j];
            for (int chunk = 1; chunk < chunks; chunk++)
            {
                sum = GemmScalar.Add(sum, partial[j + (chunk * stride)]);
            }

            c[j] = overwrite ? sum : GemmScalar.Add(sum, GemmScalar.Multiply(beta, c[j]));
        }
    }
}
