namespace LinearCald.Testing.Ptx.Parsing;

internal enum TypeKind
{
    Bits,
    Unsigned,
    Signed,
    Float,
    BrainFloat,
    TensorFloat,
    Predicate,
}

/// <summary>A type of a register or of an instruction; packed pairs (<c>f16x2</c>) have two lanes.</summary>
internal readonly record struct PtxType(TypeKind Kind, int Bits, int Lanes = 1)
{
    public static readonly PtxType Predicate = new(TypeKind.Predicate, 1);
    public static readonly PtxType B16 = new(TypeKind.Bits, 16);
    public static readonly PtxType B32 = new(TypeKind.Bits, 32);
    public static readonly PtxType B64 = new(TypeKind.Bits, 64);
    public static readonly PtxType U32 = new(TypeKind.Unsigned, 32);
    public static readonly PtxType S32 = new(TypeKind.Signed, 32);
    public static readonly PtxType U64 = new(TypeKind.Unsigned, 64);
    public static readonly PtxType F16 = new(TypeKind.Float, 16);
    public static readonly PtxType F32 = new(TypeKind.Float, 32);
    public static readonly PtxType F64 = new(TypeKind.Float, 64);

    private static readonly Dictionary<string, PtxType> s_names = new()
    {
        ["pred"] = Predicate,
        ["b8"] = new(TypeKind.Bits, 8),
        ["b16"] = B16,
        ["b32"] = B32,
        ["b64"] = B64,
        ["u8"] = new(TypeKind.Unsigned, 8),
        ["u16"] = new(TypeKind.Unsigned, 16),
        ["u32"] = U32,
        ["u64"] = U64,
        ["s8"] = new(TypeKind.Signed, 8),
        ["s16"] = new(TypeKind.Signed, 16),
        ["s32"] = S32,
        ["s64"] = new(TypeKind.Signed, 64),
        ["f16"] = F16,
        ["f32"] = F32,
        ["f64"] = F64,
        ["f16x2"] = new(TypeKind.Float, 32, 2),
        ["bf16"] = new(TypeKind.BrainFloat, 16),
        ["bf16x2"] = new(TypeKind.BrainFloat, 32, 2),
        ["tf32"] = new(TypeKind.TensorFloat, 32),
    };

    public int Bytes => Bits / 8;

    public bool IsInteger => Kind is TypeKind.Unsigned or TypeKind.Signed;

    public bool IsSigned => Kind == TypeKind.Signed;

    /// <summary>All ones over the type's width.</summary>
    public ulong Mask => Bits == 64 ? ulong.MaxValue : (1UL << Bits) - 1;

    public static bool TryParse(string name, out PtxType type) => s_names.TryGetValue(name, out type);

    /// <summary>Whether a register may stand where an instruction asks for this type: PTX ISA, "Operand Type Checking", strict form.</summary>
    public bool Accepts(PtxType register)
    {
        if (Kind == TypeKind.Predicate || register.Kind == TypeKind.Predicate)
        {
            return Kind == register.Kind;
        }

        if (register.Bits != Bits)
        {
            return false;
        }

        return Kind switch
        {
            TypeKind.Bits => true,
            TypeKind.Unsigned or TypeKind.Signed => register.Kind is TypeKind.Bits or TypeKind.Unsigned or TypeKind.Signed,
            TypeKind.Float => register.Kind == TypeKind.Bits || (register.Kind == TypeKind.Float && register.Lanes == Lanes),
            _ => register.Kind == TypeKind.Bits,
        };
    }

    /// <summary>The relaxed form for loads, stores and conversions: integers and bits also fit in wider non-float registers.</summary>
    public bool AcceptsWider(PtxType register) =>
        Accepts(register)
        || (Kind is TypeKind.Bits or TypeKind.Unsigned or TypeKind.Signed
            && register.Kind is TypeKind.Bits or TypeKind.Unsigned or TypeKind.Signed
            && register.Bits > Bits);

    public override string ToString()
    {
        foreach ((string name, PtxType type) in s_names)
        {
            if (type == this)
            {
                return "." + name;
            }
        }

        return $"{Kind}{Bits}";
    }
}
