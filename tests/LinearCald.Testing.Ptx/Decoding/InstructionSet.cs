using LinearCald.Testing.Ptx.Execution;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Decoding;

/// <summary>All opcodes.</summary>
internal static class InstructionSet
{
    public static Instruction Decode(Decoder d) => d.Opcode switch
    {
        "add" or "sub" => IsFloat(d) ? FloatDecoding.Arithmetic(d) : IntegerDecoding.Arithmetic(d),
        "mul" => IsFloat(d) ? FloatDecoding.Arithmetic(d) : IntegerDecoding.Multiply(d),
        "mad" => IsFloat(d) ? FloatDecoding.MultiplyAdd(d) : IntegerDecoding.MultiplyAdd(d),
        "fma" => FloatDecoding.MultiplyAdd(d),
        "div" => IsFloat(d) ? FloatDecoding.Divide(d) : IntegerDecoding.Arithmetic(d),
        "rem" => IntegerDecoding.Arithmetic(d),
        "min" or "max" => IsFloat(d) ? FloatDecoding.Choose(d) : IntegerDecoding.Arithmetic(d),
        "neg" or "abs" => IsFloat(d) ? FloatDecoding.Sign(d) : IntegerDecoding.Sign(d),
        "copysign" => FloatDecoding.CopySign(d),
        "testp" => FloatDecoding.Test(d),
        "sad" => IntegerDecoding.Ternary(d),
        "and" or "or" or "xor" => IntegerDecoding.Logic(d),
        "not" => IntegerDecoding.Not(d),
        "shl" => IntegerDecoding.ShiftLeft(d),
        "shr" => IntegerDecoding.ShiftRight(d),
        "shf" => IntegerDecoding.Funnel(d),
        "popc" or "clz" or "brev" => IntegerDecoding.Count(d),
        "bfind" => IntegerDecoding.FindTop(d),
        "bfe" => IntegerDecoding.ExtractField(d),
        "bfi" => IntegerDecoding.InsertField(d),
        "prmt" => IntegerDecoding.Permute(d),
        "lop3" => IntegerDecoding.LookUp3(d),
        "rcp" or "rsqrt" or "sqrt" or "sin" or "cos" or "lg2" or "ex2" or "tanh" => ApproximateDecoding.Decode(d),
        "setp" => CompareDecoding.SetPredicate(d),
        "selp" => CompareDecoding.Select(d),
        "slct" => CompareDecoding.SelectBySign(d),
        "cvt" => ConvertDecoding.Decode(d),
        "mov" => MoveDecoding.Move(d),
        "cvta" => MoveDecoding.ConvertAddress(d),
        "ld" or "st" => MemoryDecoding.LoadOrStore(d),
        "atom" or "red" => MemoryDecoding.Atomic(d),
        "membar" or "fence" => MemoryDecoding.Fence(d),
        "prefetch" => MemoryDecoding.Prefetch(d),
        "cp" => MemoryDecoding.Copy(d),
        "shfl" => WarpDecoding.Shuffle(d),
        "vote" => WarpDecoding.Vote(d),
        "match" => WarpDecoding.Match(d),
        "redux" => WarpDecoding.Reduce(d),
        "elect" => WarpDecoding.Elect(d),
        "bar" or "barrier" => WarpDecoding.Barrier(d),
        "ldmatrix" or "stmatrix" => WarpDecoding.MatrixAccess(d),
        "movmatrix" => WarpDecoding.MatrixTranspose(d),
        "mma" => WarpDecoding.MatrixProduct(d),
        "mbarrier" => TransactionDecoding.Barrier(d),
        "wgmma" => WarpgroupDecoding.Decode(d),
        "bra" => Jump(d),
        "brx" => JumpByTable(d),
        "ret" or "exit" => End(d),
        "trap" => new Stop("trap: the kernel reports an error"),
        "activemask" => throw d.Error("which lanes are active is up to the device: name the lanes by a mask"),
        "call" => throw d.Error("calls are not emulated"),
        _ => throw d.Error($"unknown instruction {d.Opcode}"),
    };

    private static bool IsFloat(Decoder d) => d.LastType.Kind is TypeKind.Float or TypeKind.BrainFloat;

    private static Branch Jump(Decoder d)
    {
        d.Take("uni");
        return new Branch { Target = d.Code.Label(d.Operand().Name, d) };
    }

    private static IndexedBranch JumpByTable(Decoder d)
    {
        d.Expect("idx");
        d.Take("uni");
        int selector = d.Source(PtxType.U32);
        return new IndexedBranch { Selector = selector, Targets = d.Code.BranchTargets(d.Operand().Name, d) };
    }

    private static Exit End(Decoder d)
    {
        d.Take("uni");
        return new Exit();
    }
}
