using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// Copies elements between any strides and any two element types, rows in parallel. Floating-point numbers round to nearest even; to integers they are cut towards
/// zero; anything but zero is true. The floor is reading and writing each byte once; a plain copy and the float32 conversions come near it.
/// </summary>
internal static unsafe class ElementCopy
{
    private const int RowsAPiece = 4096;

    /// <param name="x">First element of the source.</param>
    /// <param name="xType">Its type.</param>
    /// <param name="xStrides">Its strides in elements; 0 repeats.</param>
    /// <param name="y">First element of the destination, which must not overlap the source.</param>
    /// <param name="yType">Its type.</param>
    /// <param name="yStrides">Its strides in elements.</param>
    /// <param name="shape">The extents of both.</param>
    public static void Run(byte* x, DType xType, in Strides xStrides, byte* y, DType yType, in Strides yStrides, in Shape shape)
    {
        if (shape.Count == 0)
        {
            return;
        }

        Plan plan = default;
        plan.X = x;
        plan.Y = y;
        plan.XType = xType;
        plan.YType = yType;
        Merge(ref plan, shape, xStrides, yStrides);
        if (plan.Rank == 1 && plan.Extents[0] > 2 * RowsAPiece)
        {
            // One long row: cut it into pieces that become rows.
            WorkerPool.Shared.For((int)((plan.Extents[0] + RowsAPiece - 1) / RowsAPiece), new Pieces { Plan = plan });
            return;
        }

        long rows = 1;
        for (int i = 0; i < plan.Rank - 1; i++)
        {
            rows *= plan.Extents[i];
        }

        plan.RowsATask = Math.Max(1, RowsAPiece / plan.Extents[plan.Rank - 1]);
        plan.Rows = rows;
        WorkerPool.Shared.For((int)((rows + plan.RowsATask - 1) / plan.RowsATask), new Rows { Plan = plan });
    }

    /// <summary>Drops extents of 1 and joins neighbouring dimensions that are one run in both.</summary>
    private static void Merge(ref Plan plan, in Shape shape, in Strides xStrides, in Strides yStrides)
    {
        int rank = 0;
        for (int i = 0; i < shape.Rank; i++)
        {
            if (shape[i] == 1)
            {
                continue;
            }

            if (rank > 0 && plan.XSteps[rank - 1] == xStrides[i] * shape[i] && plan.YSteps[rank - 1] == yStrides[i] * shape[i])
            {
                plan.Extents[rank - 1] *= shape[i];
                plan.XSteps[rank - 1] = xStrides[i];
                plan.YSteps[rank - 1] = yStrides[i];
                continue;
            }

            plan.Extents[rank] = shape[i];
            plan.XSteps[rank] = xStrides[i];
            plan.YSteps[rank] = yStrides[i];
            rank++;
        }

        if (rank == 0)
        {
            plan.Extents[0] = 1;
            plan.XSteps[0] = 1;
            plan.YSteps[0] = 1;
            rank = 1;
        }

        plan.Rank = rank;
    }

    private static void Row(in Plan plan, byte* x, long xStep, byte* y, long yStep, long count)
    {
        if (plan.XType == plan.YType)
        {
            switch (plan.XType.Size())
            {
                case 8:
                    Same((ulong*)x, xStep, (ulong*)y, yStep, count);
                    break;
                case 4:
                    Same((uint*)x, xStep, (uint*)y, yStep, count);
                    break;
                case 2:
                    Same((ushort*)x, xStep, (ushort*)y, yStep, count);
                    break;
                default:
                    Same(x, xStep, y, yStep, count);
                    break;
            }
        }
        else if (xStep == 1 && yStep == 1 && plan.XType == DType.Float32 && plan.YType == DType.BFloat16)
        {
            ToBFloat16((float*)x, (BFloat16*)y, count);
        }
        else if (xStep == 1 && yStep == 1 && plan.XType == DType.BFloat16 && plan.YType == DType.Float32)
        {
            FromBFloat16((BFloat16*)x, (float*)y, count);
        }
        else if (IsInteger(plan.XType) && IsInteger(plan.YType))
        {
            for (long i = 0; i < count; i++)
            {
                StoreInteger(y, plan.YType, i * yStep, LoadInteger(x, plan.XType, i * xStep));
            }
        }
        else
        {
            for (long i = 0; i < count; i++)
            {
                Store(y, plan.YType, i * yStep, Load(x, plan.XType, i * xStep));
            }
        }
    }

