using LinearCald.Gpu;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Launches of <see cref="ElementwiseKernels"/> over contiguous elements at device addresses, of float32, bfloat16 or float16. An output may be one of the inputs.
/// </summary>
internal static unsafe class Elementwise
{
    /// <summary>Elements that one launch takes on, so that kernels count in 32 bits: a multiple of every vector's length.</summary>
    public const long Slice = 1L << 30;

    /// <summary>y[i] += x[i].</summary>
    public static void AddInPlace(Accelerator accelerator, DType type, nint y, nint x, long count) =>
        Zip<AddZip>(accelerator, type, y, x, y, count, "AddInPlace");

    /// <summary>y[r, c] += x[r, c], the rows of y <paramref name="pitch"/> elements apart and those of x without gaps.</summary>
    public static void AddRows(Accelerator accelerator, DType type, nint y, long pitch, nint x, long rows, long columns)
    {
        switch (type)
        {
            case DType.Float32: AddRows<float, Float32Format>(accelerator, y, pitch, x, rows, columns); break;
            case DType.BFloat16: AddRows<ushort, BFloat16Format>(accelerator, y, pitch, x, rows, columns); break;
            case DType.Float16: AddRows<ushort, Float16Format>(accelerator, y, pitch, x, rows, columns); break;
            default: throw Unsupported("AddInPlace", type);
        }
    }

    /// <summary>y[i] = factor · x[i] + offset.</summary>
    public static void Affine(Accelerator accelerator, DType type, nint x, double factor, double offset, nint y, long count)
    {
        if (offset == 0)
        {
            Map<ScaleMap>(accelerator, type, x, y, count, (float)factor, 0f, "Affine");
        }
        else
        {
            Map<AffineMap>(accelerator, type, x, y, count, (float)factor, (float)offset, "Affine");
        }
    }

    /// <summary>y[i] = f(x[i]).</summary>
    public static void Unary(Accelerator accelerator, Activation f, DType type, nint x, nint y, long count)
    {
        string name = f.ToString();
        switch (f)
        {
            case Activation.GeluErf: Map<GeluErfMap>(accelerator, type, x, y, count, 0f, 0f, name); break;
            case Activation.GeluTanh: Map<GeluTanhMap>(accelerator, type, x, y, count, 0f, 0f, name); break;
            case Activation.Silu: Map<SiluMap>(accelerator, type, x, y, count, 0f, 0f, name); break;
            case Activation.Relu: Map<ReluMap>(accelerator, type, x, y, count, 0f, 0f, name); break;
            case Activation.Tanh: Map<TanhMap>(accelerator, type, x, y, count, 0f, 0f, name); break;
            case Activation.Sigmoid: Map<SigmoidMap>(accelerator, type, x, y, count, 0f, 0f, name); break;
            case Activation.Exp: Map<ExpMap>(accelerator, type, x, y, count, 0f, 0f, name); break;
            case Activation.Log: Map<LogMap>(accelerator, type, x, y, count, 0f, 0f, name); break;
            case Activation.Sqrt: Map<SqrtMap>(accelerator, type, x, y, count, 0f, 0f, name); break;
            case Activation.Square: Map<SquareMap>(accelerator, type, x, y, count, 0f, 0f, name); break;
            case Activation.Softplus: Map<SoftplusMap>(accelerator, type, x, y, count, 0f, 0f, name); break;
            default: throw new ArgumentOutOfRangeException(nameof(f), f, "no kernel");
        }
    }

    /// <summary>gx[i] = f′ · gy[i].</summary>
    /// <param name="saved">The forward's output where <see cref="ActivationRule.SavesOutput"/>, else its input.</param>
    public static void UnaryGradient(Accelerator accelerator, Activation f, DType type, nint saved, nint gy, nint gx, long count)
    {
        string name = f.ToString();
        switch (f)
        {
            case Activation.GeluErf: Zip<GeluErfGradient>(accelerator, type, saved, gy, gx, count, name); break;
            case Activation.GeluTanh: Zip<GeluTanhGradient>(accelerator, type, saved, gy, gx, count, name); break;
            case Activation.Silu: Zip<SiluGradient>(accelerator, type, saved, gy, gx, count, name); break;
            case Activation.Relu: Zip<ReluGradient>(accelerator, type, saved, gy, gx, count, name); break;
            case Activation.Tanh: Zip<TanhGradient>(accelerator, type, saved, gy, gx, count, name); break;
            case Activation.Sigmoid: Zip<SigmoidGradient>(accelerator, type, saved, gy, gx, count, name); break;
            case Activation.Exp: Zip<ExpGradient>(accelerator, type, saved, gy, gx, count, name); break;
            case Activation.Log: Zip<LogGradient>(accelerator, type, saved, gy, gx, count, name); break;
            case Activation.Sqrt: Zip<SqrtGradient>(accelerator, type, saved, gy, gx, count, name); break;
            case Activation.Square: Zip<SquareGradient>(accelerator, type, saved, gy, gx, count, name); break;
            case Activation.Softplus: Zip<SoftplusGradient>(accelerator, type, saved, gy, gx, count, name); break;
            default: throw new ArgumentOutOfRangeException(nameof(f), f, "no kernel");
        }
    }

