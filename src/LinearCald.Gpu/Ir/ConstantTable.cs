using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace LinearCald.Gpu.Ir;

/// <summary>Bytes that the C# compiler put into the assembly for a span of literals.</summary>
internal sealed class ConstantTable
{
    private static readonly ConcurrentDictionary<FieldInfo, ConstantTable> s_tables = new();

    private ConstantTable(FieldInfo field)
    {
        Bytes = new byte[KernelParameter.SizeOf(field.FieldType)];
        RuntimeHelpers.InitializeArray(Bytes, field.FieldHandle);
    }

    public byte[] Bytes { get; }

    /// <summary>Of its start in constant memory.</summary>
    public const int Alignment = 16;

    public static ConstantTable Of(FieldInfo field) => s_tables.GetOrAdd(field, static f => new ConstantTable(f));
}
