namespace LinearCald.Gpu.Debug;

internal enum ShuffleKind
{
    Index,
    Up,
    Down,
    Xor,
}

internal enum MatrixFormat
{
    BFloat16,
    Half,
    TensorFloat32,
}

internal enum AtomicKind
{
    Add,
    Min,
    Max,
    Exchange,
    CompareExchange,
}
