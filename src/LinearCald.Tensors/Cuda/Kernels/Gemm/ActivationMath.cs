using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>The functions of <see cref="Activation"/> by name, where a fused kernel knows the name when it is compiled: only its branch remains.</summary>
internal static class ActivationMath
{
    /// <summary>f(x).</summary>
    public static float Apply(Activation f, float x) => f switch
    {
        Activation.GeluErf => GeluErfMap.Apply(x, 0, 0),
        Activation.GeluTanh => GeluTanhMap.Apply(x, 0, 0),
        Activation.Silu => SiluMap.Apply(x, 0, 0),
        Activation.Relu => ReluMap.Apply(x, 0, 0),
        Activation.Tanh => TanhMap.Apply(x, 0, 0),
        Activation.Sigmoid => SigmoidMap.Apply(x, 0, 0),
        Activation.Exp => ExpMap.Apply(x, 0, 0),
        Activation.Log => LogMap.Apply(x, 0, 0),
        Activation.Sqrt => SqrtMap.Apply(x, 0, 0),
        Activation.Square => SquareMap.Apply(x, 0, 0),
        Activation.Softplus => SoftplusMap.Apply(x, 0, 0),
        _ => x,
    };
}
