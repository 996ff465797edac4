using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>Sums that no single task can finish.</summary>
internal readonly unsafe struct SelectiveScanPartials<T>(T* a, T* b, T* c, T* d, T* bias)
    where T : unmanaged
{
    /// <summary>[B, N, D].</summary>
    public readonly T* A = a;

    /// <summary>[blocks, B·L, N].</summary>
    public readonly T* B = b;

    /// <summary>[blocks, B·L, N].</summary>
    public readonly T* C = c;

    /// <summary>[B, D].</summary>
    public readonly T* D = d;

    /// <summary>[B, D].</summary>
    public readonly T* Bias = bias;
}

/// <summary>
/// The gradient of <see cref="SelectiveScanForward{T}"/>. Chunk after chunk from the last: the states and decays between two saved states are computed once more into
/// scratch, then time runs backwards through them. With G_t = C_t ȳ_t + exp(Δ_{t+1} A) G_{t+1}, r_t = exp(Δ_t A) h_{t−1} and ȳ = dy·silu(z):
/// dC_t = ȳ_t h_t, dB_t = G_t Δ_t u_t, du_t = D ȳ_t + Δ_t Σ G_t B_t, dΔ_t = Σ G_t (B_t u_t + A r_t), dA = Σ_t G_t Δ_t r_t.
/// </summary>
/// <remarks>dB and dC are sums over channels: each block of channels writes its own, which are added in order afterwards. So are dA, dD and dbias over the batch.</remarks>
/// <param name="problem">What was scanned.</param>
/// <param name="gradient">Where gradients go.</param>
/// <param name="entries">[chunks, B, N, D]: the saved states.</param>
/// <param name="blockChannels">Channels of a block.</param>
/// <param name="partials">Sums of one block or sample.</param>
internal readonly unsafe struct SelectiveScanBackward<T>(
    SelectiveScanProblem<T> problem, SelectiveScanGradient<T> gradient, T* entries, int blockChannels, SelectiveScanPartials<T> partials) : IChannelBlock<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public void Execute<TV>(int sample, int channel, int registers, bool first)
        where TV : unmanaged, ISimd<TV, T>
    {
        const int Steps = SelectiveScanKernel.ChunkSteps;
        ScanStrip<TV, T> strip = new(problem, sample, channel, registers);
        int size = strip.StateSize, width = registers * TV.Width;
        using Scratch<T> scratch = new(Work.Count(size, width, problem.States * TV.Width));
        Work work = new(scratch.Pointer, size, width, problem.States * TV.Width);
        strip.LoadDecay(work.Decay);
        new Span<T>(work.Later, size).Clear();
        new Span<T>(work.DecayGradient, size).Clear();
        new Span<T>(work.SkipGradient, width).Clear();
        new Span<T>(work.BiasGradient, width).Clear();
        int valid = problem.Valid(sample);
        ClearRest(sample, channel, width, valid, first);
        for (int chunk = SelectiveScanKernel.Chunks(valid) - 1; chunk >= 0; chunk--)
        {
            int begin = chunk * Steps, steps = Math.Min(Steps, valid - begin);
            strip.LoadColumns(entries + SelectiveScanKernel.EntryAt(problem, chunk, sample), work.States);
            for (int i = 0; i < steps; i++)
            {
                Recompute(strip, work, begin + i, i);
            }

            for (int i = steps - 1; i >= 0; i--)
            {
                StepBack(strip, work, begin + i, i, first);
            }
        }

        strip.StoreColumns(work.DecayGradient, partials.A + ((nint)sample * problem.States * problem.Channels));
        nint at = ((nint)sample * problem.Channels) + channel;
        new Span<T>(work.SkipGradient, width).CopyTo(new Span<T>(partials.D + at, width));
        new Span<T>(work.BiasGradient, width).CopyTo(new Span<T>(partials.Bias + at, width));
        if (gradient.InitialState is not null)
        {
            strip.StoreState(work.Later, gradient.InitialState);
        }
    }

    /// <summary>Zero where no position counts.</summary>
    private void ClearRest(int sample, int channel, int width, int valid, bool first)
    {
        nint begin = ((nint)sample * problem.Length) + valid, end = (nint)(sample + 1) * problem.Length;
        gradient.U.From(0, channel).Clear(begin, end, width);
        gradient.Delta.From(0, channel).Clear(begin, end, width);
        if (gradient.Z.Start is not null)
        {
            gradient.Z.From(0, channel).Clear(begin, end, width);
        }

        if (first)
        {
            new Rows<T>(PartialRow(partials.B, channel, 0), problem.States).Clear(begin, end, problem.States);
            new Rows<T>(PartialRow(partials.C, channel, 0), problem.States).Clear(begin, end, problem.States);
        }
    }

    /// <summary>The row of a block's partial sums [B·L, N].</summary>
    private T* PartialRow(T* sums, int channel, nint row) => sums + (((channel / blockChannels * (nint)problem.Batch * problem.Length) + row) * problem.States);

    /// <summary>The i-th state of the chunk, and what it takes: decays and Δ.</summary>
    private void Recompute<TV>(in ScanStrip<TV, T> strip, in Work work, int position, int i)
        where TV : unmanaged, ISimd<TV, T>
    {
        nint row = ((nint)strip.Sample * problem.Length) + position;
        T* b = problem.B[row];
        bool restarts = problem.Restarts(strip.Sample, position);
        for (int v = 0; v < strip.Registers; v++)
        {
            int c = strip.Channel + (v * TV.Width);
            nint at = (nint)v * problem.States * TV.Width, here = ((nint)i * work.Size) + at;
            PrefetchReverse<TV>(row, c);
            TV delta = strip.StepSize(row, c);
            delta.Store(work.Delta + ((nint)i * work.Width) + (v * TV.Width));
            TV input = delta * TV.Load(problem.U[row] + c);
            if (restarts)
            {
                ScanFrom0(work.Decays + here, work.States + here + work.Size, input, b, problem.States);
            }
            else
            {
                Scan(work.Decay + at, work.Decays + here, work.States + here, work.Size, delta, input, b, problem.States);
            }
        }
    }

    /// <summary>Asks for what the way back through a row reads and writes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void PrefetchReverse<TV>(nint row, int c)
        where TV : unmanaged, ISimd<TV, T>
    {
        ScanStrip<TV, T>.Prefetch(gradient.Y + (row * problem.Channels) + c);
        ScanStrip<TV, T>.Prefetch(gradient.U[row] + c);
        ScanStrip<TV, T>.Prefetch(gradient.Delta[row] + c);
        if (gradient.Z.Start is not null)
        {
            ScanStrip<TV, T>.Prefetch(problem.Z[row] + c);
            ScanStrip<TV, T>.Prefetch(gradient.Z[row] + c);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scan<TV>(T* decay, T* decays, T* states, nint next, TV delta, TV input, T* b, int count)
        where TV : unmanaged, ISimd<TV, T>
    {
        for (int n = 0; n < count; n++)
        {
            nint at = (nint)n * TV.Width;
            TV a = VectorMath.Exp2<TV, T>(delta * TV.Load(decay + at));
            a.Store(decays + at);
            TV.Fma(a, TV.Load(states + at), input * TV.Broadcast(b[n])).Store(states + next + at);
        }
    }

    private static void ScanFrom0<TV>(T* decays, T* states, TV input, T* b, int count)
        where TV : unmanaged, ISimd<TV, T>
    {
        for (int n = 0; n < count; n++)
        {
            nint at = (nint)n * TV.Width;
            TV.Of(0.0).Store(decays + at);
            (input * TV.Broadcast(b[n])).Store(states + at);
        }
    }

    private void StepBack<TV>(in ScanStrip<TV, T> strip, in Work work, int position, int i, bool first)
        where TV : unmanaged, ISimd<TV, T>
    {
        nint row = ((nint)strip.Sample * problem.Length) + position;
        new Span<T>(work.InputSums, 2 * problem.States * TV.Width).Clear();
        for (int v = 0; v < strip.Registers; v++)
        {
            int c = strip.Channel + (v * TV.Width);
            nint at = (nint)v * problem.States * TV.Width;

            // the chunk before this one comes next
            ScanStrip<TV, T>.Prefetch(problem.U[row - SelectiveScanKernel.ChunkSteps] + c);
            ScanStrip<TV, T>.Prefetch(problem.Delta[row - SelectiveScanKernel.ChunkSteps] + c);
            TV u = TV.Load(problem.U[row] + c), delta = TV.Load(work.Delta + ((nint)i * work.Width) + (v * TV.Width));
            TV gy = TV.Load(gradient.Y + (row * problem.Channels) + c), z = TV.Of(0.0), gate = TV.Of(1.0), dy = gy;
            if (gradient.Z.Start is not null)
            {
                z = TV.Load(problem.Z[row] + c);
                gate = VectorMath.Sigmoid<TV, T>(z);
                dy = gy * z * gate;
            }

            TV ungated = TV.Of(0.0), du = TV.Of(0.0), ddelta = TV.Of(0.0);
            Reverse(work, at, ((nint)i * work.Size) + at, problem.B[row], problem.C[row], delta, delta * u, dy, problem.States, ref ungated, ref du, ref ddelta);

            // the decay is A·log2 e
            ddelta = TV.Fma(ddelta, TV.Of(0.69314718055994531), du * u);
            du *= delta;
            if (problem.Softplus)
            {
                ddelta *= VectorMath.Sigmoid<TV, T>(strip.RawStep(row, c));
            }

            if (problem.D is not null)
            {
                TV d = TV.Load(problem.D + c);
                du = TV.Fma(d, dy, du);
                ungated = TV.Fma(d, u, ungated);
            }

            du.Store(gradient.U[row] + c);
            ddelta.Store(gradient.Delta[row] + c);
            if (gradient.Z.Start is not null)
            {
                (gy * ungated * gate * TV.Fma(z, TV.Of(1.0) - gate, TV.Of(1.0))).Store(gradient.Z[row] + c);
            }

            T* skip = work.SkipGradient + (v * TV.Width), bias = work.BiasGradient + (v * TV.Width);
            TV.Fma(dy, u, TV.Load(skip)).Store(skip);
            (TV.Load(bias) + ddelta).Store(bias);
        }

        SumOverLanes<TV>(work.InputSums, PartialRow(partials.B, strip.Channel, row), first);
        SumOverLanes<TV>(work.OutputSums, PartialRow(partials.C, strip.Channel, row), first);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Reverse<TV>(
        in Work work, nint register, nint here, T* b, T* c, TV delta, TV input, TV dy, int count, ref TV ungated, ref TV du, ref TV ddelta)
        where TV : unmanaged, ISimd<TV, T>
    {
        T* decay = work.Decay + register, later = work.Later + register, decayGradient = work.DecayGradient + register;
        T* decays = work.Decays + here, before = work.States + here, after = before + work.Size;
        T* inputSums = work.InputSums, outputSums = work.OutputSums;
        TV y = ungated, forB = du, forA = ddelta;
        for (int n = 0; n < count; n++)
        {
            nint at = (nint)n * TV.Width;
            TV cn = TV.Broadcast(c[n]), h = TV.Load(after + at);
            TV g = TV.Fma(cn, dy, TV.Load(later + at));
            y = TV.Fma(cn, h, y);
            TV.Fma(dy, h, TV.Load(outputSums + at)).Store(outputSums + at);
            TV.Fma(g, input, TV.Load(inputSums + at)).Store(inputSums + at);
            forB = TV.Fma(g, TV.Broadcast(b[n]), forB);
            TV carried = g * TV.Load(decays + at);
            carried.Store(later + at);
            TV kept = carried * TV.Load(before + at); // G r
            forA = TV.Fma(kept, TV.Load(decay + at), forA);
            TV.Fma(kept, delta, TV.Load(decayGradient + at)).Store(decayGradient + at);
        }

        (ungated, du, ddelta) = (y, forB, forA);
    }

    private void SumOverLanes<TV>(T* sums, T* row, bool first)
        where TV : unmanaged, ISimd<TV, T>
    {
        for (int n = 0; n < problem.States; n++)
        {
            T sum = TV.Load(sums + ((nint)n * TV.Width)).SumLanes();
            row[n] = first ? sum : row[n] + sum;
        }
    }

    /// <summary>Scratch of one strip. States of the usual sizes are whole pages, whose equal places would all meet in one set of the first-level cache: they lie further apart.</summary>
    private readonly struct Work(T* start, int size, int width, int sums)
    {
        private const int Steps = SelectiveScanKernel.ChunkSteps;
        private const int Apart = 80;

        /// <summary>From one state to the next.</summary>
        public readonly nint Size = size + Apart;

        /// <summary>Channels of the strip.</summary>
        public readonly nint Width = width;

        /// <summary>A·log2 e.</summary>
        public readonly T* Decay = start;

        /// <summary>exp(Δ_{t+1} A) G_{t+1}.</summary>
        public readonly T* Later = start + (size + Apart);

        public readonly T* DecayGradient = start + (2 * (size + Apart));

        /// <summary>exp(Δ A) of every position of the chunk.</summary>
        public readonly T* Decays = start + (3 * (size + Apart));

        /// <summary>The state before the chunk and after each of its positions.</summary>
        public readonly T* States = start + ((3 + Steps) * (size + Apart));

        /// <summary>Δ of every position of the chunk.</summary>
        public readonly T* Delta = start + ((4 + (2 * Steps)) * (size + Apart));

        public readonly T* SkipGradient = start + ((4 + (2 * Steps)) * (size + Apart)) + (Steps * width);

        public readonly T* BiasGradient = start + ((4 + (2 * Steps)) * (size + Apart)) + ((Steps + 1) * width);

        /// <summary>dB of one position, [n, lane].</summary>
        public readonly T* InputSums = start + ((4 + (2 * Steps)) * (size + Apart)) + ((Steps + 2) * width);

        /// <summary>dC of one position, [n, lane].</summary>
        public readonly T* OutputSums = start + ((4 + (2 * Steps)) * (size + Apart)) + ((Steps + 2) * width) + sums;

        /// <summary>Elements of it all.</summary>
        public static long Count(int size, int width, int sums) => ((4L + (2 * Steps)) * (size + Apart)) + ((Steps + 2L) * width) + (2L * sums);
    }
}
