
namespace LinearCald.Tensors.Cpu;

/// <content>Optimiser and random numbers.</content>
internal sealed unsafe partial class CpuBackend
{
    public override void AddSumOfSquares(Tensor x, Tensor total)
    {
        *Pointer<double>(total) += x.Type switch
        {
            DType.Float32 => Reduce.SumSquares(Pointer<float>(x), x.Count),
            DType.Float64 => Reduce.SumSquares(Pointer<double>(x), x.Count),
            _ => throw Unsupported("SumOfSquares", x),
        };
    }

    public override void AdamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, in AdamWStep step)
    {
        switch (parameter.Type)
        {
            case DType.Float32:
                AdamWKernel.Update(Pointer<float>(parameter), Pointer<float>(gradient), Pointer<float>(m), Pointer<float>(v), parameter.Count, step);
                break;
            case DType.Float64:
                AdamWKernel.Update(Pointer<double>(parameter), Pointer<double>(gradient), Pointer<double>(m), Pointer<double>(v), parameter.Count, step);
                break;
            default:
                throw Unsupported("AdamW", parameter);
        }
    }

    public override void Normal(Tensor y, double mean, double deviation, RandomKey key)
    {
        switch (y.Type)
        {
            case DType.Float32:
                RandomFill.Normal(Pointer<float>(y), y.Count, mean, deviation, key);
                break;
            case DType.Float64:
                RandomFill.Normal(Pointer<double>(y), y.Count, mean, deviation, key);
                break;
            default:
                throw Unsupported("Normal", y);
        }
    }

    public override void Uniform(Tensor y, double low, double high, RandomKey key)
    {
        switch (y.Type)
        {
            case DType.Float32:
                RandomFill.Uniform(Pointer<float>(y), y.Count, low, high, key);
                break;
            case DType.Float64:
                RandomFill.Uniform(Pointer<double>(y), y.Count, low, high, key);
                break;
            default:
                throw Unsupported("Uniform", y);
        }
    }
}
