using System.Reflection;
using System.Runtime.CompilerServices;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>
/// Tables of literals: <c>ReadOnlySpan&lt;int&gt; table = [3, 1, 4]</c>. Elements at known indices are constants; the others are read from constant memory.
/// </summary>
internal static class TableIntrinsics
{
    public static void Register(IntrinsicTable.Registry registry)
    {
        registry.Add(typeof(RuntimeHelpers), nameof(RuntimeHelpers.CreateSpan), Create);
        registry.Add(typeof(ReadOnlySpan<>), "get_Length", static (e, _, a) => e.Leaves(a[0])[1]);
        registry.Add(typeof(ReadOnlySpan<>), "get_Item", Item);
    }

    private static Value Create(Emit emit, MethodBase method, ReadOnlySpan<Value> arguments)
    {
        Type element = method.GetGenericArguments()[0];
        TableRef table = arguments[0] as TableRef ?? throw emit.Refuse("a span over memory that is no table of literals");
        int length = table.Table.Bytes.Length / TypeLayout.Of(element).Size;
        return Emit.Struct(typeof(ReadOnlySpan<>).MakeGenericType(element), table, Known.Of(length));
    }

    private static ConstantRef Item(Emit emit, MethodBase method, ReadOnlySpan<Value> arguments)
    {
        Type element = method.DeclaringType!.GetGenericArguments()[0];
        ReadOnlySpan<Value> span = emit.Leaves(arguments[0]);
        if (span[0] is not TableRef { Table: { } table, First: var first } || span[1] is not Known { Int: var length })
        {
            throw emit.Refuse("a span that is no table of literals: pass View<T>, ReadOnlyView<T>, Shared<T> or Registers<T, TCount>");
        }

        int size = TypeLayout.Of(element).Size;
        if (emit.Arithmetic.Number(arguments[1], "index") is Known index)
        {
            return (uint)index.Int < (uint)length
                ? new ConstantRef(Literal(emit, element, table.Bytes.AsSpan((first + index.Int) * size)))
                : throw emit.Refuse($"element {index.Int} of a table of {length}");
        }

        Value offset = emit.Arithmetic.Multiply(emit.Arithmetic.WidenIndex(arguments[1], false), Known.Of((long)size));
        Value address = emit.Arithmetic.Add(emit.Arithmetic.Add(emit.ConstantAddress(table), offset), Known.Of((long)first * size));
        return new ConstantRef(emit.Load("ld.const", emit.Arithmetic.Address64(address), element, InstructionFlags.Pure));
    }

    private static Known Literal(Emit emit, Type element, ReadOnlySpan<byte> bytes) => TypeLayout.Primitive(element) is { } kind and not (LeafKind.Reference or LeafKind.Foreign or LeafKind.Pointer)
        ? Evaluator.ReadConstant(bytes, kind)
        : throw emit.Refuse($"a table of {element.Name}: tables hold numbers");
}
