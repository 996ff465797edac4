using LinearCald.Gpu;
using LinearCald.Gpu.Driver;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Catalogue;

/// <summary>
/// Every kernel of the GPU backend, found by giving every operation to a device that only notes what is launched: in the shapes of RoBERTa-base, in each
/// element type.
/// </summary>
public static class KernelCatalogue
{
    private const int Batch = 32;
    private const int Length = 128;
    private const int Width = 768;
    private const int Heads = 12;
    private const int Rank = 64;
    private const int Vocabulary = 50265;
    private const double Dropout = 0.1;

    private static readonly Lazy<IReadOnlyList<CatalogueKernel>> s_all = new(Collect);

    /// <summary>Sorted by name.</summary>
    public static IReadOnlyList<CatalogueKernel> All => s_all.Value;

    /// <summary>A kernel by its name, or by the name without a number: then the first variant.</summary>
    /// <exception cref="CaldException">There is none.</exception>
    public static CatalogueKernel Find(string name) =>
        All.FirstOrDefault(k => k.Name == name) ?? All.FirstOrDefault(k => k.Name.StartsWith(name + ":", StringComparison.Ordinal)) ??
        throw new CaldException($"no kernel is called '{name}'; cald ptx --list shows all {All.Count}");

    private static List<CatalogueKernel> Collect()
    {
        using CatalogueAccelerator accelerator = new();
        GpuDevice device = new(accelerator);
        using (MemoryScope.Begin())
        {
            foreach (DType type in (DType[])[DType.Float32, DType.BFloat16, DType.Float16])
            {
                RunAll(device, type);
            }

            // Hopper has kernels of its own for products in 16 bits.
            accelerator.Capability = 80;
            Products(device, DType.BFloat16);
            Products(device, DType.Float16);
            accelerator.Capability = 90;
            device.TensorFloat32 = true;
            Products(device, DType.Float32);
            Attentions(device, DType.Float32);
            StateSpaceDual(device, DType.Float32);
            Convolutions(device, DType.Float32);
        }

        Kernels.FmaPeak.Launch(device, 1);
        HashSet<(Kernel, Index3, string)> seen = [];
        List<CatalogueKernel> list = [];
        foreach (IGrouping<string, (Kernel Kernel, Index3 Group, byte[] Arguments)> named in accelerator.Launches
            .Where(l => seen.Add((l.Kernel, l.Group, ConstantsOf(l.Kernel, l.Arguments)))).GroupBy(l => l.Kernel.Name).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            (Kernel Kernel, Index3 Group, byte[] Arguments)[] variants = [.. named];
            list.AddRange(variants.Select((v, i) => new CatalogueKernel(variants.Length == 1 ? named.Key : $"{named.Key}:{i + 1}", v.Kernel, v.Group, v.Arguments)));
        }

        return list;
    }

    private static string ConstantsOf(Kernel kernel, byte[] arguments) =>
        string.Concat(kernel.Parameters.Where(p => p.IsConstant)
            .SelectMany(p => ValueBytes.Of(p.Type).Select(run => Convert.ToHexString(arguments, p.Offset + run.Offset, run.Size) + " ")));

