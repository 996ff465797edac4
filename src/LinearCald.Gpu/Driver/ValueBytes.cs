using System.Reflection;
using System.Reflection.Emit;

namespace LinearCald.Gpu.Driver;

/// <summary>Which bytes of an unmanaged value carry its fields. The others are padding, whose contents are left to chance when a struct is copied.</summary>
internal static unsafe class ValueBytes
{
    /// <summary>Runs of bytes (offset, size) in ascending order that cover every field of <paramref name="type"/>.</summary>
    public static IReadOnlyList<(int Offset, int Size)> Of(Type type)
    {
        List<(int Offset, int Size)> parts = [];
        Collect(type, 0, parts);
        parts.Sort();
        List<(int Offset, int Size)> runs = [];
        foreach ((int offset, int size) in parts)
        {
            if (runs.Count > 0 && runs[^1].Offset + runs[^1].Size == offset)
            {
                runs[^1] = (runs[^1].Offset, runs[^1].Size + size);
            }
            else
            {
                runs.Add((offset, size));
            }
        }

        return runs;
    }

    private static void Collect(Type type, int start, List<(int Offset, int Size)> parts)
    {
        if (type.IsPrimitive || type.IsEnum || type.IsPointer)
        {
            parts.Add((start, KernelParameter.SizeOf(type.IsPointer ? typeof(nint) : type)));
            return;
        }

        foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            Collect(field.FieldType, start + OffsetOf(field), parts);
        }
    }

    /// <summary>Asks the runtime for the field's address: what Marshal tells is the marshalled form, in which a bool has four bytes.</summary>
    private static int OffsetOf(FieldInfo field)
    {
        DynamicMethod probe = new("offset", typeof(nint), [typeof(nint)], typeof(ValueBytes).Module, skipVisibility: true);
        ILGenerator il = probe.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldflda, field);
        il.Emit(OpCodes.Conv_U);
        il.Emit(OpCodes.Ret);

        // The memory has to be there: ldflda checks the address that it is given.
        fixed (byte* memory = new byte[KernelParameter.SizeOf(field.DeclaringType!)])
        {
            return (int)(probe.CreateDelegate<Func<nint, nint>>()((nint)memory) - (nint)memory);
        }
    }
}
