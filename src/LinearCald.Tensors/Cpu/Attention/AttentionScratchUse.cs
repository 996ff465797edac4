namespace LinearCald.Tensors.Cpu;

/// <summary>What a block of <see cref="ThreadScratch{TUse}"/> is for in the attention kernels.</summary>
internal enum AttentionScratchUse
{
    /// <summary>Tiles and panels of one task; belongs to the thread that executes it.</summary>
    Tile,

    /// <summary>Partial key and value gradients of all tasks of one call; taken by the caller's thread.</summary>
    Partials,

    /// <summary>Gradients of the projected keys and values in the Linformer's backward pass; taken by the caller's thread.</summary>
    Projected,
}
