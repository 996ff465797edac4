namespace LinearCald.Tensors.Memory;

/// <summary>What a device's pool holds, in bytes.</summary>
/// <param name="InUse">Given out to tensors.</param>
/// <param name="Pooled">Free, kept for reuse.</param>
/// <param name="Peak">The highest <paramref name="InUse"/> so far.</param>
/// <param name="Allocations">Buffers asked of the system so far: constant in a steady state.</param>
public readonly record struct MemoryStatistics(long InUse, long Pooled, long Peak, long Allocations);
