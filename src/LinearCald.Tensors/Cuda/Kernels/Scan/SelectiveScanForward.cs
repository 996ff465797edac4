using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>What a launch of the forward scan does with the parts that time is cut into when there are too few channels to fill the device.</summary>
internal enum ScanPass
{
    /// <summary>Everything: there is one part.</summary>
    Whole,

    /// <summary>Only the last state of each part but the last, from zero (the first part: from the initial state), and the sum of its Δ.</summary>
    Ends,

    /// <summary>Everything, each part from the state that <see cref="ScanCarry"/> found for it.</summary>
    Parts,
}

/// <summary>Parts of time.</summary>
internal struct ScanParts
{
    /// <summary>[parts, batch, channels, states]: where a part ends by itself, then where it really ends; in place of the last one the initial state.</summary>
    public View<float> Ends;

    /// <summary>[parts − 1, batch, channels]: Σ Δ of a part, ∞ where the state restarts within.</summary>
    public View<float> Steps;

    /// <summary>Positions of a part: a multiple of <see cref="SelectiveScanForward.ChunkSteps"/>.</summary>
    public int Length;
}

/// <summary>
/// h_t = exp(Δ_t A) h_{t−1} + Δ_t B_t u_t, y_t = (C_t·h_t + D u_t)·silu(z_t). Channels lie across lanes, four lanes a channel, and time is walked in order: nothing is computed
/// twice, as a parallel scan would. A is multiplied by log₂ e, so that a decay is one product and one special instruction.
/// </summary>
/// <remarks>
/// <para>Tiles of 16 positions go through shared memory twice buffered: while one is walked, the words of the next are on their way to registers; Δ, Δ u, D u and the gate are
/// computed once a position and channel on their way from there to shared memory. B and C are read once for a group's channels.</para>
/// <para>With few channels time is cut into parts: the state at the end of each is found first (<see cref="ScanPass.Ends"/>), then carried from part to part
/// (<see cref="ScanCarry"/>), then all parts run at once.</para>
/// <para>Floor: one exponential a position, channel and number of state (16 a cycle and multiprocessor), or reading u, delta, z and writing y once.</para>
/// </remarks>
internal static class SelectiveScanForward
{
    /// <summary>Positions of a tile.</summary>
    public const int Steps = 16;

    /// <summary>Positions from one saved state to the next.</summary>
    public const int ChunkSteps = 32;

    /// <summary>Rows of a tile that a thread brings.</summary>
    private const int OwnRows = Steps / ScanLane.Parts;

    /// <summary>Grid: blocks of channels · samples · parts. Group: four threads a channel.</summary>
    /// <param name="saved">[batch, chunks, channels, states].</param>
    [Kernel(Name = "selective_scan_forward")]
    public static void Run<TWord, TFormat>(
        SelectiveScanArguments<TWord> x, View<TWord> y, View<float> finalState, View<float> saved, ScanParts parts, [Constant] SelectiveScanTraits traits, [Constant] ScanPass pass)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int width = ScanLane.Channels;
        bool ends = pass == ScanPass.Ends;
        Shared<Float2> inputs = Shared.Allocate<Float2>(2 * Steps * width); // Δ, Δ u
        Shared<Float2> outputs = Shared.Allocate<Float2>(ends ? 1 : 2 * Steps * width); // D u, gate
        Shared<float> b = Shared.Allocate<float>(2 * Steps * ScanLane.States);
        Shared<float> c = Shared.Allocate<float>(ends ? 1 : 2 * Steps * ScanLane.States);
        Shared<float> restarts = Shared.Allocate<float>(traits.HasSequences ? 2 * Steps : 1);

        int sample = Grid.IndexY, firstChannel = Grid.IndexX * width, channel = firstChannel + ScanLane.Channel;
        bool inside = channel < x.Channels;
        int begin = 0, end = x.Length, part = 0;
        if (pass != ScanPass.Whole)
        {
            part = Grid.IndexZ;
            begin = part * parts.Length;
            end = Math.Min(begin + parts.Length, x.Length);
        }

        int valid = Math.Min(x.Valid(sample, traits), end);
        long row = ((long)sample * x.Channels) + channel;
        Registers<float, N4> decay = ScanLane.Load(x.A, channel, x.States, inside, traits.Vectors);
        Registers<float, N4> state = default;
        state.Fill(0f);
        long cells = (long)Grid.SizeY * x.Channels;
        if (pass == ScanPass.Parts)
        {
            // The initial state may be overwritten by the last part by now: the first one reads the copy.
            int slot = part == 0 ? Grid.SizeZ - 1 : part - 1;
            if (traits.HasInitialState || part > 0)
            {
                state = ScanLane.Load(parts.Ends, (slot * cells) + row, x.States, inside, traits.Vectors);
            }
        }
        else if (traits.HasInitialState && part == 0)
        {
            state = ScanLane.Load(x.InitialState, row, x.States, inside, traits.Vectors);
            if (ends)
            {
                ScanLane.Store(parts.Ends, (Grid.SizeZ * cells) + row, x.States, inside, traits.Vectors, state);
            }
        }

