using System.Reflection;
using LinearCald.Gpu.Frontend;

namespace LinearCald.Gpu.Driver;

/// <summary>Which bytes of an unmanaged value carry its fields. The others are padding, whose contents are left to chance when a struct is copied.</summary>
internal static class ValueBytes
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

        FieldInfo[] fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
        int[] offsets = FieldOffsets.Of(type, fields);
        for (int i = 0; i < fields.Length; i++)
        {
            Collect(fields[i].FieldType, start + offsets[i], parts);
        }
    }
}
