using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// h_t = exp(Δ_t A) h_{t−1} + Δ_t B_t u_t, y_t = (C_t·h_t + D u_t)·silu(z_t). Channels lie across lanes, four lanes a channel, and time is walked in order: nothing is computed
/// twice, as a parallel scan would. A is multiplied by log₂ e, so that a decay is one product and one special instruction.
/// </summary>
/// <remarks>
/// Tiles of 16 positions go through shared memory twice buffered: while one is walked, the words of the next are on their way to registers; Δ, Δ u, D u and the gate are
/// computed once a position and channel on their way from there to shared memory. B and C are read once for a group's channels.
/// Floor: one exponential a position, channel and number of state (16 a cycle and multiprocessor), or reading u, delta, z and writing y once.
/// </remarks>
internal static class SelectiveScanForward
{
    /// <summary>Positions of a tile.</summary>
    public const int Steps = 16;

    /// <summary>Positions from one saved state to the next.</summary>
    public const int ChunkSteps = 32;

    /// <summary>Rows of a tile that a thread brings.</summary>
    private const int OwnRows = Steps / ScanLane.Parts;

    /// <summary>Grid: blocks of channels · samples. Group: four threads a channel.</summary>
    /// <param name="saved">[batch, chunks, channels, states].</param>
    [Kernel(Name = "selective_scan_forward")]
    public static void Run<TWord, TFormat>(
        SelectiveScanArguments<TWord> x, View<TWord> y, View<float> finalState, View<float> saved, [Constant] SelectiveScanTraits traits)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int width = ScanLane.Channels;
        Shared<Float2> inputs = Shared.Allocate<Float2>(2 * Steps * width); // Δ, Δ u
        Shared<Float2> outputs = Shared.Allocate<Float2>(2 * Steps * width); // D u, gate
        Shared<float> b = Shared.Allocate<float>(2 * Steps * ScanLane.States);
        Shared<float> c = Shared.Allocate<float>(2 * Steps * ScanLane.States);
        Shared<float> restarts = Shared.Allocate<float>(traits.HasSequences ? 2 * Steps : 1);

        int sample = Grid.IndexY, firstChannel = Grid.IndexX * width, channel = firstChannel + ScanLane.Channel;
        bool inside = channel < x.Channels;
        int valid = x.Valid(sample, traits);
        long row = ((long)sample * x.Channels) + channel;
        Registers<float, N4> decay = ScanLane.Load(x.A, channel, x.States, inside, traits.Vectors);
        Registers<float, N4> state = default;
        state.Fill(0f);
        if (traits.HasInitialState)
        {
            state = ScanLane.Load(x.InitialState, row, x.States, inside, traits.Vectors);
        }

        for (int i = 0; i < 4; i++)
        {
            decay[i] *= Base2.Log2E;
        }

