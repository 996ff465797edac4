namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>What only the debug device sees; compiled kernels have nothing in its place.</summary>
internal static class DebugIntrinsics
{
    public static void Register(IntrinsicTable.Registry registry) => registry.Add(typeof(DebugPoint), nameof(DebugPoint.Stop), static (_, _, _) => null);
}
