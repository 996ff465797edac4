namespace LinearCald.Tensors.Cpu;

/// <summary>What a block of <see cref="ThreadScratch{TUse}"/> is for in matrix products.</summary>
internal enum GemmScratchUse
{
    PackedA,
    PackedB,
    EdgeTile,

    /// <summary>Belongs to a whole multi-threaded product: taken by the caller's thread, read or written by all.</summary>
    Shared,
}
