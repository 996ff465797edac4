using System.Reflection;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>What the C# compiler compares the fields of record structs with: <see cref="EqualityComparer{T}.Default"/>, for numbers.</summary>
internal static class EqualityIntrinsics
{
    public static void Register(IntrinsicTable.Registry registry)
    {
        registry.Add(typeof(EqualityComparer<>), "get_Default", static (_, m, _) => new TypeToken(m.DeclaringType!.GetGenericArguments()[0]));
        registry.Add(typeof(EqualityComparer<>), nameof(EqualityComparer<>.Equals), Compare);
    }

    /// <summary>Unlike ==, Equals holds for two NaN.</summary>
    private static Value Compare(Emit emit, MethodBase method, ReadOnlySpan<Value> arguments)
    {
        Type type = method.DeclaringType!.GetGenericArguments()[0];
        if (TypeLayout.Primitive(type) is null or LeafKind.Reference or LeafKind.Foreign)
        {
            throw emit.Refuse($"== of a record struct with a field of type {type.Name}: fields of numbers can be compared; write the comparison out");
        }

        Arithmetic a = emit.Arithmetic;
        Value equal = a.Compare(Comparison.Equal, arguments[1], arguments[2], false);
        return a.Number(arguments[1], "==").Kind is RegisterKind.F32 or RegisterKind.F64
            ? a.Or(equal, a.And(NotANumber(a, arguments[1]), NotANumber(a, arguments[2])))
            : equal;
    }

    private static Value NotANumber(Arithmetic a, Value value) => a.Compare(Comparison.NotEqual, value, value, true);
}
