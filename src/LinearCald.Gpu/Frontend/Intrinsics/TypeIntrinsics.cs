namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>Tests of types, as in <c>typeof(T) == typeof(float)</c>: known while compiling, so that one branch is all that is left.</summary>
internal static class TypeIntrinsics
{
    public static void Register(IntrinsicTable.Registry registry)
    {
        registry.Add(typeof(Type), nameof(Type.GetTypeFromHandle), static (_, _, a) => a[0]);
        registry.Add(typeof(Type), "op_Equality", static (e, _, a) => Known.Of(TypeOf(e, a[0]) == TypeOf(e, a[1])));
        registry.Add(typeof(Type), "op_Inequality", static (e, _, a) => Known.Of(TypeOf(e, a[0]) != TypeOf(e, a[1])));
    }

    private static Type TypeOf(Emit emit, Value value) =>
        value is TypeToken token ? token.Type : throw emit.Refuse("types can be compared with ==, and nothing else");
}
