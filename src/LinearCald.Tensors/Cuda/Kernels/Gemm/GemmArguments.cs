using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Run-time arguments of the product kernels.</summary>
/// <typeparam name="TWord">Word of an element of C and the pre-activation.</typeparam>
internal struct GemmArguments<TWord>
    where TWord : unmanaged
{
    /// <summary>Bytes of A.</summary>
    public ReadOnlyView<byte> A;

    /// <summary>Bytes of B.</summary>
    public ReadOnlyView<byte> B;

    /// <summary>The result.</summary>
    public View<TWord> C;

    /// <summary>Bytes of N values, for each product of an inner stack; or empty.</summary>
    public ReadOnlyView<byte> Bias;

    /// <summary>The activation's argument, laid out as C, or empty.</summary>
    public View<TWord> Pre;

    /// <summary>Partial sums [split][batch][M][<see cref="WorkspacePitch"/>], or empty.</summary>
    public View<float> Workspace;

    /// <summary>Bytes from one A of a stack to the next.</summary>
    public long StrideA;

    /// <summary>Bytes from one B of a stack to the next.</summary>
    public long StrideB;

    /// <summary>Elements from one C of a stack to the next.</summary>
    public long StrideC;

    /// <summary>Products of an inner stack; used where <see cref="GemmOutput.Nested"/>.</summary>
    public FastDivisor Inner;

    /// <summary>Bytes from one A of an inner stack to the next.</summary>
    public long InnerStrideA;

    /// <summary>Bytes from one B of an inner stack to the next.</summary>
    public long InnerStrideB;

    /// <summary>Elements from one C of an inner stack to the next.</summary>
    public long InnerStrideC;

    /// <summary>Rows of C.</summary>
    public int M;

    /// <summary>Columns of C.</summary>
    public int N;

    /// <summary>Length of the sums.</summary>
    public int K;

    /// <summary>From one stored row of A to the next, in pieces of the copy width.</summary>
    public int LeadingA;

    /// <summary>From one stored row of B to the next, in pieces of the copy width.</summary>
    public int LeadingB;

    /// <summary>From one row of C to the next, in elements.</summary>
    public int LeadingC;

    /// <summary>From one row of a partial sum to the next: N rounded up to a multiple of four.</summary>
    public int WorkspacePitch;

    /// <summary>Blocks of C along its rows.</summary>
    public int TilesM;

    /// <summary>Blocks of C along its columns.</summary>
    public int TilesN;

    /// <summary>Length of each group's part of the sums, a multiple of the block of k.</summary>
    public int PartK;

    /// <summary>Parts along k.</summary>
    public int Parts;

    /// <summary>Products of the launch.</summary>
    public int Products;

    /// <summary>Factor of the product.</summary>
    public float Alpha;

    /// <summary>Where this group's product begins along strides of A, B or C.</summary>
    /// <param name="nested">Whether there are inner stacks; known to the compiler.</param>
    public readonly long Start(bool nested, long stride, long innerStride)
    {
        if (!nested)
        {
            return Grid.IndexZ * stride;
        }

        int outer = Inner.Divide(Grid.IndexZ);
        return (outer * stride) + ((Grid.IndexZ - (outer * Inner.Divisor)) * innerStride);
    }
}
