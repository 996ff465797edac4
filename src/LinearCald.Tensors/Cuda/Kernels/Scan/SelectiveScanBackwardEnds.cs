using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// exp(Δ_t A) G_t at the first position t of every part of time but the first, as if nothing came after the part: G_t = C_t ȳ_t + exp(Δ_{t+1} A) G_{t+1} walked backwards, no states
/// needed. <see cref="ScanCarry"/> then carries them from part to part, the last part first.
/// </summary>
internal static class SelectiveScanBackwardEnds
{
    private const int Steps = ScanGradientTile.Steps;

    /// <summary>Grid: blocks of channels · samples · parts but the first, from the last. Group: four threads a channel.</summary>
    /// <param name="gy">[rows, channels].</param>
    [Kernel(Name = "selective_scan_backward_ends")]
    public static void Run<TWord, TFormat>(SelectiveScanArguments<TWord> x, ReadOnlyView<TWord> gy, ScanParts parts, [Constant] SelectiveScanTraits traits)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        ScanGradientTile tile = ScanGradientTile.Allocate(traits, ends: true);
        int sample = Grid.IndexY, firstChannel = Grid.IndexX * ScanLane.Channels, channel = firstChannel + ScanLane.Channel;
        bool inside = channel < x.Channels;
        int part = Grid.SizeZ - Grid.IndexZ, begin = part * parts.Length, valid = Math.Min(x.Valid(sample, traits), begin + parts.Length);
        Registers<float, N4> decay = ScanLane.Load(x.A, channel, x.States, inside, traits.Vectors);
        Registers<float, N4> later = default;
        later.Fill(0f);
        for (int i = 0; i < 4; i++)
        {
            decay[i] *= Base2.Log2E;
        }

        float elapsed = 0f;
        int chunks = Math.Max(0, valid - begin + Steps - 1) / Steps;
        for (int chunk = chunks - 1; chunk >= 0; chunk--)
        {
            Loop.Keep();

            // everyone has left the chunk before
            Group.Barrier();
            tile.Fill<TWord, TFormat>(x, gy, sample, firstChannel, begin + (chunk * Steps), valid, traits, ends: true);
            Group.Barrier();
            for (int four = Steps - 4; four >= 0; four -= 4)
            {
                Loop.Keep();
                for (int i = 3; i >= 0; i--)
                {
                    Loop.Unroll();
                    int row = four + i, at = (row * ScanLane.Channels) + ScanLane.Channel;
                    float delta = tile.Inputs[at].X, dy = tile.Outputs[at].X, restart = traits.HasSequences ? tile.Restarts[row] : 0f;
                    Float4 c = tile.C.As<Float4>()[(row * ScanLane.Parts) + ScanLane.Part];
                    elapsed += traits.HasSequences ? delta - restart : delta;
                    later[0] = GpuMath.Fma(c.X, dy, later[0]) * SelectiveScanForward.Decay(delta, decay[0], restart, traits.HasSequences);
                    later[1] = GpuMath.Fma(c.Y, dy, later[1]) * SelectiveScanForward.Decay(delta, decay[1], restart, traits.HasSequences);
                    later[2] = GpuMath.Fma(c.Z, dy, later[2]) * SelectiveScanForward.Decay(delta, decay[2], restart, traits.HasSequences);
                    later[3] = GpuMath.Fma(c.W, dy, later[3]) * SelectiveScanForward.Decay(delta, decay[3], restart, traits.HasSequences);
                }
            }
        }

        long target = ((((long)Grid.IndexZ * Grid.SizeY) + sample) * x.Channels) + channel;
        ScanLane.Store(parts.Ends, target, x.States, inside, traits.Vectors, later);
        if (inside && ScanLane.Part == 0)
        {
            parts.Steps[target] = elapsed;
        }
    }
}