    private static void RunAll(GpuDevice device, DType type)
    {
        Backend backend = device.Backend;
        Tensor x = Make(type, Batch, Length, Width), y = Make(type, Batch, Length, Width), z = Make(type, Batch, Length, Width);
        Tensor row = Make(type, Width), one = Make(type, 1), loss = Make(DType.Float32, 1), total = Make(DType.Float64, 1), leftOut = Make(DType.Float64, 1);
        Tensor w = Make(DType.Float32, Width), b = Make(DType.Float32, Width), gw = Make(DType.Float32, Width), gb = Make(DType.Float32, Width);
        Tensor mean = Make(DType.Float32, Batch * Length), rstd = Make(DType.Float32, Batch * Length), ids = Make(DType.Int32, Batch, Length);
        Tensor lengths = Make(DType.Int32, Batch), wide = Make(DType.Float32, Batch, Length, Width);

        backend.Fill(x, 1);
        backend.Fill(x.Narrow(2, 0, Width / 2), 1);
        backend.Copy(x, y);
        backend.Copy(x, wide);
        backend.Copy(wide, x);
        backend.Copy(x.Transpose(1, 2), Make(type, Batch, Width, Length));
        backend.Copy(x.Narrow(2, 0, Width / 2), Make(type, Batch, Length, Width / 2));
        backend.AddInPlace(y, x);
        backend.Affine(x, 2, 0, y);
        backend.Affine(x, 2, 1, y);
        foreach (Activation f in Enum.GetValues<Activation>().Where(f => f != Activation.None))
        {
            backend.Unary(f, x, y);
            backend.UnaryGradient(f, x, y, z);
        }

        foreach (BinaryKind kind in Enum.GetValues<BinaryKind>())
        {
            backend.Binary(kind, x, y, z);
            backend.Binary(kind, x, row, z);
            backend.Binary(kind, x, one, z);
        }

        backend.Sum(x, one);
        backend.SumRows(x, gw, accumulate: false);
        backend.SumRows(x, gw, accumulate: true);
        foreach (bool log in (bool[])[false, true])
        {
            backend.Softmax(x, y, log);
            backend.SoftmaxGradient(x, y, z, log);
        }

        backend.LayerNorm(x, w, b, 1e-5, y, mean, rstd);
        backend.LayerNormGradient(y, x, w, mean, rstd, z, gw, false, gb, false);
        backend.LayerNormGradient(y, x, w, mean, rstd, z, gw, true, gb, true);
        backend.ResidualLayerNorm(x, y, w, b, 1e-5, 0, default, z, y, mean, rstd);
        backend.ResidualLayerNorm(x, y, w, b, 1e-5, Dropout, default, z, y, mean, rstd);
        backend.Dropout(x, y, Dropout, default);
        backend.Embedding(Make(type, Vocabulary, Width), ids, x);
        backend.EmbeddingGradient(ids, x, Make(DType.Float32, Vocabulary, Width), 1, accumulate: false);
        foreach (Tensor logits in (Tensor[])[Make(type, Batch, 2), Make(type, Batch * Length, Vocabulary)])
        {
            Tensor labels = Make(DType.Int32, logits.Shape[0]), lse = Make(DType.Float32, logits.Shape[0]), glogits = Make(type, logits.Shape[0], logits.Shape[1]);
            backend.CrossEntropy(logits, labels, -100, Reduction.Mean, loss, lse);
            backend.CrossEntropyGradient(logits, labels, -100, Reduction.Mean, lse, loss, glogits);
            backend.LabelScores(logits, labels, lse, labels);
            if (type != DType.Float32)
            {
                backend.CrossEntropyGradient(Make(DType.Float32, logits.Shape[0], logits.Shape[1]), labels, -100, Reduction.Sum, lse, loss, glogits);
            }

            backend.KlDivergence(logits, glogits, 2, 1, loss);
            backend.KlDivergenceGradient(logits, glogits, 2, 1, loss, glogits);
        }

        foreach (bool normalise in (bool[])[false, true])
        {
            backend.LayerMse(x, y, lengths, normalise, 1, loss);
            backend.LayerMseGradient(x, y, lengths, normalise, 1, loss, z);
        }

        Tensor spoken = Make(type, Batch, Length, 32), slope = Make(DType.Float32, Batch, Length, 32), targets = Make(DType.Int32, Batch, 40), losses = Make(DType.Float32, Batch);
        backend.CtcLoss(spoken, targets, lengths, lengths, 0, true, losses, null);
        backend.CtcLoss(spoken, targets, lengths, lengths, 0, true, losses, slope);
        backend.ScaleSamples(slope, losses, spoken);

        Products(device, type);
        Attentions(device, type);
        Scans(device, type);
        Sequences(device, type);
        Convolutions(device, type);
        Speech(device, type);
        StateSpaceDual(device, type);
        backend.AddSumOfSquares(x, total);
        if (type == DType.Float32)
        {
            AdamWStep step = new(1e-3, 0.9, 0.999, 1e-8, 0.01, 1, 1);
            backend.AdamW(w, gw, b, gb, step);
            backend.AdamWAll([new AdamWSlot(w, gw, b, gb, true)], [], step, 1, total, leftOut);
        }

        backend.Normal(x, 0, 1, default);
        backend.Uniform(x, 0, 1, default);

        Tensor Make(DType of, params ReadOnlySpan<int> extents) => Tensor.Empty(device, of, new Shape(extents));
    }

