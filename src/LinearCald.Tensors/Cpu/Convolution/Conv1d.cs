using System.Numerics;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cpu;

/// <summary>The sizes of a convolution over all channels of a group: x [Batch, Length, Inputs], w [Outputs, Taps, Inputs/Groups].</summary>
internal readonly record struct Conv1dShape(int Batch, int Length, int Inputs, int Outputs, int Taps, int Stride, int Padding, int Groups)
{
    /// <summary>Rows of the result.</summary>
    public int OutputLength => (int)((Length + (2L * Padding) - Taps) / Stride) + 1;

    /// <summary>Input channels of a group.</summary>
    public int GroupInputs => Inputs / Groups;

    /// <summary>Output channels of a group.</summary>
    public int GroupOutputs => Outputs / Groups;
}

/// <summary>
/// Convolution as matrix products whose rows overlap (<see cref="PatchProducts"/>), and the gradients of its operands. Floor: the products of the convolution at
/// the machine's rate of multiply-adds; where the input has a single channel, one write of y.
/// </summary>
internal static unsafe class Conv1d
{
    /// <summary>y = f(x ∗ w + bias), see <see cref="Backend.Conv1d"/>.</summary>
    /// <param name="bias">[Outputs] or null.</param>
    /// <param name="f">One that <see cref="FusedActivation.Exists"/>.</param>
    /// <param name="before">[Batch, OutputLength, Outputs]: receives the argument of f; null if not wanted.</param>
    /// <param name="y">[Batch, OutputLength, Outputs].</param>
    public static void Forward<T>(Conv1dShape shape, T* x, T* w, T* bias, Activation f, T* before, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int group = 0; group < shape.Groups; group++)
        {
            int outputs = shape.GroupOutputs;
            PatchProduct<T> p = Patches(shape, group, x);
            p.B = w + ((long)group * outputs * p.Depth);
            p.TransB = true;
            p.Columns = outputs;
            p.Output = y + (group * outputs);
            p.OutputPitch = shape.Outputs;
            p.OutputSample = (long)p.Rows * shape.Outputs;
            p.FirstColumn = group * outputs;
            FusedActivation.Run(f, bias, before, shape.Outputs, new Product<T>(p));
        }
    }

    /// <summary>
    /// dx[r] = Σ over t · Stride + j − Padding = r of gh[t] · w[j]. Rows r + Padding of one remainder by the stride read every Stride-th tap, and gh in steps of
    /// one: each remainder is a convolution of gh of stride 1 that writes its own rows, so nothing is added up afterwards.
    /// </summary>
    /// <param name="gh">[Batch, OutputLength, Outputs].</param>
    /// <param name="dx">[Batch, Length, Inputs]: written.</param>
    public static void InputGradient<T>(Conv1dShape shape, T* gh, T* w, T* dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int inputs = shape.GroupInputs, outputs = shape.GroupOutputs;
        using Scratch<T> taps = new((((shape.Taps - 1L) / shape.Stride) + 1) * outputs * inputs);
        for (int remainder = 0; remainder < shape.Stride; remainder++)
        {
            int count = remainder < shape.Taps ? ((shape.Taps - 1 - remainder) / shape.Stride) + 1 : 0;
            int first = Math.Max(0, shape.Padding - remainder + shape.Stride - 1) / shape.Stride; // the first q with q · Stride + remainder ≥ Padding
            long row = ((long)first * shape.Stride) + remainder - shape.Padding;
            int rows = row < shape.Length ? (int)((shape.Length - 1 - row) / shape.Stride) + 1 : 0;
            for (int group = 0; group < shape.Groups; group++)
            {
                // B[(i, o), c] = w[o, tap, c], the last tap of this remainder first
                for (int i = 0; i < count; i++)
                {
                    int tap = remainder + ((count - 1 - i) * shape.Stride);
                    for (int o = 0; o < outputs; o++)
                    {
                        T* from = w + ((((((long)group * outputs) + o) * shape.Taps) + tap) * inputs);
                        new ReadOnlySpan<T>(from, inputs).CopyTo(new Span<T>(taps.Pointer + ((((long)i * outputs) + o) * inputs), inputs));
                    }
                }

                PatchProduct<T> p = new()
                {
                    Batch = shape.Batch,
                    Input = gh + (group * outputs),
                    InputRows = shape.OutputLength,
                    InputPitch = shape.Outputs,
                    Channels = outputs,
                    Taps = count,
                    Stride = 1,
                    Offset = first - count + 1,
                    B = taps.Pointer,
                    Columns = inputs,
                    Output = dx + (row * shape.Inputs) + (group * inputs),
                    Rows = rows,
                    OutputPitch = (nint)shape.Stride * shape.Inputs,
                    OutputSample = (long)shape.Length * shape.Inputs,
                };
                PatchProducts.Run(in p, default(NoEpilogue<T>));
            }
        }
    }

    /// <summary>
    /// dw[o, j, c] = Σ over b and t of gh[b, t, o] · x[b, t · Stride + j − Padding, c]: for each group the product of the transposed patches and gh, over stretches
    /// of t that follow the shape alone.
    /// </summary>
    /// <param name="dw">[Outputs, Taps, GroupInputs]: written.</param>
    public static void WeightGradient<T>(Conv1dShape shape, T* gh, T* x, T* dw)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const int Elements = 4 << 20; // of gh and of copied patches in one stretch: what a product packs at a time
        int outputs = shape.GroupOutputs, length = shape.OutputLength, depth = shape.Taps * shape.GroupInputs;
        int stretch = Math.Max(1024, Math.Min(Elements / outputs, Elements / (shape.Stride * shape.GroupInputs)));
        using Scratch<T> transposed = new((long)depth * outputs);
        for (int group = 0; group < shape.Groups; group++)
        {
            PatchProduct<T> p = Patches(shape, group, x);
            T beta = T.Zero;
            for (int b = 0; b < shape.Batch; b++)
            {
                for (int t = 0; t < length; t += stretch)
                {
                    int rows = Math.Min(stretch, length - t);
                    using Scratch<T> copy = new(p.CopiedElements(t, rows));
                    T* given = gh + ((((long)b * length) + t) * shape.Outputs) + (group * outputs);
                    Gemm.Run(
                        true, false, depth, outputs, rows, T.One, p.Patches(b, t, rows, copy.Pointer), shape.Stride * shape.GroupInputs, given, shape.Outputs, beta,
                        transposed.Pointer, outputs);
                    beta = T.One;
                }
            }

            int columns = Math.Max(16, Cut.Rows(depth)); // at least a cache line of floats
            WorkerPool.Shared.For(Cut.Pieces(outputs, columns), new TransposePiece<T>(transposed.Pointer, depth, outputs, columns, dw + ((long)group * outputs * depth)));
        }
    }

    private static PatchProduct<T> Patches<T>(Conv1dShape shape, int group, T* x)
        where T : unmanaged => new()
        {
            Batch = shape.Batch,
            Input = x + (group * shape.GroupInputs),
            InputRows = shape.Length,
            InputPitch = shape.Inputs,
            Channels = shape.GroupInputs,
            Taps = shape.Taps,
            Stride = shape.Stride,
            Offset = -shape.Padding,
            Rows = shape.OutputLength,
        };

    private readonly struct Product<T>(PatchProduct<T> p) : IProduct<T>
        where T : unmanaged
    {
        public void Run<TEpilogue>(TEpilogue epilogue)
            where TEpilogue : struct, IEpilogue<T> => PatchProducts.Run(in p, in epilogue);
    }

    /// <summary>Some columns of [depth, outputs] as rows.</summary>
    private readonly struct TransposePiece<T>(T* x, int depth, int outputs, int columns, T* y) : IParallelBody
        where T : unmanaged
    {
        public void Execute(int index)
        {
            int first = index * columns, end = Math.Min(first + columns, outputs);
            for (int i = 0; i < depth; i++)
            {
                for (int o = first; o < end; o++)
                {
                    y[((long)o * depth) + i] = x[((long)i * outputs) + o];
                }
            }
        }
    }
}