        for (int i = 0; i < 4; i++)
        {
            decay[i] *= Base2.Log2E;
        }

        int tiles = Math.Max(0, valid - begin + Steps - 1) / Steps, chunks = (x.Length + ChunkSteps - 1) / ChunkSteps;
        long start = (long)sample * x.Length;
        float elapsed = 0f;
        Words<TWord> words = default;
        words.Load(x, start, firstChannel, begin, valid, traits, ends);
        for (int tile = 0; tile < tiles; tile++)
        {
            Loop.Keep();
            int stage = (tile & 1) * Steps, first = begin + (tile * Steps);
            words.Put<TFormat>(
                x, inputs.From(stage * width), outputs.From(ends ? 0 : stage * width), b.From(stage * ScanLane.States), c.From(ends ? 0 : stage * ScanLane.States), firstChannel, valid - first, traits, ends);
            if (traits.HasSequences && Group.Thread < Steps)
            {
                restarts[stage + Group.Thread] = x.Restart(sample, first + Group.Thread);
            }

            // The other half was last read a tile ago, before the barrier of that tile's successor: this one.
            Group.Barrier();
            if (tile + 1 < tiles)
            {
                words.Load(x, start, firstChannel, first + Steps, valid, traits, ends);
            }

            if (traits.Saves && !ends && first % ChunkSteps == 0)
            {
                long chunk = ((long)sample * chunks) + (first / ChunkSteps);
                ScanLane.Store(saved, (chunk * x.Channels) + channel, x.States, inside, traits.Vectors, state);
            }

            for (int four = 0; four < Steps; four += 4)
            {
                Loop.Keep();
                Registers<float, N4> sums = default;
                for (int i = 0; i < 4; i++)
                {
                    Loop.Unroll();
                    int at = stage + four + i;
                    Float2 input = inputs[(at * width) + ScanLane.Channel];
                    float restart = traits.HasSequences ? restarts[at] : 0f;
                    Advance(ref state, decay, input, b.As<Float4>()[(at * ScanLane.Parts) + ScanLane.Part], restart, traits.HasSequences);
                    if (ends)
                    {
                        elapsed += traits.HasSequences ? input.X - restart : input.X;
                    }
                    else
                    {
                        Float4 reads = c.As<Float4>()[(at * ScanLane.Parts) + ScanLane.Part];
                        sums[i] = GpuMath.Fma(reads.W, state[3], GpuMath.Fma(reads.Z, state[2], GpuMath.Fma(reads.Y, state[1], reads.X * state[0])));
                    }
                }

                if (!ends)
                {
                    // Each part of a channel finishes one of the four positions.
                    float sum = ScanLane.SumOverParts(sums);
                    int own = four + ScanLane.Part, position = first + own;
                    Float2 rest = outputs[((stage + own) * width) + ScanLane.Channel];
                    sum += rest.X;
                    if (traits.HasGate)
                    {
                        sum *= rest.Y;
                    }

                    if (inside && position < end)
                    {
                        y[((start + position) * x.Channels) + channel] = TFormat.Narrow(position < valid ? sum : 0f);
                    }
                }
            }
        }

