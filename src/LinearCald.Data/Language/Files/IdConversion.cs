using System.Runtime.InteropServices;

namespace LinearCald.Data.Language.Files;

/// <summary>Stored elements as ids: integers from 0 to 2³¹ − 1.</summary>
internal static class IdConversion
{
    /// <summary>Converts <paramref name="raw"/> (as many elements as <paramref name="ids"/> has).</summary>
    /// <returns>The first element that is no id, negative or fractional or too large; −1 for none. What follows it is not converted.</returns>
    public static int ToIds(IndexedElementType type, ReadOnlySpan<byte> raw, Span<int> ids) => type switch
    {
        IndexedElementType.UInt8 => Convert<byte>(raw, ids, static v => v),
        IndexedElementType.Int8 => Convert<sbyte>(raw, ids, static v => v),
        IndexedElementType.Int16 => Convert<short>(raw, ids, static v => v),
        IndexedElementType.UInt16 => Convert(MemoryMarshal.Cast<byte, ushort>(raw), ids),
        IndexedElementType.Int32 => Convert<int>(raw, ids, static v => v),
        IndexedElementType.Int64 => Convert<long>(raw, ids, static v => v is >= 0 and <= int.MaxValue ? (int)v : -1),
        IndexedElementType.Float32 => Convert<float>(raw, ids, static v => Whole(v)),
        _ => Convert<double>(raw, ids, Whole),
    };

    /// <summary>The first id that is not below <paramref name="vocabulary"/>; −1 for none.</summary>
    public static int FirstBeyond(ReadOnlySpan<int> ids, int vocabulary)
    {
        int highest = -1;
        foreach (int id in ids)
            highest = Math.Max(highest, id);
        if (highest < vocabulary)
            return -1;
        int i = 0;
        while (ids[i] < vocabulary)
            i++;
        return i;
    }

    /// <summary>An element as it is stored, for messages.</summary>
    public static string Text(IndexedElementType type, ReadOnlySpan<byte> element) => FormattableString.Invariant(type switch
    {
        IndexedElementType.UInt8 => $"{element[0]}",
        IndexedElementType.Int8 => $"{(sbyte)element[0]}",
        IndexedElementType.Int16 => $"{MemoryMarshal.Read<short>(element)}",
        IndexedElementType.UInt16 => $"{MemoryMarshal.Read<ushort>(element)}",
        IndexedElementType.Int32 => $"{MemoryMarshal.Read<int>(element)}",
        IndexedElementType.Int64 => $"{MemoryMarshal.Read<long>(element)}",
        IndexedElementType.Float32 => $"{MemoryMarshal.Read<float>(element)}",
        _ => (FormattableString)$"{MemoryMarshal.Read<double>(element)}",
    });

    private static int Whole(double value) => value is >= 0 and <= int.MaxValue && value == Math.Floor(value) ? (int)value : -1;

    private static int Convert(ReadOnlySpan<ushort> values, Span<int> ids)
    {
        for (int i = 0; i < ids.Length; i++)
            ids[i] = values[i];
        return -1;
    }

    private static int Convert<T>(ReadOnlySpan<byte> raw, Span<int> ids, Func<T, int> convert)
        where T : unmanaged
    {
        ReadOnlySpan<T> values = MemoryMarshal.Cast<byte, T>(raw);
        for (int i = 0; i < ids.Length; i++)
        {
            int id = convert(values[i]);
            if (id < 0)
                return i;
            ids[i] = id;
        }

        return -1;
    }
}
