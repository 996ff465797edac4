using LinearCald.Gpu.Debug;

namespace LinearCald.Gpu;

/// <summary>A place in a kernel where the debug device calls <see cref="DebugAccelerator.Stopped"/>; nothing at all in compiled kernels.</summary>
public static class DebugPoint
{
    /// <summary>Shows a value under a name, a constant string, to whoever listens; the lane goes on when the listener returns.</summary>
    [Intrinsic]
    public static void Stop<T>(string name, T value)
        where T : unmanaged => Lane.Current.Stop(name, value);
}
