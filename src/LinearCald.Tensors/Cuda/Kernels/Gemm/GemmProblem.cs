using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// C = f(alpha · op(A) op(B) + bias (+ C)) for one matrix or a stack of them. op(A) is M × K, op(B) is K × N, C is M × N, all row-major:
/// A is stored [M][K], or [K][M] if transposed; B is stored [K][N], or [N][K] if transposed. Leading dimensions and strides count elements.
/// </summary>
internal readonly record struct GemmProblem(int M, int N, int K)
{
    /// <summary>A is stored [K][M].</summary>
    public bool TransposeA { get; init; }

    /// <summary>B is stored [N][K].</summary>
    public bool TransposeB { get; init; }

    /// <summary>From one stored row of A to the next.</summary>
    public int LeadingA { get; init; }

    /// <summary>From one stored row of B to the next.</summary>
    public int LeadingB { get; init; }

    /// <summary>From one row of C, and of the pre-activation, to the next.</summary>
    public int LeadingC { get; init; }

    /// <summary>Products in the stack.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>From one A of the stack to the next; 0 repeats it.</summary>
    public long StrideA { get; init; }

    /// <summary>From one B of the stack to the next; 0 repeats it.</summary>
    public long StrideB { get; init; }

    /// <summary>From one C of the stack to the next.</summary>
    public long StrideC { get; init; }

    /// <summary>Products that lie by the inner strides within one step of the strides above; 1 for a plain stack. Divides <see cref="Batch"/>, which counts all of them.</summary>
    public int Inner { get; init; } = 1;

    /// <summary>From one A to the next within a step of <see cref="StrideA"/>.</summary>
    public long InnerStrideA { get; init; }

    /// <summary>From one B to the next within a step of <see cref="StrideB"/>.</summary>
    public long InnerStrideB { get; init; }

    /// <summary>From one C to the next within a step of <see cref="StrideC"/>.</summary>
    public long InnerStrideC { get; init; }

    /// <summary>Rows of A and B may begin before the row above ends: the patches that a convolution reads.</summary>
    public bool Overlapping { get; init; }

    /// <summary>The factor of the product.</summary>
    public float Alpha { get; init; } = 1;

    /// <summary>Adds C's old values.</summary>
    public bool Accumulate { get; init; }

    /// <summary>f.</summary>
    public Activation Activation { get; init; }

    /// <summary>Types of A and B, and the units used.</summary>
    public GemmPrecision Precision { get; init; }

    /// <summary>Type of C and the pre-activation: float32, bfloat16 or float16.</summary>
    public DType Output { get; init; } = DType.Float32;

    /// <summary>The bias is float32 whatever C is; otherwise it has C's type.</summary>
    public bool Float32Bias { get; init; }

    /// <summary>A problem over contiguous matrices, the stack's too.</summary>
    public static GemmProblem Contiguous(int m, int n, int k, bool transposeA, bool transposeB, int batch = 1) => new(m, n, k)
    {
        TransposeA = transposeA,
        TransposeB = transposeB,
        LeadingA = transposeA ? m : k,
        LeadingB = transposeB ? k : n,
        LeadingC = n,
        Batch = batch,
        StrideA = (long)m * k,
        StrideB = (long)n * k,
        StrideC = (long)m * n,
    };

    /// <summary>Multiply-adds, for throughput figures twice that many operations.</summary>
    public double MultiplyAdds => (double)M * N * K * Batch;
}

/// <summary>Device addresses of a product's matrices.</summary>
/// <param name="A">Left operand.</param>
/// <param name="B">Right operand.</param>
/// <param name="C">Result.</param>
/// <param name="Bias">N elements added to every row, N for each product of an inner stack; or 0.</param>
/// <param name="Pre">Second result laid out as C: the argument of f; or 0.</param>
internal readonly record struct GemmOperands(nint A, nint B, nint C, nint Bias = 0, nint Pre = 0);
