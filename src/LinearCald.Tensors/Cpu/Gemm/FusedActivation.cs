using System.Numerics;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <summary>A product that ends with any epilogue.</summary>
internal interface IProduct<T>
    where T : unmanaged
{
    void Run<TEpilogue>(TEpilogue epilogue)
        where TEpilogue : struct, IEpilogue<T>;
}

/// <summary>The epilogue for a bias and an activation: each is a type of its own, so that its product is compiled around it.</summary>
internal static unsafe class FusedActivation
{
    /// <summary>Whether there is an epilogue for <paramref name="f"/>.</summary>
    public static bool Exists(Activation f) =>
        f is Activation.None or Activation.GeluErf or Activation.GeluTanh or Activation.Silu or Activation.Relu or Activation.Tanh;

    /// <summary>Runs <paramref name="product"/> as C = f(C + bias).</summary>
    /// <param name="f">One that <see cref="Exists"/>.</param>
    /// <param name="bias">One element a column, or null.</param>
    /// <param name="before">Of the shape of a contiguous C: receives C + bias; null if not wanted.</param>
    /// <param name="columns">Columns of C.</param>
    public static void Run<T, TProduct>(Activation f, T* bias, T* before, int columns, TProduct product)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TProduct : struct, IProduct<T>
    {
        switch (f)
        {
            case Activation.None when bias is null:
                product.Run<NoEpilogue<T>>(default);
                break;
            case Activation.None:
                product.Run(new BiasEpilogue<T>(bias));
                break;
            case Activation.GeluErf:
                product.Run(new ActivationEpilogue<T, Gelu<T>>(bias, default, before, columns));
                break;
            case Activation.GeluTanh:
                product.Run(new ActivationEpilogue<T, GeluTanh<T>>(bias, default, before, columns));
                break;
            case Activation.Silu:
                product.Run(new ActivationEpilogue<T, Silu<T>>(bias, default, before, columns));
                break;
            case Activation.Relu:
                product.Run(new ActivationEpilogue<T, Relu<T>>(bias, default, before, columns));
                break;
            case Activation.Tanh:
                product.Run(new ActivationEpilogue<T, Tanh<T>>(bias, default, before, columns));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(f), f, "no epilogue");
        }
    }
}