    /// <summary>y[i] = a[i] ∘ b[i mod bCount]: b has as many elements as a, or is a row that repeats, or is one element.</summary>
    /// <param name="bCount">A divisor of <paramref name="count"/>.</param>
    public static void Binary(Accelerator accelerator, BinaryKind kind, DType type, nint a, nint b, long bCount, nint y, long count)
    {
        switch (kind)
        {
            case BinaryKind.Add: ZipAny<AddZip>(accelerator, type, a, b, bCount, y, count, "Add"); break;
            case BinaryKind.Subtract: ZipAny<SubtractZip>(accelerator, type, a, b, bCount, y, count, "Subtract"); break;
            case BinaryKind.Multiply: ZipAny<MultiplyZip>(accelerator, type, a, b, bCount, y, count, "Multiply"); break;
            case BinaryKind.Divide: ZipAny<DivideZip>(accelerator, type, a, b, bCount, y, count, "Divide"); break;
            default: throw new ArgumentOutOfRangeException(nameof(kind), kind, "no kernel");
        }
    }

    /// <summary>The shape of a launch over vectors or elements.</summary>
    public static LaunchShape Over(long items) => LaunchShape.For((items + ElementwiseKernels.InFlight - 1) / ElementwiseKernels.InFlight, ElementwiseKernels.Threads);

    /// <summary>Whether 16-byte accesses may be used at these addresses.</summary>
    public static bool Aligned(nint a, nint b = 0, nint c = 0) => ((a | b | c) & 15) == 0;

    /// <summary>What is thrown for a type that a kernel has no format for.</summary>
    public static CaldException Unsupported(string operation, DType type) =>
        new($"{operation}: tensors of {type} have no kernel on this device; use Float32, BFloat16 or Float16, or move the tensor to the CPU");

    private static void AddRows<TWord, TFormat>(Accelerator accelerator, nint y, long pitch, nint x, long rows, long columns)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        if (columns > Slice)
        {
            throw new CaldException($"AddInPlace: rows of {columns:N0} elements at a pitch; kernels take {Slice:N0}");
        }

