using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;

namespace LinearCald.Gpu.Frontend.Il;

/// <summary>
/// Reads a method's bytes into instructions. Tokens are resolved with the generic arguments of the method and of its type, so that a closed generic comes
/// out substituted. Branch operands are still offsets (int[]); <see cref="ControlFlow"/> turns them into blocks.
/// </summary>
internal ref struct IlDecoder
{
    private readonly MethodBase _method;
    private readonly ReadOnlySpan<byte> _il;
    private readonly Type[]? _typeArguments;
    private readonly Type[]? _methodArguments;

    private IlDecoder(MethodBase method, ReadOnlySpan<byte> il)
    {
        _method = method;
        _il = il;
        _typeArguments = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        _methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
    }

    public static List<IlInstruction> Decode(MethodBase method, ReadOnlySpan<byte> il) => new IlDecoder(method, il).Run();

    private readonly List<IlInstruction> Run()
    {
        List<IlInstruction> list = [];
        int position = 0;
        int start = -1;
        Type? constrained = null;
        bool isVolatile = false;
        while (position < _il.Length)
        {
            int offset = position;
            OpCode code = IlOpCodes.Read(_il, ref position);
            object? operand = Operand(code, position, offset);
            position += IlOpCodes.OperandSize(code, _il, position);
            if (code.OpCodeType == OpCodeType.Prefix)
            {
                start = start < 0 ? offset : start;
                constrained = code == OpCodes.Constrained ? (Type?)operand : constrained;
                isVolatile |= code == OpCodes.Volatile;
                continue;
            }

            code = IlOpCodes.Expand(code, ref operand);
            list.Add(new IlInstruction(start < 0 ? offset : start, code, operand, constrained, isVolatile));
            (start, constrained, isVolatile) = (-1, null, false);
        }

        return list;
    }

    private readonly object? Operand(OpCode code, int position, int offset)
    {
        ReadOnlySpan<byte> bytes = _il[position..];
        switch (code.OperandType)
        {
            case OperandType.ShortInlineI:
                return code == OpCodes.Ldc_I4_S ? (int)(sbyte)bytes[0] : (int)bytes[0];
            case OperandType.ShortInlineVar:
                return (int)bytes[0];
            case OperandType.InlineVar:
                return (int)BinaryPrimitives.ReadUInt16LittleEndian(bytes);
            case OperandType.InlineI:
                return BinaryPrimitives.ReadInt32LittleEndian(bytes);
            case OperandType.InlineI8:
                return BinaryPrimitives.ReadInt64LittleEndian(bytes);
            case OperandType.ShortInlineR:
                return BinaryPrimitives.ReadSingleLittleEndian(bytes);
            case OperandType.InlineR:
                return BinaryPrimitives.ReadDoubleLittleEndian(bytes);
            case OperandType.ShortInlineBrTarget or OperandType.InlineBrTarget or OperandType.InlineSwitch:
                return IlOpCodes.Targets(code, _il, position);
            case OperandType.InlineNone or OperandType.InlineSig:
                return null;
            default:
                return Resolve(code.OperandType, BinaryPrimitives.ReadInt32LittleEndian(bytes), offset);
        }
    }

    private readonly object? Resolve(OperandType kind, int token, int offset)
    {
        Module module = _method.Module;
        try
        {
            return kind switch
            {
                OperandType.InlineMethod => module.ResolveMethod(token, _typeArguments, _methodArguments),
                OperandType.InlineField => module.ResolveField(token, _typeArguments, _methodArguments),
                OperandType.InlineType => module.ResolveType(token, _typeArguments, _methodArguments),
                OperandType.InlineString => module.ResolveString(token),
                _ => module.ResolveMember(token, _typeArguments, _methodArguments),
            };
        }
        catch (Exception e) when (e is ArgumentException or TypeLoadException or FileNotFoundException or MissingMemberException)
        {
            throw new CaldException($"{SourceLines.Describe(_method, offset)} uses something that is not there: {e.Message} Publish without trimming and with all assemblies.", e);
        }
    }
}
