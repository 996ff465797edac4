using System.Reflection;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>Matrix products of a warp (<c>mma.sync</c>) and the loads of their fragments (<c>ldmatrix</c>).</summary>
internal static class MatrixIntrinsics
{
    public static void Register(IntrinsicTable.Registry registry)
    {
        registry.Add(typeof(Mma), nameof(Mma.BFloat16), static (e, _, a) => Product(e, a, "m16n8k16.row.col.f32.bf16.bf16.f32"));
        registry.Add(typeof(Mma), nameof(Mma.Half), static (e, _, a) => Product(e, a, "m16n8k16.row.col.f32.f16.f16.f32"));
        registry.Add(typeof(Mma), nameof(Mma.TensorFloat32), static (e, _, a) => Product(e, a, "m16n8k8.row.col.f32.tf32.tf32.f32"));
        registry.Add(typeof(Mma), nameof(Mma.Load), static (e, m, a) => Load(e, m, a, "ldmatrix.sync.aligned.m8n8.x4.shared.b16"));
        registry.Add(typeof(Mma), nameof(Mma.LoadTransposed), static (e, m, a) => Load(e, m, a, "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16"));
    }

    private static Aggregate Product(Emit emit, ReadOnlySpan<Value> arguments, string shape)
    {
        Operand[] operands = new Operand[10];
        int n = 0;
        foreach (Value value in emit.Leaves(arguments[1]))
            operands[n++] = emit.Register(value);

        foreach (Value value in emit.Leaves(arguments[2]))
            operands[n++] = emit.Register(value);

        foreach (Value value in emit.Leaves(arguments[0]))
            operands[n++] = emit.Register(value);

        Value[] results = emit.IssueMany($"mma.sync.aligned.{shape}", RegisterKind.F32, 4, InstructionFlags.Convergent, [4, 4, 2, 4], operands);
        return (Aggregate)Emit.Struct(typeof(Float4), results);
    }

    private static Aggregate Load(Emit emit, MethodBase method, ReadOnlySpan<Value> arguments, string mnemonic)
    {
        Operand address = emit.SharedAddress(arguments[0], arguments[1], method.GetGenericArguments()[0]);
        return (Aggregate)Emit.Struct(typeof(UInt4), emit.IssueMany(mnemonic, RegisterKind.B32, 4, InstructionFlags.Convergent, [4, 1], address));
    }
}
