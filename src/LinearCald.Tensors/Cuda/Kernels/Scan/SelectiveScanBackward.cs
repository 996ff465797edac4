using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Where the gradients of a selective scan go.</summary>
internal struct SelectiveScanGradientViews<TWord>
    where TWord : unmanaged
{
    /// <summary>Of y, read.</summary>
    public ReadOnlyView<TWord> Y;
    public View<TWord> U;
    public View<TWord> Delta;

    /// <summary>With a gate only.</summary>
    public View<TWord> Z;

    /// <summary>[parts of time, batch, channels, states]: partial sums.</summary>
    public View<float> A;

    /// <summary>[blocks of channels, rows, states]: partial sums.</summary>
    public View<float> B;

    /// <summary>[blocks of channels, rows, states]: partial sums.</summary>
    public View<float> C;

    /// <summary>[parts of time, batch, channels]: partial sums.</summary>
    public View<float> D;

    /// <summary>[parts of time, batch, channels]: partial sums.</summary>
    public View<float> Bias;

    /// <summary>[batch, channels, states]; only where it is wanted.</summary>
    public View<float> InitialState;

    /// <summary>From row to row of <see cref="U"/>.</summary>
    public int PitchU;
    public int PitchDelta;
    public int PitchZ;
}

/// <summary>
/// The gradient of <see cref="SelectiveScanForward"/>, threads laid out as there. Chunk after chunk of 32 positions from the last: from the saved state time runs forward once to
/// find the states before every eighth position, then eighth after eighth from the last: forward once more with all states and decays in registers, and backward through them.
/// With G_t = C_t ȳ_t + exp(Δ_{t+1} A) G_{t+1}, r_t = exp(Δ_t A) h_{t−1}, ȳ = dy·silu(z): dC_t = ȳ_t h_t, dB_t = G_t Δ_t u_t, du_t = D ȳ_t + Δ_t Σ G_t B_t,
/// dΔ_t = Σ G_t (B_t u_t + A r_t), dA = Σ_t G_t Δ_t r_t.
/// </summary>
/// <remarks>
/// With few channels time is cut into parts, whose G at their right ends <see cref="SelectiveScanBackwardEnds"/> finds first. dB and dC are summed over the channels of a warp by exchanges, over the warps through shared memory, over the groups by a second kernel: always in the same order.
/// Floor: 1.75 exponentials and about 16 multiply-adds a position, channel and number of state.
/// </remarks>
internal static class SelectiveScanBackward
{
    private const int Steps = ScanGradientTile.Steps;
    private const int Eighth = 8;
    private const int Sums = 2 * ScanLane.States;

    /// <summary>Grid: blocks of channels · samples · parts of time. Group: four threads a channel.</summary>
    /// <param name="saved">[batch, chunks, channels, states].</param>
    [Kernel(Name = "selective_scan_backward", MinimumGroups = 4)]
    public static void Run<TWord, TFormat>(
        SelectiveScanArguments<TWord> x, ReadOnlyView<float> saved, SelectiveScanGradientViews<TWord> gradient, ScanParts parts, [Constant] SelectiveScanTraits traits, [Constant] ScanPass pass)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int width = ScanLane.Channels, warps = Group.Size / Warp.Size;
        ScanGradientTile tile = ScanGradientTile.Allocate(traits, ends: false);
        Shared<float> sums = Shared.Allocate<float>(warps * Steps * Sums); // [warp, position, dB then dC]
        Shared<Float4> entries = Shared.Allocate<Float4>(Steps / Eighth * Group.Size);

        int sample = Grid.IndexY, firstChannel = Grid.IndexX * width, channel = firstChannel + ScanLane.Channel;
        bool inside = channel < x.Channels;
        int begin = 0, end = x.Length, part = 0;
        if (pass == ScanPass.Parts)
        {
            part = Grid.IndexZ;
            begin = part * parts.Length;
            end = Math.Min(begin + parts.Length, x.Length);
        }

