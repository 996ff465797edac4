using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// A clipped AdamW step over all tensors of a model in three launches and without waiting: sums of squares of the gradients, then the total and the step's
/// coefficients, then the update. What changes from step to step lies in device memory, so that <see cref="Launch"/> may be recorded in a graph and
/// replayed after new <see cref="Prepare"/>s; only a change of the number or lengths of tensors needs a new recording.
/// </summary>
internal sealed unsafe class MultiTensorAdamW : IDisposable
{
    private static readonly Kernel s_squares = Kernel.Of(SumOfSquaresKernels.SquaresAll);
    private static readonly Kernel s_finish = Kernel.Of(SumOfSquaresKernels.Finish);
    private static readonly Kernel s_update = Kernel.Of(AdamWKernels.UpdateAll);

    private readonly Accelerator _accelerator;
    private readonly TensorTable _table;
    private readonly DeviceBuffer<double> _settings;
    private readonly DeviceBuffer<float> _coefficients;
    private DeviceBuffer<double>? _partials;

    public MultiTensorAdamW(Accelerator accelerator)
    {
        _accelerator = accelerator;
        _table = new TensorTable(accelerator);
        _settings = accelerator.Allocate<double>(SumOfSquaresKernels.Settings, "the optimiser's settings");
        _coefficients = accelerator.Allocate<float>(SumOfSquaresKernels.Coefficients, "the optimiser's coefficients");
    }

    /// <summary>Whether the next <see cref="Launch"/> is the same work as the last: if not, a recorded graph is out of date.</summary>
    public (int Chunks, int Updated) Extent => (_table.Chunks, _table.UpdatedChunks);

    /// <summary>Copies what the next step needs to the device: outside of recordings.</summary>
    /// <param name="entries">Tensors to update first, then gradients that only count in the norm.</param>
    /// <param name="step">The numbers of the update; WeightDecay goes to the entries that decay.</param>
    /// <param name="clipNorm">Most that the norm of the scaled gradients may be; infinity does not clip.</param>
    public void Prepare(ReadOnlySpan<TensorTableEntry> entries, in AdamWStep step, double clipNorm)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step.Step, 1);
        _table.Set(entries);
        if (_partials is null || _partials.Length < _table.Chunks)
        {
            _partials?.Dispose();
            _partials = _accelerator.Allocate<double>(Math.Max(1, _table.Chunks), "partial sums of squares");
        }

        _settings.CopyFrom(
        [
            1 - (step.LearningRate * step.WeightDecay), step.Beta1, step.Beta2, -step.LearningRate / (1 - Math.Pow(step.Beta1, step.Step)),
            1 / Math.Sqrt(1 - Math.Pow(step.Beta2, step.Step)), step.Epsilon, step.GradientScale, clipNorm,
            -step.LearningRate, step.Step,
        ]);
    }

    /// <summary>Launches the step that was prepared.</summary>
    /// <param name="total">float64: receives Σ g² over all entries; the update is left out when that is not finite.</param>
    /// <param name="leftOut">float64: updates among the step's number that did not take place; one more if this one does not.</param>
    public void Launch(nint total, nint leftOut)
    {
        DeviceBuffer<double> partials = _partials ?? throw new InvalidOperationException("Prepare comes first");
        if (_table.Chunks > 0)
        {
            _accelerator.Launch(s_squares, new LaunchShape(_table.Chunks, SumOfSquaresKernels.Threads), _table.Rows, _table.ChunkList, partials.View);
        }

        _accelerator.Launch(
            s_finish,
            new LaunchShape(1, SumOfSquaresKernels.Threads),
            partials.ReadOnly,
            _table.Chunks,
            new View<double>((double*)total, 1),
            new View<double>((double*)leftOut, 1),
            _settings.ReadOnly,
            _coefficients.View);
        if (_table.UpdatedChunks > 0)
        {
            _accelerator.Launch(s_update, new LaunchShape(_table.UpdatedChunks, AdamWKernels.Threads), _table.Rows, _table.ChunkList, _coefficients.ReadOnly);
        }
    }

    public void Dispose()
    {
        _table.Dispose();
        _settings.Dispose();
        _coefficients.Dispose();
        _partials?.Dispose();
    }
}
