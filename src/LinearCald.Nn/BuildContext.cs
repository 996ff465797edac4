using LinearCald.Tensors;

namespace LinearCald.Nn;

/// <summary>Where and how a module makes its parameters.</summary>
/// <param name="Device">Holds the parameters.</param>
/// <param name="Type">Element type of the parameters: float32, or float64 for gradient checks.</param>
/// <param name="Random">Gives each parameter its random start, in the order of construction.</param>
public sealed record BuildContext(Device Device, DType Type, RandomGenerator Random)
{
    /// <summary>Float32 parameters with starts drawn from a seed.</summary>
    public static BuildContext For(Device device, ulong seed) => new(device, DType.Float32, new RandomGenerator(seed));
}