    /// <summary>What language models have besides products, attention and scans, in Pythia's and Mamba's shapes.</summary>
    private static void Sequences(GpuDevice device, DType type)
    {
        Backend backend = device.Backend;
        Tensor joint = Make(type, Batch, Length, 3 * Width), parts = Make(type, 3, Batch, Length, Width);
        backend.SplitHeadsRotary(joint, Heads, 16, 10_000, 0, parts);
        backend.SplitHeadsRotaryGradient(parts, Heads, 16, 10_000, 0, joint);

        Tensor x = joint.Narrow(2, 0, Width), z = joint.Narrow(2, Width, Width), y = Make(type, Batch, Length, Width), gx = Make(type, Batch, Length, Width), gz = Make(type, Batch, Length, Width);
        Tensor w = Make(DType.Float32, Width), bias = Make(DType.Float32, Width), taps = Make(DType.Float32, Width, 1, 4), gtaps = Make(DType.Float32, Width, 1, 4);
        Tensor sequences = Make(DType.Int32, Batch, Length), lengths = Make(DType.Int32, Batch), state = Make(DType.Float32, Batch, 3, Width);
        backend.AddInPlace(x, y);
        backend.CausalConv1d(x, taps, bias, Activation.Silu, null, null, null, false, y);
        backend.CausalConv1d(x, taps, bias, Activation.Silu, sequences, lengths, null, false, y);
        backend.CausalConv1d(x, taps, bias, Activation.Silu, null, lengths, null, true, y);
        backend.CausalConv1d(x, taps, bias, Activation.Silu, null, null, state, false, y);
        backend.CausalConv1d(x.Narrow(1, 0, 1).Contiguous(), taps, bias, Activation.Silu, null, null, state, false, y.Narrow(1, 0, 1).Contiguous());
        backend.CausalConv1dGradient(y, x, taps, bias, Activation.Silu, null, null, false, gx, gtaps, false, w, false);
        backend.CausalConv1dGradient(y, x, taps, bias, Activation.Silu, sequences, lengths, false, gx, gtaps, true, w, true);
        backend.CausalConv1dGradient(y, x, taps, bias, Activation.Silu, null, lengths, true, gx, gtaps, false, w, false);

        Tensor rstd = Make(DType.Float32, Batch * Length);
        backend.RmsNorm(y, null, w, 1e-5, 1, gx, rstd);
        backend.RmsNormGradient(gx, y, null, w, rstd, 1, gz, null, bias, false);
        backend.RmsNorm(x, z, w, 1e-5, 1, y, rstd);
        backend.RmsNormGradient(y, x, z, w, rstd, 1, gx, gz, bias, false);
        Tensor wide = Make(type, 1, 4, 24 * Width), wideWeight = Make(DType.Float32, 24 * Width);
        backend.RmsNorm(wide, null, wideWeight, 1e-5, 1, wide, rstd);
        backend.RmsNormGradient(wide, wide, null, wideWeight, rstd, 1, wide, null, wideWeight, false);

        Tensor Make(DType of, params ReadOnlySpan<int> extents) => Tensor.Empty(device, of, new Shape(extents));
    }

    /// <summary>The layers of wav2vec2's encoder of waves: the first, one between, and the positional one.</summary>
    private static void Convolutions(GpuDevice device, DType type)
    {
        Backend backend = device.Backend;
        foreach ((int inputs, int outputs, int taps, int stride, int padding, int groups) in
            ((int, int, int, int, int, int)[])[(1, 512, 10, 5, 0, 1), (512, 512, 3, 2, 0, 1), (Width, Width, 128, 1, 64, 16)])
        {
            Tensor x = Make(type, Batch, 4 * Length, inputs), w = Make(type, outputs, taps, inputs / groups), bias = Make(DType.Float32, outputs);
            Tensor y = Make(type, Batch, (((4 * Length) + (2 * padding) - taps) / stride) + 1, outputs), gw = Make(DType.Float32, outputs, taps, inputs / groups);
            backend.Conv1d(x, w, bias, stride, padding, groups, Activation.GeluErf, null, ProductDigits.Eleven, y);
            backend.Conv1d(x, w, bias, stride, padding, groups, Activation.GeluErf, null, ProductDigits.Sixteen, y);
            backend.Conv1d(x, w, bias, stride, padding, groups, Activation.GeluErf, y, ProductDigits.Eleven, y);
            backend.Conv1dWeightGradient(y, x, stride, padding, groups, gw);
            backend.Conv1dInputGradient(y, w, stride, padding, groups, ProductDigits.Eleven, x);
            backend.Conv1dInputGradient(y, w, stride, padding, groups, ProductDigits.Sixteen, x);
        }

        Tensor Make(DType of, params ReadOnlySpan<int> extents) => Tensor.Empty(device, of, new Shape(extents));
    }

