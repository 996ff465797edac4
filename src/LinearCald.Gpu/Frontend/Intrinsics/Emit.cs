using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>What an emitter works with: operands from values, instructions, memory accesses, registers of the kernel's variables.</summary>
internal sealed class Emit(Evaluator evaluator)
{
    /// <summary>IL arithmetic on values, which folds.</summary>
    public Arithmetic Arithmetic => evaluator.Arithmetic;

    /// <summary>Threads of the group.</summary>
    public Index3 Group => evaluator.Group;

    /// <summary>Raises the target that the kernel needs.</summary>
    public void Require(PtxTarget target) => evaluator.Require(target);

    /// <summary>The exception that refuses the call: says what cannot be compiled, and what to write instead.</summary>
    public Refusal Refuse(string message) => evaluator.Refuse(message);

    /// <summary>An integer that must be known to the compiler.</summary>
    public long Known(Value value, string what) =>
        Arithmetic.Number(value, what) is Known k ? k.Bits : throw Refuse($"{what} must be known to the compiler: a constant, a [Constant] parameter, or the counter of a loop that unrolls (Loop.Unroll)");

    /// <summary>The value as an operand; an immediate if known.</summary>
    public Operand Use(Value value) => Arithmetic.Use(Arithmetic.Number(value, "operand"));

    /// <summary>The value in a register, for operands that cannot be immediates. Truth values become 0 or 1.</summary>
    public Operand Register(Value value) => Operand.Of(Arithmetic.Register(Arithmetic.Number(value, "operand")));

    /// <summary>The value as a predicate, in either sense; known ones through a comparison of constants.</summary>
    public Operand Predicate(Value value) => Arithmetic.ToCondition(value) switch
    {
        Condition c => Operand.Of(c.Register, c.Negated),
        Known k => Operand.Of(evaluator.Code.Issue("setp.ne.b32", RegisterKind.Predicate, InstructionFlags.Arithmetic, [Register(Frontend.Known.Of(k.Int)), Operand.Integer(0)])),
        _ => throw Refuse("a condition that is no truth value"),
    };

    /// <summary>An instruction with one result. Equal pure ones are issued once.</summary>
    /// <param name="mnemonic">With all suffixes; or the whole text with $0 for the result and $1 … for operands, for what has several lines.</param>
    /// <param name="kind">Class of the result.</param>
    /// <param name="flags">What may be done with it.</param>
    /// <param name="operands">In PTX order.</param>
    public Scalar Issue(string mnemonic, RegisterKind kind, InstructionFlags flags, params ReadOnlySpan<Operand> operands) =>
        Arithmetic.OfRegister(kind, evaluator.Code.Issue(mnemonic, kind, flags, operands, site: Site(flags)));

    /// <summary>The same for a 32-bit integer whose least and greatest value are known.</summary>
    public Scalar IssueInRange(string mnemonic, int minimum, int maximum, InstructionFlags flags, params ReadOnlySpan<Operand> operands) =>
        new Linear32(evaluator.Code.Issue(mnemonic, RegisterKind.B32, flags, operands, minimum, maximum, site: Site(flags)));

    /// <summary>An instruction with several results of one class.</summary>
    /// <param name="mnemonic">With all suffixes.</param>
    /// <param name="kind">Class of the results.</param>
    /// <param name="count">How many.</param>
    /// <param name="flags">What may be done with it.</param>
    /// <param name="groups">How many results and then operands each printed operand takes: {4, 1} for a load of a vector of four. Null: one each.</param>
    /// <param name="operands">In PTX order.</param>
    public Value[] IssueMany(string mnemonic, RegisterKind kind, int count, InstructionFlags flags, byte[]? groups, params ReadOnlySpan<Operand> operands)
    {
        int first = evaluator.Code.Issue(mnemonic, kind, flags, operands, count: count, groups: groups, site: Site(flags));
        Value[] values = new Value[count];
        for (int i = 0; i < count; i++)
            values[i] = Arithmetic.OfRegister(kind, first + i);

        return values;
    }

    /// <summary>An instruction without a result.</summary>
    public void Effect(string mnemonic, InstructionFlags flags, byte[]? groups, params ReadOnlySpan<Operand> operands) =>
        evaluator.Code.Issue(mnemonic, RegisterKind.B32, flags, operands, count: 0, groups: groups, site: Site(flags));

