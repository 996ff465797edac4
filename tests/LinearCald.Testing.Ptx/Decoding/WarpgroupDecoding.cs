using LinearCald.Testing.Ptx.Execution;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Decoding;

/// <summary>wgmma.</summary>
internal static class WarpgroupDecoding
{
    public static Instruction Decode(Decoder d)
    {
        d.Needs(90, 80, true);
        string name = d.ExpectAny("fence", "commit_group", "wait_group", "mma_async");
        d.Expect("sync", "aligned");
        switch (name)
        {
            case "fence":
                return new WarpgroupGroups(-2);
            case "commit_group":
                return new WarpgroupGroups(-1);
            case "wait_group":
                return new WarpgroupGroups(d.Literal(0, 7));
            default:
                return Product(d);
        }
    }

    private static WarpgroupProduct Product(Decoder d)
    {
        int columns = 8;
        int depth = 0;
        while (columns <= 256 && depth == 0)
        {
            depth = d.Take($"m64n{columns}k16") ? 16 : d.Take($"m64n{columns}k8") ? 8 : 0;
            columns += depth == 0 ? 8 : 0;
        }

        d.Expect("f32");
        PtxType element = d.Type("f16", "bf16", "tf32");
        d.Expect(element.ToString()[1..]);
        bool isTensor = element.Kind == TypeKind.TensorFloat;
        if (depth != (isTensor ? 8 : 16))
        {
            throw d.Error("the shape does not fit the type");
        }

        int[] accumulators = d.Destinations(PtxType.F32, columns / 2);
        bool isInRegisters = d.Next?.Kind == OperandKind.Vector;
        int[] left = isInRegisters ? d.Sources(PtxType.B32, 4) : [d.Source(PtxType.B64)];
        if (d.Code.SharedGranule > element.Bits / 8 && !isTensor)
        {
            d.Code.SharedAccess(2);
        }

        int right = d.Source(PtxType.B64);
        (int adds, bool isNegated) = d.Predicate();
        if (isNegated)
        {
            throw d.Error("scale-d is a predicate or 0 or 1");
        }

        int leftSign = Sign(d);
        int rightSign = Sign(d);
        return new WarpgroupProduct
        {
            Element = element,
            Columns = columns,
            Accumulators = accumulators,
            Left = left,
            Right = right,
            Adds = adds,
            LeftSign = leftSign,
            RightSign = rightSign,
            IsLeftTransposed = !isTensor && !isInRegisters && d.Literal(0, 1) == 1,
            IsRightTransposed = !isTensor && d.Literal(0, 1) == 1,
        };
    }

    private static int Sign(Decoder d)
    {
        int sign = d.Literal(-1, 1);
        return sign != 0 ? sign : throw d.Error("imm-scale is 1 or -1");
    }
}