    /// <summary>What wav2vec2 has besides products, attention and convolutions.</summary>
    private static void Speech(GpuDevice device, DType type)
    {
        Backend backend = device.Backend;
        Tensor x = Make(type, Batch, Length, 512), y = Make(type, Batch, Length, 512), row = Make(DType.Float32, 512), other = Make(DType.Float32, 512);
        Tensor mean = Make(DType.Float32, Batch * 512), rstd = Make(DType.Float32, Batch * 512);
        backend.GroupNorm(x, 512, row, other, 1e-5, y, mean, rstd);
        backend.GroupNormGradient(y, x, 512, row, mean, rstd, x, row, false, other, false);

        Tensor mask = Make(DType.Int32, Batch, Length), features = Make(DType.Int32, Batch, 512), lengths = Make(DType.Int32, Batch), pooled = Make(type, Batch, 512);
        backend.ReplaceRows(x, mask, row, y);
        backend.ReplaceRowsGradient(y, mask, x, row, false);
        backend.MaskRows(x, lengths, y);
        backend.MaskFeatures(x, features, y);
        foreach (Tensor? valid in (Tensor?[])[null, lengths])
        {
            backend.MeanRows(x, valid, pooled);
            backend.MeanRowsGradient(pooled, valid, x);
        }

        if (type == DType.Float32)
        {
            Tensor v = Make(type, Width, Width / 16, 128), gv = Make(type, Width, Width / 16, 128), g = Make(type, 128), norm = Make(type, 128);
            backend.WeightNorm(v, g, gv, norm);
            backend.WeightNormGradient(v, v, g, norm, gv, false, g, false);
            backend.WeightNormGradient(v, v, g, norm, gv, true, g, true);
        }

        Tensor Make(DType of, params ReadOnlySpan<int> extents) => Tensor.Empty(device, of, new Shape(extents));
    }

    private static void Products(GpuDevice device, DType type)
    {
        Tensor x = Make(type, Batch * Length, Width), w = Make(type, 4 * Width, Width), bias = Make(DType.Float32, 4 * Width);
        Tensor y = Make(type, Batch * Length, 4 * Width), pre = Make(type, Batch * Length, 4 * Width);
        device.Backend.Linear(x, w, bias, Activation.None, null, y);
        device.Backend.Linear(x, w, bias, Activation.None, null, y, digits: ProductDigits.Sixteen);
        device.Backend.Linear(x, w, bias, Activation.GeluErf, pre, y);
        device.Backend.Linear(x, w, null, Activation.None, null, Make(DType.Float32, Batch * Length, 4 * Width));
        device.Backend.MatMul(y, false, w, false, Make(DType.Float32, Batch * Length, Width), 1, accumulate: false);
        device.Backend.MatMul(y, false, w, false, x, 1, accumulate: false);
        device.Backend.MatMul(y, false, w, false, x, 1, accumulate: false, digits: ProductDigits.Sixteen);
        device.Backend.MatMul(y, true, x, false, Make(DType.Float32, 4 * Width, Width), 1, accumulate: true, digits: ProductDigits.Sixteen);
        device.Backend.MatMul(y, true, x, false, Make(DType.Float32, 4 * Width, Width), 1, accumulate: true);
        device.Backend.MatMul(x, true, y, false, Make(type, Width, 4 * Width), 1, accumulate: false);
        device.Backend.MatMul(w, true, pre, true, Make(type, Width, Batch * Length), 1, accumulate: false);

        Tensor Make(DType of, params ReadOnlySpan<int> extents) => Tensor.Empty(device, of, new Shape(extents));
    }

    private static void Attentions(GpuDevice device, DType type)
    {
        Backend backend = device.Backend;
        Tensor q = Hidden(), k = Hidden(), v = Hidden(), y = Hidden(), gy = Hidden(), gq = Hidden(), gk = Hidden(), gv = Hidden();
        Tensor lse = Make(DType.Float32, Batch, Heads, Length), lengths = Make(DType.Int32, Batch);
        Tensor? rest = AttentionOperation.RestOf(y, true);
        double scale = 1 / Math.Sqrt(Width / Heads);
        foreach ((bool causal, double p) in ((bool, double)[])[(false, 0), (false, Dropout), (true, 0)])
        {
            backend.Attention(q, k, v, causal ? null : lengths, Heads, causal, scale, p, default, y, lse);
            backend.Attention(q, k, v, causal ? null : lengths, Heads, causal, scale, p, default, y, lse, rest);
            backend.AttentionGradient(q, k, v, causal ? null : lengths, Heads, causal, scale, p, default, y, lse, gy, gq, gk, gv, rest);
        }

        Tensor e = Make(type, 512, Rank), ge = Make(type, 512, Rank), kProjected = Make(type, Batch, Rank, Width), vProjected = Make(type, Batch, Rank, Width);
        backend.LinformerAttention(q, k, v, e, e, lengths, Heads, scale, Dropout, default, y, lse, kProjected, vProjected, rest);
        backend.LinformerAttentionGradient(
            q, k, v, e, e, lengths, Heads, scale, Dropout, default, y, lse, kProjected, vProjected, gy, gq, gk, gv, ge, false, ge, false, rest);

        Tensor Hidden() => Make(type, Batch, Length, Width);

        Tensor Make(DType of, params ReadOnlySpan<int> extents) => Tensor.Empty(device, of, new Shape(extents));
    }

