namespace LinearCald.Gpu;

/// <summary>What an accelerator's memory pool holds, in bytes.</summary>
/// <param name="InUse">Given out.</param>
/// <param name="Pooled">Free, kept for reuse.</param>
/// <param name="Peak">The highest <paramref name="InUse"/> so far.</param>
/// <param name="Allocations">Blocks asked of the driver so far: constant in a steady state.</param>
public readonly record struct AcceleratorMemory(long InUse, long Pooled, long Peak, long Allocations);
