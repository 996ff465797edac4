using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>Matrix products of a warpgroup (<c>wgmma</c>), whose sums are updated in place.</summary>
internal static class WarpgroupIntrinsics
{
    public const string FenceMnemonic = "wgmma.fence.sync.aligned";
    public const string CommitMnemonic = "wgmma.commit_group.sync.aligned";
    public const string WaitMnemonic = "wgmma.wait_group.sync.aligned";
    public const string ProductMnemonic = "wgmma.mma_async.sync.aligned";

    private const string TensorFloat32 = "f32.tf32.tf32";
    private const int Warpgroup = 128;
    private const byte LeftRegisters = 4;

    public static void Register(IntrinsicTable.Registry registry)
    {
        registry.Add(typeof(Wgmma), nameof(Wgmma.Fence), static (e, _, _) => Plain(e, FenceMnemonic));
        registry.Add(typeof(Wgmma), nameof(Wgmma.Commit), static (e, _, _) => Plain(e, CommitMnemonic));
        registry.Add(typeof(Wgmma), nameof(Wgmma.Wait), static (e, _, a) =>
        {
            long groups = e.Known(a[0], "the number of product groups that may still run");
            return Plain(e, WaitMnemonic, groups is >= 0 and <= 7 ? Operand.Integer(groups) : throw e.Refuse($"a wait for {groups} groups of products; 0 to 7 may still run"));
        });
        registry.Add(typeof(Wgmma), nameof(Wgmma.BFloat16), static (e, _, a) => Product(e, a, "f32.bf16.bf16"));
        registry.Add(typeof(Wgmma), nameof(Wgmma.Half), static (e, _, a) => Product(e, a, "f32.f16.f16"));
        registry.Add(typeof(Wgmma), nameof(Wgmma.TensorFloat32), static (e, _, a) => Product(e, a, TensorFloat32));
    }

    private static Value? Plain(Emit emit, string mnemonic, params ReadOnlySpan<Operand> operands)
    {
        emit.Require(PtxTarget.Sm90a);
        emit.Effect(mnemonic, InstructionFlags.Convergent, null, operands);
        return null;
    }

    private static Value? Product(Emit emit, ReadOnlySpan<Value> arguments, string types)
    {
        emit.Require(PtxTarget.Sm90a);
        if (arguments[0] is not LocalRef { Layout: var layout } sums)
        {
            throw emit.Refuse("the sums of a warpgroup product are a local array of registers");
        }

        int count = layout.Leaves.Length;
        if (count % 4 != 0 || count > 128 || emit.Group.Count < Warpgroup)
        {
            throw emit.Refuse($"a warpgroup product with {count} sums a thread in a group of {emit.Group} threads; sums are a multiple of 4 up to 128, threads at least {Warpgroup}");
        }

        Value accumulate = emit.Arithmetic.ToCondition(arguments[3]);
        int[] old = accumulate is Known { Int: 0 } ? [] : Old(emit, sums);
        Operand predicate = accumulate is Condition c ? Operand.Of(emit.Arithmetic.Register(c)) : emit.Predicate(accumulate);
        bool isTensorFloat32 = types == TensorFloat32;
        string mnemonic = $"{ProductMnemonic}.m64n{2 * count}k{(isTensorFloat32 ? 8 : 16)}.{types}";
        Operand one = Operand.Integer(1);
        ReadOnlySpan<Value> leftLeaves = emit.Leaves(arguments[1]);
        (Operand right, Operand transposeRight) = Operands(emit, emit.Leaves(arguments[2]));
        Value[] results;
        if (leftLeaves.Length == LeftRegisters)
        {
            Operand[] operands = [emit.Register(leftLeaves[0]), emit.Register(leftLeaves[1]), emit.Register(leftLeaves[2]), emit.Register(leftLeaves[3]), right, predicate, one, one, transposeRight];
            results = emit.IssueInPlace(mnemonic, RegisterKind.F32, count, old, [LeftRegisters], operands);
        }
        else
        {
            (Operand left, Operand transposeLeft) = Operands(emit, leftLeaves);
            if (isTensorFloat32 && (transposeLeft.Bits != 0 || transposeRight.Bits != 0))
            {
                throw emit.Refuse("a warpgroup product of tf32 with an operand whose inner dimension is not k: there is no such instruction");
            }

            results = isTensorFloat32
                ? emit.IssueInPlace(mnemonic, RegisterKind.F32, count, old, [], left, right, predicate, one, one)
                : emit.IssueInPlace(mnemonic, RegisterKind.F32, count, old, [], left, right, predicate, one, one, transposeLeft, transposeRight);
        }

        emit.Write(sums, new Aggregate(layout, results));
        return null;
    }

    /// <summary>The registers of a product's left operand, the first of its operands; none if it lies in shared memory.</summary>
    public static ReadOnlySpan<Operand> LeftOf(Instruction product) => product.Groups is [_, LeftRegisters, ..] ? product.Operands.AsSpan(0, LeftRegisters) : [];

    /// <summary>
    /// The registers of the sums, each its own. Where sums are constants, or share a register, new ones are made: an access to their registers, after which
    /// the products need another fence.
    /// </summary>
    private static int[] Old(Emit emit, LocalRef sums)
    {
        ReadOnlySpan<Value> values = emit.Leaves(sums);
        int[] registers = new int[values.Length];
        HashSet<int> used = [];
        bool isMoved = false;
        for (int i = 0; i < registers.Length; i++)
        {
            if (values[i] is InRegister r && used.Add(r.Register))
            {
                registers[i] = r.Register;
                continue;
            }

            registers[i] = ((InRegister)emit.Issue("mov.f32", RegisterKind.F32, InstructionFlags.Removable, emit.Use(values[i]))).Register;
            isMoved = true;
        }

        if (isMoved)
        {
            Plain(emit, FenceMnemonic);
        }

        return registers;
    }

    private static (Operand Descriptor, Operand Transpose) Operands(Emit emit, ReadOnlySpan<Value> leaves) =>
        (emit.Register(leaves[0]), Operand.Integer(emit.Known(leaves[1], "whether K is an operand's inner dimension")));
}
