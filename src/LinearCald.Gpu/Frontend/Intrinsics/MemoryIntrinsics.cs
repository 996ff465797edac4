using System.Reflection;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>Elements of views and shared buffers. Read-only views load through the read-only cache, as often as their addresses differ.</summary>
internal static class MemoryIntrinsics
{
    public static void Register(IntrinsicTable.Registry registry)
    {
        registry.Add(typeof(ReadOnlyView<>), "get_Item", static (e, m, a) => Read(e, m, a, "ld.global.nc", InstructionFlags.Pure));
        registry.Add(typeof(ReadOnlyView<>), nameof(ReadOnlyView<>.ReadStreaming), static (e, m, a) => Read(e, m, a, "ld.global.nc.L1::no_allocate", InstructionFlags.Pure));
        registry.Add(typeof(View<>), "get_Item", static (e, m, a) => Read(e, m, a, "ld.global", InstructionFlags.Removable));
        registry.Add(typeof(View<>), nameof(View<>.ReadStreaming), static (e, m, a) => Read(e, m, a, "ld.global.cs", InstructionFlags.Removable));
        registry.Add(typeof(View<>), nameof(View<>.ReadAcquire), static (e, m, a) => Read(e, m, a, "ld.acquire.gpu.global", InstructionFlags.Divergent));
        registry.Add(typeof(View<>), "set_Item", static (e, m, a) => Write(e, m, a, "st.global"));
        registry.Add(typeof(View<>), nameof(View<>.WriteStreaming), static (e, m, a) => Write(e, m, a, "st.global.cs"));
        registry.Add(typeof(View<>), nameof(View<>.WriteRelease), static (e, m, a) => Write(e, m, a, "st.release.gpu.global"));
        registry.Add(typeof(Shared<>), "get_Item", static (e, m, a) => e.Load("ld.shared", e.SharedAddress(a[0], a[1], ElementOf(m)), ElementOf(m), InstructionFlags.Removable));
        registry.Add(typeof(Shared<>), "set_Item", static (e, m, a) =>
        {
            e.Store("st.shared", e.SharedAddress(a[0], a[1], ElementOf(m)), ElementOf(m), a[2]);
            return null;
        });
        registry.Add(typeof(Shared), nameof(Shared.Allocate), Allocate);
    }

    private static Type ElementOf(MethodBase method) => method.DeclaringType!.GetGenericArguments()[0];

    /// <summary>The index widened to 64 bits as its overload says.</summary>
    private static Scalar Index(Emit emit, MethodBase method, Value index) =>
        emit.Arithmetic.WidenIndex(index, method.GetParameters()[0].ParameterType == typeof(uint));

    private static Value Read(Emit emit, MethodBase method, ReadOnlySpan<Value> arguments, string mnemonic, InstructionFlags flags)
    {
        Type element = ElementOf(method);
        return emit.Load(mnemonic, emit.GlobalAddress(arguments[0], Index(emit, method, arguments[1]), element), element, flags);
    }

    private static Value? Write(Emit emit, MethodBase method, ReadOnlySpan<Value> arguments, string mnemonic)
    {
        Type element = ElementOf(method);
        emit.Store(mnemonic, emit.GlobalAddress(arguments[0], Index(emit, method, arguments[1]), element), element, arguments[2]);
        return null;
    }

    private static Aggregate Allocate(Emit emit, MethodBase method, ReadOnlySpan<Value> arguments)
    {
        Type element = method.GetGenericArguments()[0];
        long length = emit.Known(arguments[0], "the length of a shared buffer");
        long alignment = emit.Known(arguments[1], "the alignment of a shared buffer");
        if (length < 0 || alignment is < 1 or > 1 << 16 || (alignment & (alignment - 1)) != 0)
        {
            throw emit.Refuse($"a shared buffer of {length} elements aligned to {alignment}: the length is not negative, the alignment a power of two");
        }

        TypeLayout layout = TypeLayout.Of(element);
        Value offset = emit.AllocateShared(checked(length * layout.Size), (int)Math.Max(alignment, layout.Size > 16 ? 16 : layout.Size));
        return (Aggregate)Emit.Struct(typeof(Shared<>).MakeGenericType(element), offset, Known.Of((int)length));
    }
}
