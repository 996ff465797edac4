using LinearCald.Gpu;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Launches of the selective scan. Nothing is launched for empty data.</summary>
internal static class SelectiveScanLauncher
{
    private const string Name = "SelectiveScan";
    private const int WideGroup = 128;
    private const int NarrowGroup = 64;
    private const int StepGroup = 128;

    /// <summary>Groups of a multiprocessor that time is cut for, and the fewest positions of a part.</summary>
    private const int WantedGroups = 4;
    private const int ShortestPart = 256;

    private static readonly Kernel CarryKernel = Kernel.Of(ScanCarry.Run);

    /// <summary>Saved states of a sample.</summary>
    public static int Chunks(int length) => (length + SelectiveScanForward.ChunkSteps - 1) / SelectiveScanForward.ChunkSteps;

    /// <summary>y; the final state and the states for the gradient where they are given.</summary>
    /// <param name="saved">[batch, chunks, channels, states] or null.</param>
    public static void Forward(Accelerator accelerator, in SelectiveScanInputs inputs, Tensor y, Tensor? finalState, Tensor? saved)
    {
        CheckStates(inputs);
        RowMatrix.Dispatch(inputs.U.Type, Name, new ForwardLaunch(accelerator, inputs, y, finalState, saved), inputs.U.Shape.Rows, inputs.U.Shape.Last);
    }

    /// <summary>All gradients.</summary>
    public static void Backward(Accelerator accelerator, in SelectiveScanInputs inputs, Tensor saved, Tensor gy, in SelectiveScanGradients gradients)
    {
        CheckStates(inputs);
        RowMatrix.Dispatch(inputs.U.Type, Name, new BackwardLaunch(accelerator, inputs, saved, gy, gradients), inputs.U.Shape.Rows, inputs.U.Shape.Last);
    }

    private static void CheckStates(in SelectiveScanInputs inputs)
    {
        if (inputs.A.Shape[1] is < 1 or > ScanLane.States)
        {
            throw new CaldException($"{Name}: states of {inputs.A.Shape[1]} numbers; the GPU kernels take 1 to {ScanLane.States}. Use --device cpu");
        }
    }

    private static SelectiveScanArguments<TWord> ArgumentsOf<TWord>(in SelectiveScanInputs x)
        where TWord : unmanaged => new()
        {
            U = Rows<TWord>(x.U),
            Delta = Rows<TWord>(x.Delta),
            Z = x.Z is null ? default : Rows<TWord>(x.Z),
            B = Rows<TWord>(x.B),
            C = Rows<TWord>(x.C),
            A = Read<float>(x.A),
            D = Read<float>(x.D),
            Bias = Read<float>(x.DeltaBias),
            InitialState = Read<float>(x.InitialState),
            Sequences = Read<int>(x.Sequences),
            Lengths = Read<int>(x.Lengths),
            Length = x.U.Shape[1],
            Channels = x.U.Shape[2],
            States = x.A.Shape[1],
            PitchU = checked((int)x.U.Pitch()),
            PitchDelta = checked((int)x.Delta.Pitch()),
            PitchZ = x.Z is null ? 0 : checked((int)x.Z.Pitch()),
            PitchB = checked((int)x.B.Pitch()),
            PitchC = checked((int)x.C.Pitch()),
        };

    private static SelectiveScanTraits TraitsOf(in SelectiveScanInputs x, Tensor? saved, Tensor? end) => new(
        x.A.Shape[1] == ScanLane.States && RowMatrix.Aligned(AddressOrZero(x.A) | AddressOrZero(x.InitialState) | AddressOrZero(saved) | AddressOrZero(end)),
        x.D is not null, x.Z is not null, x.DeltaBias is not null, x.Softplus, x.Sequences is not null, x.Lengths is not null, x.InitialState is not null, saved is not null, end is not null);

    /// <summary>Groups of 32 channels, or of 16 where those would leave multiprocessors without work.</summary>
    private static LaunchShape Shape(Accelerator accelerator, in SelectiveScanInputs x)
    {
        int batch = x.U.Shape[0], channels = x.U.Shape[2];
        bool wide = (long)batch * Blocks(channels, WideGroup) >= 2L * accelerator.Limits.Multiprocessors;
        int threads = wide ? WideGroup : NarrowGroup;
        return new LaunchShape(new Index3(Blocks(channels, threads), batch), threads);
    }

