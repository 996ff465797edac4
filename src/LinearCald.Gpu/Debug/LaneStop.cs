namespace LinearCald.Gpu;

/// <summary>A lane that has reached a <see cref="DebugPoint"/>. All other lanes stand still while the handler runs.</summary>
/// <param name="Name">The point's name.</param>
/// <param name="Value">The value that the kernel shows.</param>
/// <param name="Kernel">The running kernel.</param>
/// <param name="Group">The group's index in the grid.</param>
/// <param name="Thread">The thread's number in its group.</param>
public sealed record LaneStop(string Name, object Value, Kernel Kernel, Index3 Group, int Thread);
