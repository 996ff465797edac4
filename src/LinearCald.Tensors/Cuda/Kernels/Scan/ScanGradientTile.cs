using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>A chunk of a selective scan's data in shared memory, as its gradient needs them: [position, channel] or [position, number of state].</summary>
internal struct ScanGradientTile
{
    /// <summary>Positions.</summary>
    public const int Steps = SelectiveScanForward.ChunkSteps;

    /// <summary>Δ, Δ u.</summary>
    public Shared<Float2> Inputs;

    /// <summary>ȳ, u.</summary>
    public Shared<Float2> Outputs;

    /// <summary>dy·silu′(z), softplus′.</summary>
    public Shared<Float2> Slopes;
    public Shared<float> B;
    public Shared<float> C;

    /// <summary>−∞ where the state restarts, else 0; only with sequences.</summary>
    public Shared<float> Restarts;

    /// <summary>Makes room in shared memory.</summary>
    public static ScanGradientTile Allocate(SelectiveScanTraits traits, bool ends)
    {
        int cells = Steps * ScanLane.Channels;
        ScanGradientTile tile = default;
        tile.Inputs = Shared.Allocate<Float2>(cells);
        tile.Outputs = Shared.Allocate<Float2>(cells);
        tile.Slopes = Shared.Allocate<Float2>(ends ? 1 : cells);
        tile.B = Shared.Allocate<float>(ends ? 1 : Steps * ScanLane.States);
        tile.C = Shared.Allocate<float>(Steps * ScanLane.States);
        tile.Restarts = Shared.Allocate<float>(traits.HasSequences ? Steps : 1);
        return tile;
    }

    /// <summary>Brings a chunk into shared memory, with what is computed once a position and channel.</summary>
    /// <param name="gy">[rows, channels].</param>
    /// <param name="first">The chunk's first position.</param>
    /// <param name="valid">Positions from here on are as if absent: every number that is multiplied is 0 there.</param>
    /// <param name="ends">Only what <see cref="SelectiveScanBackwardEnds"/> needs: Δ, ȳ and C.</param>
    public readonly void Fill<TWord, TFormat>(
        in SelectiveScanArguments<TWord> x, ReadOnlyView<TWord> gy, int sample, int firstChannel, int first, int valid, SelectiveScanTraits traits, bool ends)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        int width = ScanLane.Channels, column = Group.Thread % width, firstRow = (int)((uint)Group.Thread / (uint)width), channel = firstChannel + column;
        Shared<Float2> inputs = Inputs, outputs = Outputs, slopes = Slopes;
        Shared<float> b = B, c = C, restarts = Restarts;
        long start = ((long)sample * x.Length) + first + firstRow;
        long atU = (start * x.PitchU) + channel, atDelta = (start * x.PitchDelta) + channel, atZ = (start * x.PitchZ) + channel, atY = (start * x.Channels) + channel;
        int left = channel < x.Channels ? valid - first - firstRow : 0;
        for (int i = 0; i < Steps / ScanLane.Parts; i++)
        {
            Loop.Unroll();
            int next = i * ScanLane.Parts, at = ((firstRow + next) * width) + column;
            Float2 input = default, output = default, slope = default;
            if (next < left)
            {
                float u = ends ? 0f : TFormat.Widen(x.U[atU + (next * x.PitchU)]);
                float raw = TFormat.Widen(x.Delta[atDelta + (next * x.PitchDelta)]);
                float dy = TFormat.Widen(gy[atY + (next * x.Channels)]);
                float delta = x.StepSize(raw, channel, traits);
                float softplusSlope = traits.Softplus && !ends ? DeviceMath.Sigmoid(traits.HasBias ? raw + x.Bias[channel] : raw) : 1f;
                float gateSlope = 0f;
                if (traits.HasGate)
                {
                    // silu = z s, silu′ = s (1 + z (1 − s))
                    float z = TFormat.Widen(x.Z[atZ + (next * x.PitchZ)]), s = DeviceMath.Sigmoid(z);
                    gateSlope = dy * s * GpuMath.Fma(z, 1f - s, 1f);
                    dy *= z * s;
                }

                input = new Float2(delta, delta * u);
                output = new Float2(dy, u);
                slope = new Float2(gateSlope, softplusSlope);
            }

            inputs[at] = input;
            outputs[at] = output;
            if (!ends)
            {
                slopes[at] = slope;
            }
        }

        int n = Group.Thread % ScanLane.States, stateRows = Group.Size / ScanLane.States, stateRow = Group.Thread / ScanLane.States;
        start = ((long)sample * x.Length) + first + stateRow;
        long atB = (start * x.PitchB) + n, atC = (start * x.PitchC) + n;
        left = n < x.States ? valid - first - stateRow : 0;
        for (int i = 0; i < Steps / stateRows; i++)
        {
            Loop.Unroll();
            float inB = 0f, inC = 0f;
            if (i * stateRows < left)
            {
                inB = ends ? 0f : TFormat.Widen(x.B[atB + (i * stateRows * x.PitchB)]);
                inC = TFormat.Widen(x.C[atC + (i * stateRows * x.PitchC)]);
            }

            if (!ends)
            {
                b[Group.Thread + (i * Group.Size)] = inB;
            }

            c[Group.Thread + (i * Group.Size)] = inC;
        }

        if (traits.HasSequences && Group.Thread < Steps)
        {
            restarts[Group.Thread] = x.Restart(sample, first + Group.Thread);
        }
    }
}