        int valid = Math.Min(x.Valid(sample, traits), end), chunks = (x.Length + Steps - 1) / Steps, firstChunk = begin / Steps, used = Math.Max(firstChunk, (valid + Steps - 1) / Steps);
        long row = ((long)sample * x.Channels) + channel, cells = (long)Grid.SizeY * x.Channels;
        Walk walk = default;
        walk.Decay = ScanLane.Load(x.A, channel, x.States, inside, traits.Vectors);
        for (int i = 0; i < 4; i++)
        {
            walk.Decay[i] *= Base2.Log2E;
        }

        walk.States = default;
        walk.Decays = default;
        walk.Later.Fill(0f);
        if (pass == ScanPass.Parts && part + 1 < Grid.SizeZ)
        {
            walk.Later = ScanLane.Load(parts.Ends, ((Grid.SizeZ - 2 - part) * cells) + row, x.States, inside, traits.Vectors);
        }

        walk.DecayGradient.Fill(0f);
        float skip = traits.HasSkip && inside ? x.D[channel] : 0f, skipGradient = 0f, biasGradient = 0f;
        ClearRest<TWord, TFormat>(x, gradient, sample, channel, inside, used * Steps, end, traits);
        for (int chunk = used - 1; chunk >= firstChunk; chunk--)
        {
            Loop.Keep();
            Registers<float, N4> state = ScanLane.Load(saved, ((((long)sample * chunks) + chunk) * x.Channels) + channel, x.States, inside, traits.Vectors);
            tile.Fill<TWord, TFormat>(x, gradient.Y, sample, firstChannel, chunk * Steps, valid, traits, ends: false);
            Group.Barrier();
            for (int eighth = 0; eighth < Steps / Eighth; eighth++)
            {
                Loop.Keep();
                entries[(eighth * Group.Size) + Group.Thread] = new Float4(state[0], state[1], state[2], state[3]);
                if (eighth < (Steps / Eighth) - 1)
                {
                    for (int i = 0; i < Eighth; i++)
                    {
                        Loop.Unroll();
                        Advance(ref state, walk.Decay, tile, (eighth * Eighth) + i, traits);
                    }
                }
            }

            for (int eighth = (Steps / Eighth) - 1; eighth >= 0; eighth--)
            {
                Loop.Keep();
                Float4 entry = entries[(eighth * Group.Size) + Group.Thread];
                Recompute(ref walk, entry, tile, eighth * Eighth, traits);
                for (int half = 1; half >= 0; half--)
                {
                    Loop.Unroll();
                    Totals totals = new() { Ungated = default, ForA = default, ForB = default };
                    for (int i = 3; i >= 0; i--)
                    {
                        Loop.Unroll();
                        StepBack(ref walk, ref totals, tile, sums, eighth * Eighth, (half * 4) + i, i);
                    }

                    // Each part of a channel finishes one of the four positions.
                    float forB = ScanLane.SumOverParts(totals.ForB), forA = ScanLane.SumOverParts(totals.ForA), ungated = traits.HasGate ? ScanLane.SumOverParts(totals.Ungated) : 0f;
                    int own = (eighth * Eighth) + (half * 4) + ScanLane.Part, position = (chunk * Steps) + own, at = (own * width) + ScanLane.Channel;
                    Float2 output = tile.Outputs[at], slope = tile.Slopes[at];
                    float delta = tile.Inputs[at].X;
                    float du = GpuMath.Fma(forB, delta, skip * output.X);
                    float ddelta = GpuMath.Fma(forA, Base2.Ln2, forB * output.Y) * slope.Y;
                    skipGradient = GpuMath.Fma(output.X, output.Y, skipGradient);
                    biasGradient += ddelta;
                    if (inside && position < end)
                    {
                        long target = ((long)sample * x.Length) + position;
                        gradient.U[(target * gradient.PitchU) + channel] = TFormat.Narrow(du);
                        gradient.Delta[(target * gradient.PitchDelta) + channel] = TFormat.Narrow(ddelta);
                        if (traits.HasGate)
                        {
                            gradient.Z[(target * gradient.PitchZ) + channel] = TFormat.Narrow(slope.X * GpuMath.Fma(skip, output.Y, ungated));
                        }
                    }
                }
            }

            Group.Barrier();
            AddWarps<TWord>(x, gradient, sums, sample, chunk * Steps);
        }

