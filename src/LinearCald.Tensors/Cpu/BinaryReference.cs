using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="Binary"/>.</summary>
internal static class BinaryReference
{
    /// <summary>f(a, b).</summary>
    public static T Apply<T>(BinaryKind kind, T a, T b)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => kind switch
        {
            BinaryKind.Add => a + b,
            BinaryKind.Subtract => a - b,
            BinaryKind.Multiply => a * b,
            BinaryKind.Divide => a / b,
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such function"),
        };
}
