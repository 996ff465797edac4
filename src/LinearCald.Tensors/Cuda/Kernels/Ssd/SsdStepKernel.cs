using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// One position of every row, the step of generation: h ← exp(Δ A) h + Δ x bᵀ, y = h c + D x. A warp owns one feature and its N states, which it may update in place.
/// Floor: the bytes of the state.
/// </summary>
internal static class SsdStepKernel
{
    /// <summary>Warps of a group.</summary>
    public const int Warps = 4;

    /// <summary>One warp a feature of a head of a row.</summary>
    [Kernel(Name = "ssd_step")]
    public static void Run<TProduct, T>(SsdInputs<T> inputs, View<T> y, View<float> initial, View<float> final, SsdSizes sizes, [Constant] SsdTraits traits)
        where TProduct : struct, ITileProduct<T>
        where T : unmanaged
    {
        int feature = (Grid.IndexX * Warps) + Warp.Index, width = sizes.Heads * traits.HeadSize;
        if (feature < sizes.Batch * width)
        {
            int batch = feature / width, column = feature % width, head = column / traits.HeadSize;
            long state = (long)feature * traits.StateSize;
            bool valid = true;
            if (traits.HasLengths)
            {
                valid = inputs.Lengths[batch] > 0;
            }

            float decay = 1f, input = 0f, skip = 0f;
            long group = head / sizes.HeadsPerGroup * traits.StateSize, b = ((long)batch * sizes.BPitch) + group, c = ((long)batch * sizes.CPitch) + group;
            if (valid)
            {
                float raw = TProduct.Widen(inputs.Delta[((long)batch * sizes.DeltaPitch) + head]) + (traits.HasBias ? inputs.DeltaBias[head] : 0f);
                float delta = SsdDecays.Clamp(SsdDecays.Activate(raw, traits), sizes), x = TProduct.Widen(inputs.X[((long)batch * sizes.XPitch) + column]);
                decay = DeviceMath.Exp(delta * inputs.A[head]);
                input = delta * x;
                skip = traits.HasD ? inputs.D[head] * x : 0f;
            }

            float sum = 0f;
            for (int n = Warp.Lane; n < traits.StateSize; n += Warp.Size)
            {
                float h = traits.HasInitial ? initial[state + n] : 0f;
                if (valid)
                {
                    h = GpuMath.Fma(decay, h, input * TProduct.Widen(inputs.B[b + n]));
                    sum = GpuMath.Fma(h, TProduct.Widen(inputs.C[c + n]), sum);
                }

                if (traits.HasFinal)
                {
                    final[state + n] = h;
                }
            }

            sum = Warp.Sum(sum);
            if (Warp.Lane == 0)
            {
                y[((long)batch * sizes.YPitch) + column] = TProduct.Narrow(sum + skip);
            }
        }
    }
}