    /// <summary>How many parts time is cut into: one unless there are fewer groups of 32 channels than <paramref name="enough"/> for each multiprocessor.</summary>
    private static int Parts(Accelerator accelerator, in SelectiveScanInputs x, int enough)
    {
        int groups = x.U.Shape[0] * Blocks(x.U.Shape[2], WideGroup), multiprocessors = accelerator.Limits.Multiprocessors, length = x.U.Shape[1];
        if (groups >= enough * multiprocessors || length < 2 * ShortestPart)
        {
            return 1;
        }

        // not more groups than run at once
        int wanted = Math.Min(WantedGroups * multiprocessors / groups, length / ShortestPart), part = PartLength(length, wanted);
        return (length + part - 1) / part;
    }

    /// <summary>Whole chunks, so that every part begins with a saved state.</summary>
    private static int PartLength(int length, int parts)
    {
        int each = (length + parts - 1) / parts;
        return (each + SelectiveScanForward.ChunkSteps - 1) / SelectiveScanForward.ChunkSteps * SelectiveScanForward.ChunkSteps;
    }

    private static int Blocks(int channels, int threads) => ((channels * ScanLane.Parts) + threads - 1) / threads;

    private static ReadOnlyView<T> Rows<T>(Tensor x)
        where T : unmanaged => RowMatrix.ReadOnly<T>(GpuBackend.Address(x), ((x.Shape.Rows - 1) * x.Pitch()) + x.Shape.Last);

    private static View<T> WriteRows<T>(Tensor x)
        where T : unmanaged => RowMatrix.View<T>(GpuBackend.Address(x), ((x.Shape.Rows - 1) * x.Pitch()) + x.Shape.Last);

    private static ReadOnlyView<T> Read<T>(Tensor? x)
        where T : unmanaged => RowMatrix.ReadOnly<T>(AddressOrZero(x), x?.Count ?? 0);

    private static View<T> Write<T>(Tensor? x)
        where T : unmanaged => RowMatrix.View<T>(AddressOrZero(x), x?.Count ?? 0);

    private static nint AddressOrZero(Tensor? x) => x is null ? 0 : GpuBackend.Address(x);

    private readonly record struct ForwardLaunch(Accelerator Accelerator, SelectiveScanInputs X, Tensor Y, Tensor? FinalState, Tensor? Saved) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            SelectiveScanTraits traits = TraitsOf(X, Saved, FinalState);
            if (X.U.Shape[1] == 1 && Saved is null)
            {
                // its accesses are by element, so that alignment does not matter
                Accelerator.Launch(
                    Kernels<TWord, TFormat>.Step, LaunchShape.For((long)X.U.Shape[0] * X.U.Shape[2] * ScanLane.Parts, StepGroup),
                    ArgumentsOf<TWord>(X), Write<TWord>(Y), Write<float>(FinalState), X.U.Shape[0], traits with { Vectors = false });
                return;
            }

            int parts = Parts(Accelerator, X, enough: 1);
            if (parts == 1)
            {
                Launch<TWord, TFormat>(Shape(Accelerator, X), default, traits, ScanPass.Whole);
                return;
            }

