using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;

namespace LinearCald.Gpu.Frontend.Il;

/// <summary>The instruction encodings (ECMA-335 III.1.2) and the long form of each short one.</summary>
internal static class IlOpCodes
{
    private const byte TwoByte = 0xFE;
    private static readonly OpCode?[] s_one = new OpCode?[256];
    private static readonly OpCode?[] s_two = new OpCode?[256];
    private static readonly Dictionary<OpCode, (OpCode Long, int? Operand)> s_long = [];

    static IlOpCodes()
    {
        Dictionary<string, OpCode> names = [];
        foreach (FieldInfo field in typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            OpCode code = (OpCode)field.GetValue(null)!;
            names[code.Name!] = code;
            if (code.OpCodeType != OpCodeType.Nternal)
            {
                (code.Size == 1 ? s_one : s_two)[(byte)code.Value] = code;
            }
        }

        foreach (OpCode code in names.Values)
        {
            string name = code.Name!;
            if (name.EndsWith(".s", StringComparison.Ordinal))
            {
                s_long[code] = (names[name[..^2]], null);
            }
            else if (name is "ldc.i4.m1")
            {
                s_long[code] = (OpCodes.Ldc_I4, -1);
            }
            else if (name[^2] == '.' && char.IsAsciiDigit(name[^1]) && name[..^2] is "ldarg" or "ldloc" or "stloc" or "ldc.i4")
            {
                s_long[code] = (names[name[..^2]], name[^1] - '0');
            }
        }
    }

    /// <summary>Reads the encoding at <paramref name="position"/> and moves past it.</summary>
    public static OpCode Read(ReadOnlySpan<byte> il, ref int position)
    {
        byte first = il[position++];
        return (first == TwoByte ? s_two[il[position++]] : s_one[first])
            ?? throw new CaldException($"byte 0x{first:x2} at IL_{position - 1:x4} is no IL instruction");
    }

    /// <summary>The long form of an instruction, and its operand where the short form implied it.</summary>
    public static OpCode Expand(OpCode code, ref object? operand)
    {
        if (!s_long.TryGetValue(code, out (OpCode Long, int? Operand) expanded))
        {
            return code;
        }

        operand = expanded.Operand ?? operand;
        return expanded.Long;
    }

    /// <summary>Bytes of the operand that starts at <paramref name="position"/>.</summary>
    public static int OperandSize(OpCode code, ReadOnlySpan<byte> il, int position) => code.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BinaryPrimitives.ReadInt32LittleEndian(il[position..])),
        _ => 4,
    };

    /// <summary>Where a branch may go besides on: offsets of its targets; none for other instructions. <paramref name="position"/> is that of the operand.</summary>
    public static int[] Targets(OpCode code, ReadOnlySpan<byte> il, int position)
    {
        switch (code.OperandType)
        {
            case OperandType.ShortInlineBrTarget:
                return [position + 1 + (sbyte)il[position]];
            case OperandType.InlineBrTarget:
                return [position + 4 + BinaryPrimitives.ReadInt32LittleEndian(il[position..])];
            case OperandType.InlineSwitch:
                int[] targets = new int[BinaryPrimitives.ReadInt32LittleEndian(il[position..])];
                int next = position + 4 + (4 * targets.Length);
                for (int i = 0; i < targets.Length; i++)
                    targets[i] = next + BinaryPrimitives.ReadInt32LittleEndian(il[(position + 4 + (4 * i))..]);

                return targets;
            default:
                return [];
        }
    }
}
