namespace LinearCald.Gpu;

/// <summary>
/// Marks a kernel parameter whose value is known when the kernel is compiled: loops over it unroll, branches on it vanish, and each distinct value
/// makes a kernel of its own. The type is a primitive, an enum, or a struct of such.
/// </summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class ConstantAttribute : Attribute;
