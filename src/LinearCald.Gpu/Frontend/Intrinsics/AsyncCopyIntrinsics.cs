using System.Reflection;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>Copies from global to shared memory that do not wait (<c>cp.async</c>).</summary>
internal static class AsyncCopyIntrinsics
{
    public static void Register(IntrinsicTable.Registry registry)
    {
        registry.Add(typeof(AsyncCopy), nameof(AsyncCopy.Copy), Copy);
        registry.Add(typeof(AsyncCopy), nameof(AsyncCopy.CopyOrClear), Copy);
        registry.Add(typeof(AsyncCopy), nameof(AsyncCopy.Commit), static (e, _, _) =>
        {
            e.Effect("cp.async.commit_group", InstructionFlags.None, null);
            return null;
        });
        registry.Add(typeof(AsyncCopy), nameof(AsyncCopy.Wait), static (e, _, a) =>
        {
            long groups = e.Known(a[0], "the number of copy groups that may still run");
            e.Effect("cp.async.wait_group", InstructionFlags.None, null, Operand.Integer(groups >= 0 ? groups : throw e.Refuse($"a wait for {groups} groups of copies")));
            return null;
        });
    }

    private static Value? Copy(Emit emit, MethodBase method, ReadOnlySpan<Value> arguments)
    {
        Type element = method.GetGenericArguments()[0];
        int size = TypeLayout.Of(element).Size;
        if (size is not (4 or 8 or 16))
        {
            throw emit.Refuse($"an asynchronous copy of {element.Name}, which has {size} bytes: elements have 4, 8 or 16; view both sides as UInt4 (As<UInt4>())");
        }

        // 16 bytes may bypass the first-level cache; smaller copies cannot.
        string mnemonic = size == 16 ? "cp.async.cg.shared.global" : "cp.async.ca.shared.global";
        Operand destination = emit.SharedAddress(arguments[0], arguments[1], element);
        Operand source = emit.GlobalAddress(arguments[2], arguments[3], element);
        if (arguments.Length == 4)
        {
            emit.Effect(mnemonic, InstructionFlags.None, null, destination, source, Operand.Integer(size));
            return null;
        }

        // The bytes that are read; the rest of the element is cleared.
        Value read = emit.Arithmetic.ToCondition(arguments[4]) switch
        {
            Condition c => emit.Arithmetic.Select(c, Known.Of(size), Known.Of(0)),
            Known { Int: 0 } => Known.Of(0),
            _ => Known.Of(size),
        };
        emit.Effect(mnemonic, InstructionFlags.None, null, destination, source, Operand.Integer(size), emit.Use(read));
        return null;
    }
}