    /// <summary>
    /// An instruction that updates registers in place: as many results as <paramref name="tied"/> has inputs, in the same registers.
    /// </summary>
    /// <param name="mnemonic">With all suffixes.</param>
    /// <param name="kind">Class of the results.</param>
    /// <param name="count">How many results; they print as one vector.</param>
    /// <param name="tied">Their old values, or empty if those do not matter.</param>
    /// <param name="groups">How many operands each printed operand takes, from the first on; one where it ends.</param>
    /// <param name="operands">In PTX order, after the results.</param>
    public Value[] IssueInPlace(string mnemonic, RegisterKind kind, int count, ReadOnlySpan<int> tied, ReadOnlySpan<byte> groups, params ReadOnlySpan<Operand> operands)
    {
        Operand[] all = new Operand[operands.Length + tied.Length];
        operands.CopyTo(all);
        for (int i = 0; i < tied.Length; i++)
            all[operands.Length + i] = Operand.Of(tied[i]);

        int first = evaluator.Code.Issue(mnemonic, kind, InstructionFlags.Convergent, all, count: count, groups: [(byte)count, .. groups], site: evaluator.Site(), tied: tied.Length);
        Value[] values = new Value[count];
        for (int i = 0; i < count; i++)
            values[i] = Arithmetic.OfRegister(kind, first + i);

        return values;
    }

    /// <summary>The struct or number that a reference to a variable denotes; other values as they are.</summary>
    public Value Read(Value value) => value switch
    {
        LocalRef r => evaluator.ReadSlot(r.Slot, r.Layout),
        ConstantRef c => c.Value,
        _ => value,
    };

    /// <summary>Writes a variable.</summary>
    public void Write(LocalRef target, Value value) => evaluator.WriteSlot(target.Slot, target.Layout, value);

    /// <summary>A reference to one element of an array of registers.</summary>
    public LocalRef Element(Value array, Value index)
    {
        if (array is not LocalRef { Layout.Element: { } element } r)
        {
            throw Refuse($"an array of registers was expected, not a {Arithmetic.Describe(array)}");
        }

        long i = Known(index, "the index of a register");
        int count = r.Layout.Leaves.Length / element.Leaves.Length;
        return i >= 0 && i < count
            ? new LocalRef(r.Slot + ((int)i * element.Leaves.Length), element)
            : throw Refuse($"register {i} of {count} was addressed");
    }

    /// <summary>A struct from its primitive fields in order.</summary>
    public static Value Struct(Type type, params ReadOnlySpan<Value> leaves) => new Aggregate(TypeLayout.Of(type), leaves.ToArray());

    /// <summary>The primitive fields of a struct (or of what a reference denotes), in order; of a number itself.</summary>
    public ReadOnlySpan<Value> Leaves(Value value) => Read(value) is Aggregate a ? a.Leaves : new Value[] { Read(value) };

    /// <summary>[register + displacement] of an element of a view (or of a reference to one).</summary>
    public Operand GlobalAddress(Value view, Value index, Type element)
    {
        Value pointer = Leaves(view)[0];
        return Arithmetic.Address64(Arithmetic.Add(pointer, Arithmetic.Multiply(index, Frontend.Known.Of((long)TypeLayout.Of(element).Size))));
    }

    /// <summary>[register + displacement] of an element of a shared buffer (or of a reference to one), in 32 bits.</summary>
    public Operand SharedAddress(Value shared, Value index, Type element) => Arithmetic.Address32(SharedPointer(shared, index, element));

    /// <summary>The 32-bit address itself.</summary>
    public Value SharedPointer(Value shared, Value index, Type element)
    {
        Value offset = Leaves(shared)[0];
        Scalar i = Arithmetic.ToInt32(index, false);
        return Arithmetic.Add(offset, Arithmetic.Multiply(i, Frontend.Known.Of(TypeLayout.Of(element).Size)));
    }

