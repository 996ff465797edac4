using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>Where the rows of one head of one row of the batch lie in the tensors, in the order of the steps.</summary>
internal readonly struct SsdStreams<T>
    where T : unmanaged
{
    private readonly SsdPath _path;
    private readonly SsdSizes _sizes;
    private readonly int _group;

    public SsdStreams(SsdPath path, int head, int column, SsdSizes sizes, SsdTraits traits)
    {
        _path = path;
        _sizes = sizes;
        _group = head / sizes.HeadsPerGroup * traits.StateSize;
        Feature = (head * traits.HeadSize) + column;
    }

    /// <summary>First column of the group's block of features in x and y.</summary>
    public int Feature { get; }

    /// <summary>First column of the head's group in b and c.</summary>
    public int Group => _group;

    /// <summary>Index of the first element of a step's row.</summary>
    public long At(int pitch, int step, SsdTraits traits) => (long)_path.Row(step, traits) * pitch;

    public void LoadB(Shared<T> tile, int stride, int columns, ReadOnlyView<T> b, int step, SsdTraits traits) => SsdTiles.Load(
        tile, stride, SsdSizes.Chunk, columns, b, At(_sizes.BPitch, step, traits) + _group, traits.Step(_sizes.BPitch), _path.Steps - step, traits.StateSize, traits.Vectors);

    public void LoadC(Shared<T> tile, int stride, int columns, ReadOnlyView<T> c, int step, SsdTraits traits) => SsdTiles.Load(
        tile, stride, SsdSizes.Chunk, columns, c, At(_sizes.CPitch, step, traits) + _group, traits.Step(_sizes.CPitch), _path.Steps - step, traits.StateSize, traits.Vectors);

    public void LoadX(Shared<T> tile, int stride, int columns, ReadOnlyView<T> x, int step, int validColumns, SsdTraits traits) =>
        LoadFeatures(tile, stride, columns, x, _sizes.XPitch, step, validColumns, traits);

    /// <summary>Rows of x, or of a tensor like it at another pitch.</summary>
    public void LoadFeatures(Shared<T> tile, int stride, int columns, ReadOnlyView<T> x, int pitch, int step, int validColumns, SsdTraits traits) => SsdTiles.Load(
        tile, stride, SsdSizes.Chunk, columns, x, At(pitch, step, traits) + Feature, traits.Step(pitch), _path.Steps - step, validColumns, traits.Vectors);
}
