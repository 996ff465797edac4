namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>Elements of register arrays, and the notes about loops, which the evaluator has read before it runs the loop.</summary>
internal static class RegisterIntrinsics
{
    public static void Register(IntrinsicTable.Registry registry)
    {
        registry.Add(typeof(Registers<,>), "get_Item", static (e, _, a) => e.Read(e.Element(a[0], a[1])));
        registry.Add(typeof(Registers<,>), "set_Item", static (e, _, a) =>
        {
            e.Write(e.Element(a[0], a[1]), a[2]);
            return null;
        });
        registry.Add(typeof(Loop), nameof(Loop.Unroll), static (_, _, _) => null);
        registry.Add(typeof(Loop), nameof(Loop.Keep), static (_, _, _) => null);
    }
}