        if (ends)
        {
            long target = (part * cells) + row;
            ScanLane.Store(parts.Ends, target, x.States, inside, traits.Vectors, state);
            if (inside && ScanLane.Part == 0)
            {
                parts.Steps[target] = elapsed;
            }
        }
        else
        {
            for (int position = begin + (tiles * Steps) + ScanLane.Part; position < end; position += ScanLane.Parts)
            {
                Loop.Keep();
                if (inside)
                {
                    y[((start + position) * x.Channels) + channel] = TFormat.Narrow(0f);
                }
            }

            if (traits.Ends && end == x.Length)
            {
                ScanLane.Store(finalState, row, x.States, inside, traits.Vectors, state);
            }
        }
    }

    /// <summary>exp(Δ A), or 0 where the state restarts.</summary>
    public static float Decay(float delta, float decay, float restart, bool restarts) =>
        GpuMath.Exp2Approximate(restarts ? GpuMath.Fma(delta, decay, restart) : delta * decay);

    /// <summary>The state one position on.</summary>
    public static void Advance(ref Registers<float, N4> state, Registers<float, N4> decay, Float2 input, Float4 b, float restart, bool restarts)
    {
        state[0] = GpuMath.Fma(Decay(input.X, decay[0], restart, restarts), state[0], input.Y * b.X);
        state[1] = GpuMath.Fma(Decay(input.X, decay[1], restart, restarts), state[1], input.Y * b.Y);
        state[2] = GpuMath.Fma(Decay(input.X, decay[2], restart, restarts), state[2], input.Y * b.Z);
        state[3] = GpuMath.Fma(Decay(input.X, decay[3], restart, restarts), state[3], input.Y * b.W);
    }

    /// <summary>One thread's words of a tile.</summary>
    private struct Words<TWord>
        where TWord : unmanaged
    {
        private Registers<TWord, N4> _u;
        private Registers<TWord, N4> _delta;
        private Registers<TWord, N4> _z;
        private Registers<TWord, N8> _b;
        private Registers<TWord, N8> _c;

        private static int Column => Group.Thread % ScanLane.Channels;

        private static int Row => (int)((uint)Group.Thread / (uint)ScanLane.Channels);

        private static int StateWords => Steps * ScanLane.States / Group.Size;

        private static int StateRows => Group.Size / ScanLane.States;

        public void Load(in SelectiveScanArguments<TWord> x, long start, int firstChannel, int first, int valid, SelectiveScanTraits traits, bool ends)
        {
            int channel = firstChannel + Column, position = first + Row;
            _u.Fill(default);
            _delta.Fill(default);
            _z.Fill(default);
            _b.Fill(default);
            _c.Fill(default);
            int left = channel < x.Channels ? valid - position : 0;
            long atU = ((start + position) * x.PitchU) + channel, atDelta = ((start + position) * x.PitchDelta) + channel, atZ = ((start + position) * x.PitchZ) + channel;
            for (int i = 0; i < OwnRows; i++)
            {
                Loop.Unroll();
                if (i * ScanLane.Parts < left)
                {
                    _u[i] = x.U[atU + (i * ScanLane.Parts * x.PitchU)];
                    _delta[i] = x.Delta[atDelta + (i * ScanLane.Parts * x.PitchDelta)];
                    if (traits.HasGate && !ends)
                    {
                        _z[i] = x.Z[atZ + (i * ScanLane.Parts * x.PitchZ)];
                    }
                }
            }

            int n = Group.Thread % ScanLane.States;
            position = first + (Group.Thread / ScanLane.States);
            left = n < x.States ? valid - position : 0;
            long atB = ((start + position) * x.PitchB) + n, atC = ((start + position) * x.PitchC) + n;
            for (int i = 0; i < StateWords; i++)
            {
                Loop.Unroll();
                if (i * StateRows < left)
                {
                    _b[i] = x.B[atB + (i * StateRows * x.PitchB)];
                    if (!ends)
                    {
                        _c[i] = x.C[atC + (i * StateRows * x.PitchC)];
                    }
                }
            }
        }

        /// <summary>Past the last of <paramref name="left"/> rows a step of size 0 leaves the state as it is.</summary>
        public readonly void Put<TFormat>(
            in SelectiveScanArguments<TWord> x, Shared<Float2> inputs, Shared<Float2> outputs, Shared<float> b, Shared<float> c, int firstChannel, int left, SelectiveScanTraits traits, bool ends)
            where TFormat : struct, IElementFormat<TWord>
        {
            int channel = Math.Min(firstChannel + Column, x.Channels - 1);
            float skip = traits.HasSkip && !ends ? x.D[channel] : 0f;
            for (int i = 0; i < OwnRows; i++)
            {
                Loop.Unroll();
                int row = Row + (i * ScanLane.Parts);
                float u = TFormat.Widen(_u[i]), delta = x.StepSize(TFormat.Widen(_delta[i]), channel, traits);
                delta = row < left ? delta : 0f;
                inputs[(row * ScanLane.Channels) + Column] = new Float2(delta, delta * u);
                if (!ends)
                {
                    float gate = 1f;
                    if (traits.HasGate)
                    {
                        float z = TFormat.Widen(_z[i]);
                        gate = z * DeviceMath.Sigmoid(z);
                    }

                    outputs[(row * ScanLane.Channels) + Column] = new Float2(skip * u, gate);
                }
            }

            for (int i = 0; i < StateWords; i++)
            {
                Loop.Unroll();
                b[Group.Thread + (i * Group.Size)] = TFormat.Widen(_b[i]);
                if (!ends)
                {
                    c[Group.Thread + (i * Group.Size)] = TFormat.Widen(_c[i]);
                }
            }
        }
    }
}
