using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend;

/// <summary>What a leaf of a type holds.</summary>
internal enum LeafKind : byte
{
    Bool,
    Int8,
    UInt8,
    Int16,
    UInt16,
    Int32,
    UInt32,
    Int64,
    UInt64,
    Pointer,
    Float32,
    Float64,

    /// <summary>A managed reference; never in memory.</summary>
    Reference,

    /// <summary>Anything that a kernel cannot hold, such as an object.</summary>
    Foreign,
}

/// <summary>A leaf: a primitive inside a type.</summary>
/// <param name="Kind">What it holds.</param>
/// <param name="Offset">First byte, as C# lays the type out.</param>
internal readonly record struct Leaf(LeafKind Kind, int Offset);

/// <summary>A field of a struct.</summary>
/// <param name="Layout">Of its type.</param>
/// <param name="First">Its first leaf.</param>
internal readonly record struct FieldLayout(TypeLayout Layout, int First);

/// <summary>A type as a row of leaves: the order in which locals, aggregates and memory accesses see its primitives.</summary>
internal sealed class TypeLayout
{
    private static readonly ConcurrentDictionary<Type, TypeLayout> s_layouts = new();
    private readonly Dictionary<string, FieldLayout> _fields = [];

    private TypeLayout(Type type)
    {
        Type = type;
        if (Primitive(type) is { } kind)
        {
            Size = SizeOf(kind);
            Alignment = Size;
            Leaves = [new Leaf(kind, 0)];
            return;
        }

        IsStruct = true;
        Size = FieldOffsets.IsUnmanaged(type) ? KernelParameter.SizeOf(type) : 0;
        if (type == typeof(TensorMap))
        {
            // A kernel has only its address: the parameter itself is for the copy engine.
            Alignment = TensorMap.Alignment;
            Leaves = [new Leaf(LeafKind.UInt64, 0)];
            return;
        }

        if (ElementOf(type) is (Type element, int count))
        {
            Element = Of(element);
            Alignment = Element.Alignment;
            Leaf[] leaves = new Leaf[count * Element.Leaves.Length];
            for (int i = 0; i < leaves.Length; i++)
            {
                Leaf leaf = Element.Leaves[i % Element.Leaves.Length];
                leaves[i] = leaf with { Offset = leaf.Offset + (i / Element.Leaves.Length * Element.Size) };
            }

            Leaves = leaves;
            return;
        }

        List<Leaf> list = [];
        FieldInfo[] fields = [.. type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).OrderBy(f => f.MetadataToken)];
        int[] offsets = FieldOffsets.Of(type, fields);
        Alignment = 1;
        for (int i = 0; i < fields.Length; i++)
        {
            TypeLayout layout = Of(fields[i].FieldType);
            _fields[fields[i].Name] = new FieldLayout(layout, list.Count);
            list.AddRange(layout.Leaves.Select(l => l with { Offset = l.Offset + offsets[i] }));
            Alignment = Math.Max(Alignment, layout.Alignment);
        }

        Leaves = [.. list];
    }

    public Type Type { get; }

    /// <summary>Bytes in memory; 0 for what cannot be there.</summary>
    public int Size { get; }

    /// <summary>In bytes, of the strictest primitive inside.</summary>
    public int Alignment { get; }

    /// <summary>Whether values of the type are <see cref="Aggregate"/>.</summary>
    public bool IsStruct { get; }

    public Leaf[] Leaves { get; }

    /// <summary>Of an array of registers or an inline array: the type of its elements.</summary>
    public TypeLayout? Element { get; }

    public static TypeLayout Of(Type type) => s_layouts.TryGetValue(type, out TypeLayout? layout) ? layout : s_layouts.GetOrAdd(type, new TypeLayout(type));

    /// <summary>A field by name; declaring types are the same by construction of IL.</summary>
    public FieldLayout Field(string name) =>
        _fields.TryGetValue(name, out FieldLayout field) ? field : throw new InvalidOperationException($"{Type} has no field {name} in a kernel");

    public static RegisterKind KindOf(LeafKind kind) => kind switch
    {
        LeafKind.Int64 or LeafKind.UInt64 or LeafKind.Pointer => RegisterKind.B64,
        LeafKind.Float32 => RegisterKind.F32,
        LeafKind.Float64 => RegisterKind.F64,
        _ => RegisterKind.B32,
    };

    public static int SizeOf(LeafKind kind) => kind switch
    {
        LeafKind.Bool or LeafKind.Int8 or LeafKind.UInt8 => 1,
        LeafKind.Int16 or LeafKind.UInt16 => 2,
        LeafKind.Int32 or LeafKind.UInt32 or LeafKind.Float32 => 4,
        _ => 8,
    };

    /// <summary>How a memory instruction names it.</summary>
    public static string Suffix(LeafKind kind) => kind switch
    {
        LeafKind.Bool or LeafKind.UInt8 => "u8",
        LeafKind.Int8 => "s8",
        LeafKind.Int16 => "s16",
        LeafKind.UInt16 => "u16",
        LeafKind.Int32 or LeafKind.UInt32 => "b32",
        LeafKind.Float32 => "f32",
        LeafKind.Float64 => "f64",
        _ => "b64",
    };

    /// <summary>The leaf of a type that is no struct, or null.</summary>
    public static LeafKind? Primitive(Type type)
    {
        if (type.IsByRef)
        {
            return LeafKind.Reference;
        }

        if (type.IsPointer || type.IsFunctionPointer)
        {
            return LeafKind.Pointer;
        }

        if (type.IsEnum)
        {
            type = Enum.GetUnderlyingType(type);
        }

        switch (Type.GetTypeCode(type))
        {
            case TypeCode.Boolean:
                return LeafKind.Bool;
            case TypeCode.SByte:
                return LeafKind.Int8;
            case TypeCode.Byte:
                return LeafKind.UInt8;
            case TypeCode.Int16:
                return LeafKind.Int16;
            case TypeCode.UInt16 or TypeCode.Char:
                return LeafKind.UInt16;
            case TypeCode.Int32:
                return LeafKind.Int32;
            case TypeCode.UInt32:
                return LeafKind.UInt32;
            case TypeCode.Int64:
                return LeafKind.Int64;
            case TypeCode.UInt64:
                return LeafKind.UInt64;
            case TypeCode.Single:
                return LeafKind.Float32;
            case TypeCode.Double:
                return LeafKind.Float64;
        }

        if (type == typeof(nint))
        {
            return LeafKind.Int64;
        }

        return type == typeof(nuint) ? LeafKind.UInt64 : type.IsValueType ? null : LeafKind.Foreign;
    }

    private static (Type Element, int Count)? ElementOf(Type type)
    {
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Registers<,>))
        {
            int count = (int)type.GetProperty(nameof(Registers<,>.Length))!.GetValue(null)!;
            return count is > 0 and <= 256
                ? (type.GetGenericArguments()[0], count)
                : throw new CaldException($"{type.Name} of {count} elements: an array of registers has 1 to 256");
        }

        return type.GetCustomAttribute<InlineArrayAttribute>() is { } inline
            ? (type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)[0].FieldType, inline.Length)
            : null;
    }
}