    private static void Scans(GpuDevice device, DType type)
    {
        const int States = 16;
        Tensor a = Make(DType.Float32, Width, States), row = Make(DType.Float32, Width), ga = Make(DType.Float32, Width, States), grow = Make(DType.Float32, Width);
        Tensor state = Make(DType.Float32, Batch, Width, States), narrow = Make(type, Batch, Length, States), gnarrow = Make(type, Batch, Length, States);
        Tensor x = Make(type, Batch, Length, Width), y = Make(type, Batch, Length, Width);
        SelectiveScanInputs inputs = new(x, x, a, narrow, narrow, row, x, row, true, null, null, null);
        foreach (SelectiveScanInputs scan in (SelectiveScanInputs[])
            [inputs, inputs with { Sequences = Make(DType.Int32, Batch, Length) }, inputs with { Lengths = Make(DType.Int32, Batch) }, inputs with { InitialState = state }])
        {
            Tensor saved = device.Backend.SelectiveScanSaved(scan);
            device.Backend.SelectiveScan(scan, y, null, null);
            device.Backend.SelectiveScan(scan, y, state, saved);
            device.Backend.SelectiveScanGradient(scan, saved, y, new(y, y, ga, gnarrow, gnarrow, grow, y, grow, scan.InitialState is null ? null : state));
        }

        // a long row of few channels is cut in time
        Tensor far = Make(type, 1, 4096, Width), farNarrow = Make(type, 1, 4096, States);
        SelectiveScanInputs cut = inputs with { U = far, Delta = far, Z = far, B = farNarrow, C = farNarrow };
        Tensor entries = device.Backend.SelectiveScanSaved(cut);
        device.Backend.SelectiveScan(cut, far, null, entries);
        device.Backend.SelectiveScanGradient(cut, entries, far, new(far, far, ga, farNarrow, farNarrow, grow, far, grow, null));
        Tensor one = Make(type, Batch, 1, Width), narrowOne = Make(type, Batch, 1, States);
        device.Backend.SelectiveScan(inputs with { U = one, Delta = one, Z = one, B = narrowOne, C = narrowOne, InitialState = state }, one, state, null);

        Tensor Make(DType of, params ReadOnlySpan<int> extents) => Tensor.Empty(device, of, new Shape(extents));
    }

    private static void StateSpaceDual(GpuDevice device, DType type)
    {
        const int States = 128;
        Tensor x = Make(type, Batch, Length, Width), delta = Make(type, Batch, Length, Heads), b = Make(type, Batch, Length, States), head = Make(DType.Float32, Heads);
        Tensor state = Make(DType.Float32, Batch, Heads, Width / Heads, States), one = Make(type, Batch, 1, Width), narrow = Make(type, Batch, 1, States);
        SsdOptions options = new() { Heads = Heads, Softplus = true };
        foreach (SsdOptions scan in (SsdOptions[])
            [options, options with { Reverse = true, Lengths = Make(DType.Int32, Batch), Sequences = Make(DType.Int32, Batch, Length), InitialState = state, FinalState = state }])
        {
            SsdArguments arguments = new(x, delta, head, b, b, head, head, scan);
            Tensor? saved = device.Backend.SsdSaved(arguments);
            device.Backend.SsdScan(arguments, x, null);
            device.Backend.SsdScan(arguments, x, saved);
            device.Backend.SsdScanGradient(arguments, saved, x, new(x, delta, head, b, b, head, head, scan.InitialState));
        }

        // long enough to be cut
        Tensor far = Make(type, 1, 4096, Width), farNarrow = Make(type, 1, 4096, States), farDelta = Make(type, 1, 4096, Heads);
        SsdArguments cut = new(far, farDelta, head, farNarrow, farNarrow, head, head, options);
        Tensor? entries = device.Backend.SsdSaved(cut);
        device.Backend.SsdScan(cut, far, entries);
        device.Backend.SsdScanGradient(cut, entries, far, new(far, farDelta, head, farNarrow, farNarrow, head, head, null));
        device.Backend.SsdScan(new(one, Make(type, Batch, 1, Heads), head, narrow, narrow, head, head, options with { InitialState = state, FinalState = state }), one, null);

        Tensor Make(DType of, params ReadOnlySpan<int> extents) => Tensor.Empty(device, of, new Shape(extents));
    }
}