    /// <summary>A load of a primitive, or of a struct: 2 or 4 equal primitives in one access, others one by one.</summary>
    /// <param name="mnemonic">Up to the type: <c>ld.global.nc</c>.</param>
    /// <param name="address">Of the first byte.</param>
    /// <param name="type">What is loaded.</param>
    /// <param name="flags">Of each access.</param>
    public Value Load(string mnemonic, Operand address, Type type, InstructionFlags flags)
    {
        TypeLayout layout = TypeLayout.Of(type);
        Value[] leaves = new Value[layout.Leaves.Length];
        int vector = VectorLength(layout);
        for (int i = 0; i < leaves.Length; i += vector)
        {
            Leaf leaf = layout.Leaves[i];
            RegisterKind kind = TypeLayout.KindOf(leaf.Kind);
            (int low, int high) = Range(leaf.Kind);
            Operand at = address with { Bits = address.Bits + leaf.Offset };
            string name = Mnemonic(mnemonic, vector, leaf.Kind);
            int first = evaluator.Code.Issue(name, kind, flags, [at], low, high, vector, vector == 1 ? null : [(byte)vector, 1], Site(flags));
            for (int j = 0; j < vector; j++)
                leaves[i + j] = Arithmetic.OfRegister(kind, first + j);
        }

        return layout.IsStruct ? new Aggregate(layout, leaves) : leaves[0];
    }

    /// <summary>The converse of <see cref="Load"/>.</summary>
    public void Store(string mnemonic, Operand address, Type type, Value value)
    {
        TypeLayout layout = TypeLayout.Of(type);
        ReadOnlySpan<Value> leaves = Leaves(value);
        int vector = VectorLength(layout);
        Operand[] operands = new Operand[vector + 1];
        for (int i = 0; i < leaves.Length; i += vector)
        {
            Leaf leaf = layout.Leaves[i];
            operands[0] = address with { Bits = address.Bits + leaf.Offset };
            for (int j = 0; j < vector; j++)
                operands[j + 1] = Register(leaves[i + j]);

            Effect(Mnemonic(mnemonic, vector, leaf.Kind), InstructionFlags.None, vector == 1 ? null : [1, (byte)vector], operands);
        }
    }

    /// <summary>The address of a table in constant memory.</summary>
    public Value ConstantAddress(ConstantTable table) =>
        Issue("mov.u64", RegisterKind.B64, InstructionFlags.Arithmetic, Operand.Named(evaluator.Code.NameOf(table)));

    /// <summary>A new buffer in shared memory: its address.</summary>
    public Value AllocateShared(long bytes, int alignment) => evaluator.AllocateShared(bytes, alignment);

    private static int VectorLength(TypeLayout layout)
    {
        Leaf[] leaves = layout.Leaves;
        int size = TypeLayout.SizeOf(leaves[0].Kind);
        if (leaves.Length is not (2 or 4) || leaves.Length * size > 16)
        {
            return 1;
        }

        for (int i = 1; i < leaves.Length; i++)
        {
            if (leaves[i].Kind != leaves[0].Kind || leaves[i].Offset != i * size)
            {
                return 1;
            }
        }

        return leaves.Length;
    }

    private string Mnemonic(string prefix, int vector, LeafKind kind)
    {
        if (kind is LeafKind.Reference or LeafKind.Foreign)
        {
            throw Refuse("a value with references inside cannot be in memory");
        }

        string suffix = TypeLayout.Suffix(kind);
        return vector switch
        {
            1 => string.Concat(prefix, ".", suffix),
            2 => string.Concat(prefix, ".v2.", suffix),
            _ => string.Concat(prefix, ".v4.", suffix),
        };
    }

    /// <summary>Least and greatest value of a leaf read as signed 32 bits.</summary>
    public static (int Low, int High) Range(LeafKind kind) => kind switch
    {
        LeafKind.Bool => (0, 1),
        LeafKind.Int8 => (sbyte.MinValue, sbyte.MaxValue),
        LeafKind.UInt8 => (0, byte.MaxValue),
        LeafKind.Int16 => (short.MinValue, short.MaxValue),
        LeafKind.UInt16 => (0, ushort.MaxValue),
        _ => (int.MinValue, int.MaxValue),
    };

    private object? Site(InstructionFlags flags) => (flags & InstructionFlags.Convergent) != 0 ? evaluator.Site() : null;
}