            int batch = X.U.Shape[0], channels = X.U.Shape[2], states = X.A.Shape[1], cells = checked(batch * channels * states);
            using DeviceBuffer<float> ends = Accelerator.Allocate<float>((long)parts * cells, "states at the ends of a scan's parts");
            using DeviceBuffer<float> steps = Accelerator.Allocate<float>((parts - 1L) * batch * channels, "step sizes of a scan's parts");
            ScanParts cut = new() { Ends = ends.View, Steps = steps.View, Length = PartLength(X.U.Shape[1], parts) };
            LaunchShape shape = new(new Index3(Blocks(channels, WideGroup), batch, parts - 1), WideGroup);
            Launch<TWord, TFormat>(shape, cut, traits, ScanPass.Ends);
            Accelerator.Launch(CarryKernel, LaunchShape.For(cells), Read<float>(X.A), cut, parts - 1, cells, channels, states);
            Launch<TWord, TFormat>(shape with { Grid = new Index3(shape.Grid.X, batch, parts) }, cut, traits, ScanPass.Parts);
        }

        private void Launch<TWord, TFormat>(LaunchShape shape, ScanParts parts, SelectiveScanTraits traits, ScanPass pass)
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord> => Accelerator.Launch(
                Kernels<TWord, TFormat>.Forward, shape, ArgumentsOf<TWord>(X), Write<TWord>(Y), Write<float>(FinalState), Write<float>(Saved), parts, traits, pass);
    }

    private readonly record struct BackwardLaunch(Accelerator Accelerator, SelectiveScanInputs X, Tensor Saved, Tensor GY, SelectiveScanGradients G) : IFormatLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord>
        {
            int parts = Parts(Accelerator, X, enough: 2), batch = X.U.Shape[0], sums = parts * batch;
            LaunchShape shape = parts == 1 ? Shape(Accelerator, X) : new(new Index3(Blocks(X.U.Shape[2], WideGroup), batch, parts), WideGroup);
            int blocks = shape.Grid.X;
            long channels = X.U.Shape[2], parameters = X.A.Count, rows = X.U.Shape.Rows * X.A.Shape[1];
            using DeviceBuffer<float> b = Accelerator.Allocate<float>(blocks * rows, "partial gradients of a scan's B");
            using DeviceBuffer<float> c = Accelerator.Allocate<float>(blocks * rows, "partial gradients of a scan's C");
            using DeviceBuffer<float> a = Accelerator.Allocate<float>(sums * parameters, "partial gradients of a scan's A");
            using DeviceBuffer<float> d = Accelerator.Allocate<float>(sums * channels, "partial gradients of a scan's D");
            using DeviceBuffer<float> bias = Accelerator.Allocate<float>(sums * channels, "partial gradients of a scan's bias");
            SelectiveScanGradientViews<TWord> views = new()
            {
                Y = Read<TWord>(GY),
                U = WriteRows<TWord>(G.U),
                Delta = WriteRows<TWord>(G.Delta),
                Z = G.Z is null ? default : WriteRows<TWord>(G.Z),
                PitchU = checked((int)G.U.Pitch()),
                PitchDelta = checked((int)G.Delta.Pitch()),
                PitchZ = G.Z is null ? 0 : checked((int)G.Z.Pitch()),
                A = a.View,
                B = b.View,
                C = c.View,
                D = d.View,
                Bias = bias.View,
                InitialState = Write<float>(G.InitialState),
            };
            SelectiveScanInputs inputs = X with { InitialState = null };
            SelectiveScanTraits traits = TraitsOf(inputs, Saved, G.InitialState);
            SelectiveScanArguments<TWord> arguments = ArgumentsOf<TWord>(inputs);
            if (parts == 1)
            {
                Accelerator.Launch(Kernels<TWord, TFormat>.Backward, shape, arguments, Read<float>(Saved), views, default(ScanParts), traits, ScanPass.Whole);
            }
            else
            {
                int cells = checked((int)(batch * parameters));
                using DeviceBuffer<float> ends = Accelerator.Allocate<float>((parts - 1L) * cells, "gradients at the ends of a scan's parts");
                using DeviceBuffer<float> steps = Accelerator.Allocate<float>((parts - 1L) * batch * channels, "step sizes of a scan's parts");
                ScanParts cut = new() { Ends = ends.View, Steps = steps.View, Length = PartLength(X.U.Shape[1], parts) };
                Accelerator.Launch(
                    Kernels<TWord, TFormat>.BackwardEnds, shape with { Grid = new Index3(blocks, batch, parts - 1) }, arguments, Read<TWord>(GY), cut,
                    traits with { HasSkip = false, Saves = false, Ends = false });
                Accelerator.Launch(CarryKernel, LaunchShape.For(cells), Read<float>(X.A), cut, parts - 1, cells, (int)channels, X.A.Shape[1]);
                Accelerator.Launch(Kernels<TWord, TFormat>.Backward, shape, arguments, Read<float>(Saved), views, cut, traits, ScanPass.Parts);
            }

            ColumnSum.AddPartials(Accelerator, TFormat.Type, b.View, GpuBackend.Address(G.B), blocks, rows, accumulate: false);
            ColumnSum.AddPartials(Accelerator, TFormat.Type, c.View, GpuBackend.Address(G.C), blocks, rows, accumulate: false);
            ColumnSum.AddPartials(Accelerator, DType.Float32, a.View, GpuBackend.Address(G.A), sums, parameters, accumulate: false);
            Add(d.View, G.D, sums);
            Add(bias.View, G.DeltaBias, sums);
        }

        private void Add(View<float> partial, Tensor? target, int sums)
        {
            if (target is not null)
            {
                ColumnSum.AddPartials(Accelerator, DType.Float32, partial, GpuBackend.Address(target), sums, target.Count, accumulate: false);
            }
        }
    }

    private static class Kernels<TWord, TFormat>
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        public static readonly Kernel Forward = Kernel.Of(SelectiveScanForward.Run<TWord, TFormat>);
        public static readonly Kernel Backward = Kernel.Of(SelectiveScanBackward.Run<TWord, TFormat>);
        public static readonly Kernel BackwardEnds = Kernel.Of(SelectiveScanBackwardEnds.Run<TWord, TFormat>);
        public static readonly Kernel Step = Kernel.Of(SelectiveScanStep.Run<TWord, TFormat>);
    }
}
