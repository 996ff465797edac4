using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <content>Sums, softmax, norms, dropout.</content>
internal sealed unsafe partial class CpuBackend
{
    public override void Sum(Tensor x, Tensor y)
    {
        switch (x.Type)
        {
            case DType.Float32:
                *Pointer<float>(y) = (float)Reduce.Sum(Pointer<float>(x), x.Count);
                break;
            case DType.Float64:
                *Pointer<double>(y) = Reduce.Sum(Pointer<double>(x), x.Count);
                break;
            default:
                throw Unsupported("Sum", x);
        }
    }

    public override void SumRows(Tensor x, Tensor y, bool accumulate)
    {
        switch (x.Type)
        {
            case DType.Float32:
                ColumnSum.Run(Pointer<float>(x), Pointer<float>(y), x.Shape.Rows, x.Shape.Last, accumulate);
                break;
            case DType.Float64:
                ColumnSum.Run(Pointer<double>(x), Pointer<double>(y), x.Shape.Rows, x.Shape.Last, accumulate);
                break;
            default:
                throw Unsupported("SumRows", x);
        }
    }

    public override void Softmax(Tensor x, Tensor y, bool log)
    {
        switch (x.Type)
        {
            case DType.Float32:
                Softmax<float>(x, y, log);
                break;
            case DType.Float64:
                Softmax<double>(x, y, log);
                break;
            default:
                throw Unsupported("Softmax", x);
        }
    }

    public override void SoftmaxGradient(Tensor y, Tensor gy, Tensor gx, bool log)
    {
        switch (y.Type)
        {
            case DType.Float32:
                SoftmaxGradient<float>(y, gy, gx, log);
                break;
            case DType.Float64:
                SoftmaxGradient<double>(y, gy, gx, log);
                break;
            default:
                throw Unsupported("Softmax", y);
        }
    }

    public override void LayerNorm(Tensor x, Tensor? w, Tensor? b, double eps, Tensor y, Tensor mean, Tensor rstd)
    {
        switch (x.Type)
        {
            case DType.Float32:
                LayerNorm<float>(x, w, b, eps, y, mean, rstd);
                break;
            case DType.Float64:
                LayerNorm<double>(x, w, b, eps, y, mean, rstd);
                break;
            default:
                throw Unsupported("LayerNorm", x);
        }
    }

    public override void LayerNormGradient(
        Tensor gy, Tensor x, Tensor? w, Tensor mean, Tensor rstd, Tensor? gx, Tensor? gw, bool accumulateW, Tensor? gb, bool accumulateB)
    {
        switch (x.Type)
        {
            case DType.Float32:
                LayerNormGradient<float>(gy, x, w, mean, rstd, gx, gw, accumulateW, gb, accumulateB);
                break;
            case DType.Float64:
                LayerNormGradient<double>(gy, x, w, mean, rstd, gx, gw, accumulateW, gb, accumulateB);
                break;
            default:
                throw Unsupported("LayerNorm", x);
        }
    }

    public override void ResidualLayerNorm(
        Tensor x, Tensor h, Tensor w, Tensor b, double eps, double p, RandomKey key, Tensor sum, Tensor y, Tensor mean, Tensor rstd)
    {
        switch (x.Type)
        {
            case DType.Float32:
                ResidualLayerNorm<float>(x, h, w, b, eps, p, key, sum, y, mean, rstd);
                break;
            case DType.Float64:
                ResidualLayerNorm<double>(x, h, w, b, eps, p, key, sum, y, mean, rstd);
                break;
            default:
                throw Unsupported("ResidualLayerNorm", x);
        }
    }

    public override void Dropout(Tensor x, Tensor y, double p, RandomKey key)
    {
        switch (x.Type)
        {
            case DType.Float32:
                DropoutKernel.Apply(Pointer<float>(x), Pointer<float>(y), x.Count, p, key.Seed, key.Stream);
                break;
            case DType.Float64:
                DropoutKernel.Apply(Pointer<double>(x), Pointer<double>(y), x.Count, p, key.Seed, key.Stream);
                break;
            default:
                throw Unsupported("Dropout", x);
        }
    }

    private static void ResidualLayerNorm<T>(
        Tensor x, Tensor h, Tensor w, Tensor b, double eps, double p, RandomKey key, Tensor sum, Tensor y, Tensor mean, Tensor rstd)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Cpu.ResidualLayerNorm.Forward(
        Pointer<T>(x), Pointer<T>(h), Pointer<T>(w), Pointer<T>(b), Pointer<T>(sum), Pointer<T>(y), Pointer<T>(mean), Pointer<T>(rstd),
        x.Shape.Rows, x.Shape.Last, eps, p, key.Seed, key.Stream);

    private static void Softmax<T>(Tensor x, Tensor y, bool log)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (log)
        {
            Cpu.Softmax.LogForward(Pointer<T>(x), Pointer<T>(y), x.Shape.Rows, x.Shape.Last, T.One);
        }
        else
        {
            Cpu.Softmax.Forward(Pointer<T>(x), Pointer<T>(y), x.Shape.Rows, x.Shape.Last, T.One);
        }
    }

    private static void SoftmaxGradient<T>(Tensor y, Tensor gy, Tensor gx, bool log)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (log)
        {
            Cpu.Softmax.LogBackward(Pointer<T>(y), Pointer<T>(gy), Pointer<T>(gx), y.Shape.Rows, y.Shape.Last, T.One, accumulate: false);
        }
        else
        {
            Cpu.Softmax.Backward(Pointer<T>(y), Pointer<T>(gy), Pointer<T>(gx), y.Shape.Rows, y.Shape.Last, T.One, accumulate: false);
        }
    }

    private static void LayerNorm<T>(Tensor x, Tensor? w, Tensor? b, double eps, Tensor y, Tensor mean, Tensor rstd)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Cpu.LayerNorm.Forward(
        Pointer<T>(x), PointerOrNull<T>(w), PointerOrNull<T>(b), Pointer<T>(y), Pointer<T>(mean), Pointer<T>(rstd), x.Shape.Rows, x.Shape.Last, eps);

    private static void LayerNormGradient<T>(
        Tensor gy, Tensor x, Tensor? w, Tensor mean, Tensor rstd, Tensor? gx, Tensor? gw, bool accumulateW, Tensor? gb, bool accumulateB)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // The kernel adds to both parameter gradients or to neither; a fresh one beside one that is added to starts from zero.
        bool accumulate = (gw is not null && accumulateW) || (gb is not null && accumulateB);
        if (accumulate && gw is not null && !accumulateW)
        {
            LinearCombination.Fill(Pointer<T>(gw), T.Zero, gw.Count);
        }

        if (accumulate && gb is not null && !accumulateB)
        {
            LinearCombination.Fill(Pointer<T>(gb), T.Zero, gb.Count);
        }

        Cpu.LayerNorm.Backward(
            Pointer<T>(x), PointerOrNull<T>(w), Pointer<T>(mean), Pointer<T>(rstd), Pointer<T>(gy), PointerOrNull<T>(gx), PointerOrNull<T>(gw), PointerOrNull<T>(gb),
            x.Shape.Rows, x.Shape.Last, accumulateInput: false, accumulateParameters: accumulate);
    }
}