        long partRow = (part * cells) + row;
        ScanLane.Store(gradient.A, partRow, x.States, inside, traits.Vectors, walk.DecayGradient);
        if (traits.Ends && part == 0)
        {
            ScanLane.Store(gradient.InitialState, row, x.States, inside, traits.Vectors, walk.Later);
        }

        skipGradient += Warp.ShuffleXor(skipGradient, 8);
        skipGradient += Warp.ShuffleXor(skipGradient, 16);
        biasGradient += Warp.ShuffleXor(biasGradient, 8);
        biasGradient += Warp.ShuffleXor(biasGradient, 16);
        if (inside && ScanLane.Part == 0)
        {
            gradient.D[partRow] = skipGradient;
            gradient.Bias[partRow] = biasGradient;
        }
    }

    /// <summary>Zero from a position that does not count to the end of the part.</summary>
    private static void ClearRest<TWord, TFormat>(
        in SelectiveScanArguments<TWord> x, in SelectiveScanGradientViews<TWord> gradient, int sample, int channel, bool inside, int first, int end, SelectiveScanTraits traits)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        View<TWord> u = gradient.U, delta = gradient.Delta, z = gradient.Z;
        View<float> b = gradient.B, c = gradient.C;
        for (int position = first + ScanLane.Part; position < end; position += ScanLane.Parts)
        {
            Loop.Keep();
            if (inside)
            {
                long target = ((long)sample * x.Length) + position;
                u[(target * gradient.PitchU) + channel] = TFormat.Narrow(0f);
                delta[(target * gradient.PitchDelta) + channel] = TFormat.Narrow(0f);
                if (traits.HasGate)
                {
                    z[(target * gradient.PitchZ) + channel] = TFormat.Narrow(0f);
                }
            }
        }

        long rows = (long)Grid.SizeY * x.Length, start = ((rows * Grid.IndexX) + ((long)sample * x.Length)) * x.States;
        for (int i = (first * x.States) + Group.Thread; i < end * x.States; i += Group.Size)
        {
            Loop.Keep();
            b[start + i] = 0f;
            c[start + i] = 0f;
        }
    }

    private static void Advance(ref Registers<float, N4> state, Registers<float, N4> decay, in ScanGradientTile tile, int row, SelectiveScanTraits traits) =>
        SelectiveScanForward.Advance(
            ref state, decay, tile.Inputs[(row * ScanLane.Channels) + ScanLane.Channel], tile.B.As<Float4>()[(row * ScanLane.Parts) + ScanLane.Part],
            traits.HasSequences ? tile.Restarts[row] : 0f, traits.HasSequences);

    /// <summary>The states around eight positions, and their decays.</summary>
    private static void Recompute(ref Walk walk, Float4 entry, in ScanGradientTile tile, int first, SelectiveScanTraits traits)
    {
        walk.States[0] = entry.X;
        walk.States[1] = entry.Y;
        walk.States[2] = entry.Z;
        walk.States[3] = entry.W;
        for (int i = 0; i < Eighth; i++)
        {
            Loop.Unroll();
            int row = first + i;
            Float2 input = tile.Inputs[(row * ScanLane.Channels) + ScanLane.Channel];
            Float4 b = tile.B.As<Float4>()[(row * ScanLane.Parts) + ScanLane.Part];
            float restart = traits.HasSequences ? tile.Restarts[row] : 0f;
            Registers<float, N4> added = default;
            added[0] = input.Y * b.X;
            added[1] = input.Y * b.Y;
            added[2] = input.Y * b.Z;
            added[3] = input.Y * b.W;
            for (int n = 0; n < 4; n++)
            {
                Loop.Unroll();
                float a = SelectiveScanForward.Decay(input.X, walk.Decay[n], restart, traits.HasSequences);
                walk.Decays[(i * 4) + n] = a;
                walk.States[((i + 1) * 4) + n] = GpuMath.Fma(a, walk.States[(i * 4) + n], added[n]);
            }
        }
    }

    /// <summary>Position <paramref name="i"/> of eight, backwards; its totals go to register <paramref name="slot"/>.</summary>
    private static void StepBack(ref Walk walk, ref Totals totals, in ScanGradientTile tile, Shared<float> sums, int first, int i, int slot)
    {
        int row = first + i, at = (row * ScanLane.Channels) + ScanLane.Channel;
        Float2 input = tile.Inputs[at];
        float dy = tile.Outputs[at].X;
        Registers<float, N4> b = Four(tile.B.As<Float4>()[(row * ScanLane.Parts) + ScanLane.Part]), c = Four(tile.C.As<Float4>()[(row * ScanLane.Parts) + ScanLane.Part]);
        Registers<float, N8> overChannels = default;
        float ungated = 0f, forA = 0f, forB = 0f;
        for (int n = 0; n < 4; n++)
        {
            Loop.Unroll();
            float g = GpuMath.Fma(c[n], dy, walk.Later[n]), state = walk.States[((i + 1) * 4) + n];
            ungated = GpuMath.Fma(c[n], state, ungated);
            overChannels[n] = g * input.Y;
            overChannels[n + 4] = dy * state;
            forB = GpuMath.Fma(g, b[n], forB);
            float carried = g * walk.Decays[(i * 4) + n];
            walk.Later[n] = carried;
            float kept = carried * walk.States[(i * 4) + n]; // G r
            forA = GpuMath.Fma(kept, walk.Decay[n], forA);
            walk.DecayGradient[n] = GpuMath.Fma(kept, input.X, walk.DecayGradient[n]);
        }

        totals.Ungated[slot] = ungated;
        totals.ForA[slot] = forA;
        totals.ForB[slot] = forB;

        // Lanes 0–3 of a part now have its four sums of dB, lanes 4–7 those of dC.
        float sum = ScanLane.SumOverChannels(overChannels);
        int lane = Warp.Lane & 7;
        sums[(((Warp.Index * Steps) + row) * Sums) + ((lane >> 2) * ScanLane.States) + (ScanLane.Part * 4) + (lane & 3)] = sum;
    }

    /// <summary>dB and dC of a chunk, over the group's channels.</summary>
    private static void AddWarps<TWord>(in SelectiveScanArguments<TWord> x, in SelectiveScanGradientViews<TWord> gradient, Shared<float> sums, int sample, int first)
        where TWord : unmanaged
    {
        View<float> b = gradient.B, c = gradient.C;
        long rows = (long)Grid.SizeY * x.Length, start = (rows * Grid.IndexX) + ((long)sample * x.Length) + first;
        for (int at = Group.Thread; at < Steps * Sums; at += Group.Size)
        {
            Loop.Keep();
            int row = at / Sums, n = at % ScanLane.States;
            float sum = sums[at];
            for (int warp = 1; warp < Group.Size / Warp.Size; warp++)
            {
                Loop.Unroll();
                sum += sums[(warp * Steps * Sums) + at];
            }

            if (first + row < x.Length && n < x.States)
            {
                if (at % Sums < ScanLane.States)
                {
                    b[((start + row) * x.States) + n] = sum;
                }
                else
                {
                    c[((start + row) * x.States) + n] = sum;
                }
            }
        }
    }

    private static Registers<float, N4> Four(Float4 value)
    {
        Registers<float, N4> four = default;
        four[0] = value.X;
        four[1] = value.Y;
        four[2] = value.Z;
        four[3] = value.W;
        return four;
    }

    /// <summary>What a thread carries backwards.</summary>
    private struct Walk
    {
        /// <summary>A·log₂ e.</summary>
        public Registers<float, N4> Decay;

        /// <summary>exp(Δ_{t+1} A) G_{t+1}.</summary>
        public Registers<float, N4> Later;
        public Registers<float, N4> DecayGradient;

        /// <summary>Before each of eight positions and after the last.</summary>
        public Registers<float, N36> States;

        /// <summary>exp(Δ A) of eight positions.</summary>
        public Registers<float, Times<N8, N4>> Decays;
    }

    /// <summary>This part's sums over the state at four positions.</summary>
    private struct Totals
    {
        public Registers<float, N4> Ungated;
        public Registers<float, N4> ForA;
        public Registers<float, N4> ForB;
    }

    /// <summary>36.</summary>
    private readonly struct N36 : ICount
    {
        public static int Value => 36;
    }
}
