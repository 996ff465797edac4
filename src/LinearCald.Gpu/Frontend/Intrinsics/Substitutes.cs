using System.Reflection;

namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>Functions of the class library that the runtime implements natively, and what kernels run in their place: <see cref="GpuMath"/>.</summary>
internal static class Substitutes
{
    private static readonly Dictionary<(Type, string), string> s_names = new()
    {
        [(typeof(MathF), nameof(MathF.Exp))] = nameof(GpuMath.Exp),
        [(typeof(MathF), nameof(MathF.Log))] = nameof(GpuMath.Log),
        [(typeof(MathF), nameof(MathF.Log2))] = nameof(GpuMath.Log2),
        [(typeof(MathF), nameof(MathF.Tanh))] = nameof(GpuMath.Tanh),
        [(typeof(MathF), nameof(MathF.Sin))] = nameof(GpuMath.Sin),
        [(typeof(MathF), nameof(MathF.Cos))] = nameof(GpuMath.Cos),
        [(typeof(MathF), nameof(MathF.Pow))] = nameof(GpuMath.Pow),
        [(typeof(float), nameof(float.Exp2))] = nameof(GpuMath.Exp2),
        [(typeof(float), nameof(float.ExpM1))] = nameof(GpuMath.Expm1),
        [(typeof(float), nameof(float.LogP1))] = nameof(GpuMath.Log1p),
        [(typeof(float), nameof(float.SinPi))] = nameof(GpuMath.SinPi),
        [(typeof(float), nameof(float.CosPi))] = nameof(GpuMath.CosPi),
        [(typeof(Math), nameof(Math.Exp))] = nameof(GpuMath.Exp),
        [(typeof(Math), nameof(Math.Log))] = nameof(GpuMath.Log),
    };

    /// <summary>The method of the same parameters to compile instead, or the method itself.</summary>
    public static MethodBase For(MethodBase method)
    {
        if (method.DeclaringType is not { } type || !s_names.TryGetValue((type, method.Name), out string? name))
        {
            return method;
        }

        return typeof(GpuMath).GetMethod(name, [.. method.GetParameters().Select(p => p.ParameterType)]) ?? method;
    }
}