        int tiles = (valid + Steps - 1) / Steps, chunks = (x.Length + ChunkSteps - 1) / ChunkSteps;
        Words<TWord> words = default;
        words.Load(x, sample, firstChannel, 0, valid, traits);
        for (int tile = 0; tile < tiles; tile++)
        {
            Loop.Keep();
            int stage = (tile & 1) * Steps;
            words.Put<TFormat>(x, inputs.From(stage * width), outputs.From(stage * width), b.From(stage * ScanLane.States), c.From(stage * ScanLane.States), firstChannel, tile * Steps, valid, traits);
            if (traits.HasSequences && Group.Thread < Steps)
            {
                restarts[stage + Group.Thread] = x.Restart(sample, (tile * Steps) + Group.Thread);
            }

            // The other half was last read a tile ago, before the barrier of that tile's successor: this one.
            Group.Barrier();
            if (tile + 1 < tiles)
            {
                words.Load(x, sample, firstChannel, (tile + 1) * Steps, valid, traits);
            }

            if (traits.Saves && tile % (ChunkSteps / Steps) == 0)
            {
                long chunk = ((long)sample * chunks) + (tile / (ChunkSteps / Steps));
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
                    sums[i] = Advance(
                        ref state, decay, inputs[(at * width) + ScanLane.Channel], b.As<Float4>()[(at * ScanLane.Parts) + ScanLane.Part], c.As<Float4>()[(at * ScanLane.Parts) + ScanLane.Part],
                        traits.HasSequences ? restarts[at] : 0f, traits.HasSequences);
                }

                // Each part of a channel finishes one of the four positions.
                float sum = ScanLane.SumOverParts(sums);
                int own = four + ScanLane.Part, position = (tile * Steps) + own;
                Float2 rest = outputs[((stage + own) * width) + ScanLane.Channel];
                sum += rest.X;
                if (traits.HasGate)
                {
                    sum *= rest.Y;
                }

                if (inside && position < x.Length)
                {
                    y[((((long)sample * x.Length) + position) * x.Channels) + channel] = TFormat.Narrow(position < valid ? sum : 0f);
                }
            }
        }

        for (int position = (tiles * Steps) + ScanLane.Part; position < x.Length; position += ScanLane.Parts)
        {
            Loop.Keep();
            if (inside)
            {
                y[((((long)sample * x.Length) + position) * x.Channels) + channel] = TFormat.Narrow(0f);
            }
        }

        if (traits.Ends)
        {
            ScanLane.Store(finalState, row, x.States, inside, traits.Vectors, state);
        }
    }

    /// <summary>One position: the new state and this part of C·h.</summary>
    private static float Advance(ref Registers<float, N4> state, Registers<float, N4> decay, Float2 input, Float4 b, Float4 c, float restart, bool restarts)
    {
        state[0] = GpuMath.Fma(Decay(input.X, decay[0], restart, restarts), state[0], input.Y * b.X);
        state[1] = GpuMath.Fma(Decay(input.X, decay[1], restart, restarts), state[1], input.Y * b.Y);
        state[2] = GpuMath.Fma(Decay(input.X, decay[2], restart, restarts), state[2], input.Y * b.Z);
        state[3] = GpuMath.Fma(Decay(input.X, decay[3], restart, restarts), state[3], input.Y * b.W);
        return GpuMath.Fma(c.W, state[3], GpuMath.Fma(c.Z, state[2], GpuMath.Fma(c.Y, state[1], c.X * state[0])));
    }

    /// <summary>exp(Δ A), or 0 where the state restarts.</summary>
    public static float Decay(float delta, float decay, float restart, bool restarts) =>
        GpuMath.Exp2Approximate(restarts ? GpuMath.Fma(delta, decay, restart) : delta * decay);

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

        public void Load(in SelectiveScanArguments<TWord> x, int sample, int firstChannel, int first, int valid, SelectiveScanTraits traits)
        {
            int channel = firstChannel + Column;
            long start = (long)sample * x.Length;
            _u.Fill(default);
            _delta.Fill(default);
            _z.Fill(default);
            _b.Fill(default);
            _c.Fill(default);
            for (int i = 0; i < OwnRows; i++)
            {
                Loop.Unroll();
                int position = first + Row + (i * ScanLane.Parts);
                bool inside = position < valid && channel < x.Channels;
                if (inside)
                {
                    _u[i] = x.U[((start + position) * x.PitchU) + channel];
                    _delta[i] = x.Delta[((start + position) * x.PitchDelta) + channel];
                    if (traits.HasGate)
                    {
                        _z[i] = x.Z[((start + position) * x.PitchZ) + channel];
                    }
                }
            }

            for (int i = 0; i < StateWords; i++)
            {
                Loop.Unroll();
                int at = Group.Thread + (i * Group.Size), position = first + (at / ScanLane.States), n = at % ScanLane.States;
                if (position < valid && n < x.States)
                {
                    _b[i] = x.B[((start + position) * x.PitchB) + n];
                    _c[i] = x.C[((start + position) * x.PitchC) + n];
                }
            }
        }

        public readonly void Put<TFormat>(
            in SelectiveScanArguments<TWord> x, Shared<Float2> inputs, Shared<Float2> outputs, Shared<float> b, Shared<float> c, int firstChannel, int first, int valid, SelectiveScanTraits traits)
            where TFormat : struct, IElementFormat<TWord>
        {
            int channel = firstChannel + Column, known = Math.Min(channel, x.Channels - 1);
            float skip = traits.HasSkip ? x.D[known] : 0f;
            for (int i = 0; i < OwnRows; i++)
            {
                Loop.Unroll();
                int row = Row + (i * ScanLane.Parts);
                float u = TFormat.Widen(_u[i]);

                // Past the end a step of size 0 leaves the state as it is.
                float delta = first + row < valid ? x.StepSize(TFormat.Widen(_delta[i]), known, traits) : 0f;
                inputs[(row * ScanLane.Channels) + Column] = new Float2(delta, delta * u);
                float gate = 1f;
                if (traits.HasGate)
                {
                    float z = TFormat.Widen(_z[i]);
                    gate = z * DeviceMath.Sigmoid(z);
                }

                outputs[(row * ScanLane.Channels) + Column] = new Float2(skip * u, gate);
            }

            for (int i = 0; i < StateWords; i++)
            {
                Loop.Unroll();
                b[Group.Thread + (i * Group.Size)] = TFormat.Widen(_b[i]);
                c[Group.Thread + (i * Group.Size)] = TFormat.Widen(_c[i]);
            }
        }
    }
}
