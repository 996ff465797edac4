using System.Reflection;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>Indivisible updates of global and shared memory (<c>atom</c>; the assembler drops results that nobody reads).</summary>
internal static class AtomicIntrinsics
{
    public static void Register(IntrinsicTable.Registry registry)
    {
        registry.Add(typeof(Atomic), nameof(Atomic.Add), static (e, m, a) => Update(e, m, a, "add", AddSuffix));
        registry.Add(typeof(Atomic), nameof(Atomic.Min), static (e, m, a) => Update(e, m, a, "min", OrderSuffix));
        registry.Add(typeof(Atomic), nameof(Atomic.Max), static (e, m, a) => Update(e, m, a, "max", OrderSuffix));
        registry.Add(typeof(Atomic), nameof(Atomic.Exchange), static (e, m, a) => Update(e, m, a, "exch", BitsSuffix));
        registry.Add(typeof(Atomic), nameof(Atomic.CompareExchange), static (e, m, a) => Update(e, m, a, "cas", BitsSuffix));
    }

    /// <summary>Two's complement addition has no sign, and PTX knows the 64-bit one as unsigned only.</summary>
    private static string? AddSuffix(LeafKind kind) => kind switch
    {
        LeafKind.Int32 or LeafKind.UInt32 => "u32",
        LeafKind.Int64 or LeafKind.UInt64 => "u64",
        LeafKind.Float32 => "f32",
        LeafKind.Float64 => "f64",
        _ => null,
    };

    private static string? OrderSuffix(LeafKind kind) => kind switch
    {
        LeafKind.Int32 => "s32",
        LeafKind.UInt32 => "u32",
        LeafKind.Int64 => "s64",
        LeafKind.UInt64 => "u64",
        _ => null,
    };

    private static string? BitsSuffix(LeafKind kind) => kind switch
    {
        LeafKind.Int32 or LeafKind.UInt32 or LeafKind.Float32 => "b32",
        LeafKind.Int64 or LeafKind.UInt64 or LeafKind.Float64 => "b64",
        _ => null,
    };

    private static Scalar Update(Emit emit, MethodBase method, ReadOnlySpan<Value> arguments, string operation, Func<LeafKind, string?> suffixOf)
    {
        Type element = method.GetGenericArguments()[0];
        LeafKind? kind = TypeLayout.Primitive(element);
        string suffix = (kind is { } k ? suffixOf(k) : null)
            ?? throw emit.Refuse($"Atomic.{method.Name} of {element.Name}: {(operation is "min" or "max" ? "int, uint, long and ulong" : "int, uint, long, ulong, float and double")} can be updated");
        bool shared = method.GetParameters()[0].ParameterType.GetGenericTypeDefinition() == typeof(Shared<>);
        Operand address = shared ? emit.SharedAddress(arguments[0], arguments[1], element) : emit.GlobalAddress(arguments[0], arguments[1], element);
        string mnemonic = $"atom.{(shared ? "shared" : "global")}.{operation}.{suffix}";
        RegisterKind register = TypeLayout.KindOf(kind!.Value);
        return arguments.Length == 3
            ? emit.Issue(mnemonic, register, InstructionFlags.Divergent, address, emit.Register(arguments[2]))
            : emit.Issue(mnemonic, register, InstructionFlags.Divergent, address, emit.Register(arguments[2]), emit.Register(arguments[3]));
    }
}
