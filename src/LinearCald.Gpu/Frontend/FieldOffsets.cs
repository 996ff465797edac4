using System.Reflection;
using System.Reflection.Emit;

namespace LinearCald.Gpu.Frontend;

/// <summary>Where the runtime puts the fields of a struct. (Marshal answers for the marshalled form: a bool of 4 bytes, a char of 1.)</summary>
internal static unsafe class FieldOffsets
{
    /// <summary>First byte of each field, in the order given; all 0 if the struct holds references, which has no place in memory.</summary>
    public static int[] Of(Type type, FieldInfo[] fields)
    {
        if (!IsUnmanaged(type))
        {
            return new int[fields.Length];
        }

        return type is { IsLayoutSequential: true, StructLayoutAttribute.Pack: 0 } ? Sequential(fields) : Array.ConvertAll(fields, Probe);
    }

    /// <summary>Whether values may lie in memory: no object or managed reference inside.</summary>
    public static bool IsUnmanaged(Type type) =>
        type.IsPrimitive || type.IsEnum || type.IsPointer
        || (type.IsValueType && !type.IsByRefLike
            && type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).All(f => IsUnmanaged(f.FieldType)));

    private static int[] Sequential(FieldInfo[] fields)
    {
        int[] offsets = new int[fields.Length];
        int end = 0;
        for (int i = 0; i < fields.Length; i++)
        {
            TypeLayout layout = TypeLayout.Of(fields[i].FieldType);
            offsets[i] = (end + layout.Alignment - 1) / layout.Alignment * layout.Alignment;
            end = offsets[i] + layout.Size;
        }

        return offsets;
    }

    /// <summary>How far a field lies from the start of a variable, asked of code made for it: right for any layout, and slow.</summary>
    private static int Probe(FieldInfo field)
    {
        DynamicMethod probe = new("offset", typeof(int), [], typeof(FieldOffsets).Module, true);
        ILGenerator il = probe.GetILGenerator();
        LocalBuilder variable = il.DeclareLocal(field.DeclaringType!);
        il.Emit(OpCodes.Ldloca, variable);
        il.Emit(OpCodes.Ldflda, field);
        il.Emit(OpCodes.Conv_U);
        il.Emit(OpCodes.Ldloca, variable);
        il.Emit(OpCodes.Conv_U);
        il.Emit(OpCodes.Sub);
        il.Emit(OpCodes.Conv_I4);
        il.Emit(OpCodes.Ret);
        return probe.CreateDelegate<Func<int>>()();
    }
}