        bool vectors = Aligned(y, x) && columns % TFormat.Lanes == 0 && pitch % TFormat.Lanes == 0;
        int lanes = vectors ? TFormat.Lanes : 1;
        long most = columns == 0 ? 0 : Slice / columns;
        for (long from = 0; from < rows && columns > 0; from += most)
        {
            long part = Math.Min(most, rows - from);
            View<TWord> ys = new((TWord*)y + (from * pitch), ((part - 1) * pitch) + columns);
            ReadOnlyView<TWord> xs = new((TWord*)x + (from * columns), part * columns);
            int count = (int)(part * columns) / lanes;
            accelerator.Launch(AddRowsKernel<TWord, TFormat>.Instance, Over(count), ys, xs, pitch / lanes, count, new FastDivisor((int)columns / lanes), vectors);
        }
    }

    private static void Map<TOperator>(Accelerator accelerator, DType type, nint x, nint y, long count, float p, float q, string name)
        where TOperator : struct, IMapOperator
    {
        switch (type)
        {
            case DType.Float32: Map<float, Float32Format, TOperator>(accelerator, x, y, count, p, q); break;
            case DType.BFloat16: Map<ushort, BFloat16Format, TOperator>(accelerator, x, y, count, p, q); break;
            case DType.Float16: Map<ushort, Float16Format, TOperator>(accelerator, x, y, count, p, q); break;
            default: throw Unsupported(name, type);
        }
    }

    private static void Map<TWord, TFormat, TOperator>(Accelerator accelerator, nint x, nint y, long count, float p, float q)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TOperator : struct, IMapOperator
    {
        bool vectors = Aligned(x, y);
        for (long from = 0; from < count; from += Slice)
        {
            int part = (int)Math.Min(Slice, count - from);
            View<TWord> xs = new((TWord*)x + from, part), ys = new((TWord*)y + from, part);
            accelerator.Launch(MapKernel<TWord, TFormat, TOperator>.Instance, Over(Items<TWord, TFormat>(part, vectors)), xs, ys, part, p, q, vectors);
        }
    }

    private static void ZipAny<TOperator>(Accelerator accelerator, DType type, nint a, nint b, long bCount, nint y, long count, string name)
        where TOperator : struct, IZipOperator
    {
        if (bCount == count)
        {
            Zip<TOperator>(accelerator, type, a, b, y, count, name);
            return;
        }

        if (bCount < 1 || bCount > Slice || count % bCount != 0)
        {
            throw new CaldException($"{name}: {bCount:N0} elements do not repeat over {count:N0}; give a row as long as the last dimension, or one element");
        }

        switch (type)
        {
            case DType.Float32: ZipRow<float, Float32Format, TOperator>(accelerator, a, b, bCount, y, count); break;
            case DType.BFloat16: ZipRow<ushort, BFloat16Format, TOperator>(accelerator, a, b, bCount, y, count); break;
            case DType.Float16: ZipRow<ushort, Float16Format, TOperator>(accelerator, a, b, bCount, y, count); break;
            default: throw Unsupported(name, type);
        }
    }

    private static void Zip<TOperator>(Accelerator accelerator, DType type, nint a, nint b, nint y, long count, string name)
        where TOperator : struct, IZipOperator
    {
        switch (type)
        {
            case DType.Float32: Zip<float, Float32Format, TOperator>(accelerator, a, b, y, count); break;
            case DType.BFloat16: Zip<ushort, BFloat16Format, TOperator>(accelerator, a, b, y, count); break;
            case DType.Float16: Zip<ushort, Float16Format, TOperator>(accelerator, a, b, y, count); break;
            default: throw Unsupported(name, type);
        }
    }

    private static void Zip<TWord, TFormat, TOperator>(Accelerator accelerator, nint a, nint b, nint y, long count)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TOperator : struct, IZipOperator
    {
        bool vectors = Aligned(a, b, y);
        for (long from = 0; from < count; from += Slice)
        {
            int part = (int)Math.Min(Slice, count - from);
            View<TWord> xs = new((TWord*)a + from, part), zs = new((TWord*)b + from, part), ys = new((TWord*)y + from, part);
            accelerator.Launch(ZipKernel<TWord, TFormat, TOperator>.Instance, Over(Items<TWord, TFormat>(part, vectors)), xs, zs, ys, part, vectors);
        }
    }

    private static void ZipRow<TWord, TFormat, TOperator>(Accelerator accelerator, nint a, nint b, long columns, nint y, long count)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TOperator : struct, IZipOperator
    {
        if (columns == 1)
        {
            bool whole = Aligned(a, y);
            for (long from = 0; from < count; from += Slice)
            {
                int part = (int)Math.Min(Slice, count - from);
                View<TWord> xs = new((TWord*)a + from, part), ys = new((TWord*)y + from, part);
                ReadOnlyView<TWord> one = new((TWord*)b, 1);
                accelerator.Launch(ZipOneKernel<TWord, TFormat, TOperator>.Instance, Over(Items<TWord, TFormat>(part, whole)), xs, one, ys, part, whole);
            }

            return;
        }

        bool vectors = Aligned(a, b, y) && columns % TFormat.Lanes == 0;
        int lanes = vectors ? TFormat.Lanes : 1;
        ReadOnlyView<TWord> row = new((TWord*)b, columns);
        FastDivisor divisor = new((int)columns / lanes);
        for (long from = 0; from < count; from += Slice / columns * columns)
        {
            int part = (int)Math.Min(Slice / columns * columns, count - from);
            View<TWord> xs = new((TWord*)a + from, part), ys = new((TWord*)y + from, part);
            accelerator.Launch(ZipRowKernel<TWord, TFormat, TOperator>.Instance, Over(part / lanes), xs, row, ys, part / lanes, divisor, vectors);
        }
    }

    private static int Items<TWord, TFormat>(int count, bool vectors)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord> => vectors ? count / TFormat.Lanes : count;

    private static class AddRowsKernel<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Instance = Kernel.Of(ElementwiseKernels.AddRows<TWord, TFormat>);
    }

    private static class MapKernel<TWord, TFormat, TOperator>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TOperator : struct, IMapOperator
    {
        public static readonly Kernel Instance = Kernel.Of(ElementwiseKernels.Map<TWord, TFormat, TOperator>);
    }

    private static class ZipKernel<TWord, TFormat, TOperator>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TOperator : struct, IZipOperator
    {
        public static readonly Kernel Instance = Kernel.Of(ElementwiseKernels.Zip<TWord, TFormat, TOperator>);
    }

    private static class ZipRowKernel<TWord, TFormat, TOperator>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TOperator : struct, IZipOperator
    {
        public static readonly Kernel Instance = Kernel.Of(ElementwiseKernels.ZipRow<TWord, TFormat, TOperator>);
    }

    private static class ZipOneKernel<TWord, TFormat, TOperator>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TOperator : struct, IZipOperator
    {
        public static readonly Kernel Instance = Kernel.Of(ElementwiseKernels.ZipOne<TWord, TFormat, TOperator>);
    }
}