    private static void Same<T>(T* x, long xStep, T* y, long yStep, long count)
        where T : unmanaged
    {
        if (xStep == 1 && yStep == 1)
        {
            Buffer.MemoryCopy(x, y, count * sizeof(T), count * sizeof(T));
            return;
        }

        for (long i = 0; i < count; i++)
        {
            y[i * yStep] = x[i * xStep];
        }
    }

    private static void ToBFloat16(float* x, BFloat16* y, long count)
    {
        for (long i = 0; i < count; i++)
        {
            y[i] = (BFloat16)x[i];
        }
    }

    private static void FromBFloat16(BFloat16* x, float* y, long count)
    {
        for (long i = 0; i < count; i++)
        {
            y[i] = (float)x[i];
        }
    }

    private static bool IsInteger(DType type) => !type.IsFloat();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Load(byte* x, DType type, long i) => type switch
    {
        DType.Float32 => ((float*)x)[i],
        DType.Float64 => ((double*)x)[i],
        DType.BFloat16 => (float)((BFloat16*)x)[i],
        DType.Float16 => (double)((Half*)x)[i],
        _ => LoadInteger(x, type, i),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(byte* y, DType type, long i, double value)
    {
        switch (type)
        {
            case DType.Float32:
                ((float*)y)[i] = (float)value;
                break;
            case DType.Float64:
                ((double*)y)[i] = value;
                break;
            case DType.BFloat16:
                ((BFloat16*)y)[i] = (BFloat16)(float)value;
                break;
            case DType.Float16:
                ((Half*)y)[i] = (Half)value;
                break;
            case DType.Bool:
                y[i] = value == 0 ? (byte)0 : (byte)1;
                break;
            default:
                StoreInteger(y, type, i, (long)value);
                break;
        }
    }

    private static long LoadInteger(byte* x, DType type, long i) => type switch
    {
        DType.Int32 => ((int*)x)[i],
        DType.Int64 => ((long*)x)[i],
        _ => x[i],
    };

    private static void StoreInteger(byte* y, DType type, long i, long value)
    {
        switch (type)
        {
            case DType.Int32:
                ((int*)y)[i] = (int)value;
                break;
            case DType.Int64:
                ((long*)y)[i] = value;
                break;
            case DType.Bool:
                y[i] = value == 0 ? (byte)0 : (byte)1;
                break;
            default:
                y[i] = (byte)value;
                break;
        }
    }

    private struct Plan
    {
        public byte* X;
        public byte* Y;
        public DType XType;
        public DType YType;
        public int Rank;
        public fixed long Extents[Shape.MaximumRank];
        public fixed long XSteps[Shape.MaximumRank];
        public fixed long YSteps[Shape.MaximumRank];
        public long Rows;
        public long RowsATask;
    }

    private struct Pieces : IParallelBody
    {
        public Plan Plan;

        public void Execute(int index)
        {
            long first = (long)index * RowsAPiece;
            long count = Math.Min(RowsAPiece, Plan.Extents[0] - first);
            byte* x = Plan.X + (first * Plan.XSteps[0] * Plan.XType.Size());
            byte* y = Plan.Y + (first * Plan.YSteps[0] * Plan.YType.Size());
            Row(in Plan, x, Plan.XSteps[0], y, Plan.YSteps[0], count);
        }
    }

    private struct Rows : IParallelBody
    {
        public Plan Plan;

        public void Execute(int index)
        {
            long first = index * Plan.RowsATask;
            long end = Math.Min(Plan.Rows, first + Plan.RowsATask);
            int inner = Plan.Rank - 1;
            for (long row = first; row < end; row++)
            {
                long rest = row;
                long xOffset = 0;
                long yOffset = 0;
                for (int i = inner - 1; i >= 0; i--)
                {
                    long at = rest % Plan.Extents[i];
                    rest /= Plan.Extents[i];
                    xOffset += at * Plan.XSteps[i];
                    yOffset += at * Plan.YSteps[i];
                }

                Row(in Plan, Plan.X + (xOffset * Plan.XType.Size()), Plan.XSteps[inner], Plan.Y + (yOffset * Plan.YType.Size()), Plan.YSteps[inner], Plan.Extents[inner]);
            }
        }
    }
}
