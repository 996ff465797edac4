using LinearCald.Testing.Ptx.Execution;
using LinearCald.Testing.Ptx.Memory;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Decoding;

/// <summary>mov in its many meanings, and cvta.</summary>
internal static class MoveDecoding
{
    public static Instruction Move(Decoder d)
    {
        PtxType type = d.Type("pred", "b16", "b32", "b64", "u16", "u32", "u64", "s16", "s32", "s64", "f32", "f64");
        if (d.Next?.Kind == OperandKind.Vector)
        {
            int count = d.Next.Items.Count;
            PtxType part = Part(d, type, count);
            return new Unpack(d.Destinations(part, count), d.Source(type), part.Bits);
        }

        int to = d.Destination(type);
        Operand from = d.Next ?? throw d.Error("has no source");
        if (from.Kind == OperandKind.Vector)
        {
            int count = from.Items.Count;
            PtxType part = Part(d, type, count);
            return new Pack(to, d.Sources(part, count), part.Bits);
        }

        if (from.Kind == OperandKind.Name && SpecialRegister.TryFind(from.Name, out SpecialRegister? special))
        {
            d.Operand();
            Check(d, type, special!.Type);
            return new Map1(to, d.Code.Special(special), static a => a);
        }

        if (from.Kind == OperandKind.Name && from.Name is "%clock" or "%clock64" or "%globaltimer" or "%clock_hi" or "%globaltimer_lo")
        {
            d.Operand();
            Check(d, type, from.Name is "%clock64" or "%globaltimer" ? PtxType.U64 : PtxType.U32);
            return new ReadClock(to, type.Mask, from.Name.StartsWith("%globaltimer", StringComparison.Ordinal));
        }

        if (from.Kind == OperandKind.Name && d.Code.TryVariable(from.Name, out PtxVariable? variable))
        {
            d.Operand();
            bool isShort = variable!.Space != StateSpace.Global && type.Bits == 32;
            if (type.Kind is not (TypeKind.Bits or TypeKind.Unsigned or TypeKind.Signed) || !(type.Bits == 64 || isShort))
            {
                throw d.Error($"the address of {variable.Name} does not fit in {type}");
            }

            return new Map1(to, d.Code.Constant(variable.Address + (ulong)from.Offset), static a => a);
        }

        return new Map1(to, d.Source(type), static a => a);
    }

    public static Instruction ConvertAddress(Decoder d)
    {
        bool isTo = d.Take("to");
        StateSpace space = MemoryDecoding.Space(d, false);
        PtxType type = d.Type("u64", "u32");
        if (type.Bits != 64)
        {
            throw d.Error("addresses are 64-bit here");
        }

        int to = d.Destination(type);
        ulong window = Window.Of(space);
        if (!isTo && d.Next is { Kind: OperandKind.Name } name && d.Code.TryVariable(name.Name, out PtxVariable? variable))
        {
            d.Operand();
            return new Map1(to, d.Code.Constant(variable!.Address), a => a + window);
        }

        int from = d.Source(type);
        return isTo ? new ToSpace(to, from, space) : new Map1(to, from, a => a + window);
    }

    private static PtxType Part(Decoder d, PtxType type, int count)
    {
        if (type.Kind != TypeKind.Bits || count is not (2 or 4) || type.Bits / count < 16)
        {
            throw d.Error($"{type} does not split into {count} parts");
        }

        return new PtxType(TypeKind.Bits, type.Bits / count);
    }

    private static void Check(Decoder d, PtxType type, PtxType register)
    {
        if (type.Bits != register.Bits || type.Kind == TypeKind.Float)
        {
            throw d.Error($"the special register is {register}, the move {type}");
        }
    }
}
