using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>What the kernels of the scan of Mamba-2 are told at launch. Pitches are elements from one position to the next.</summary>
internal struct SsdSizes
{
    /// <summary>Steps of a chunk: 16 for each warp of a group.</summary>
    public const int Chunk = 64;

    /// <summary>Threads of a group.</summary>
    public const int Threads = 128;

    public int Batch;

    /// <summary>First row of the batch that the launch is about.</summary>
    public int FirstBatch;

    /// <summary>Rows of the batch that the launch is about.</summary>
    public int Batches;

    public int Length;
    public int Heads;
    public int HeadsPerGroup;

    /// <summary>Chunks of a row without padding.</summary>
    public int Chunks;

    /// <summary>Groups that share the columns of a head; each takes a block of them.</summary>
    public int Blocks;

    /// <summary>Parts of a row that are worked on at the same time; see <see cref="SsdPlan"/>.</summary>
    public int Segments;

    public int XPitch;
    public int DeltaPitch;
    public int BPitch;
    public int CPitch;
    public int YPitch;
    public float DeltaMin;
    public float DeltaMax;

    /// <summary>Number of groups of b and c.</summary>
    public readonly int Groups => Heads / HeadsPerGroup;

    /// <summary>Groups of one segment of all rows of the launch.</summary>
    public readonly int Teams => Batches * Heads * Blocks;

    /// <summary>Chunks of a row of so many steps.</summary>
    public static int ChunksOf(int steps) => (steps + Chunk - 1) / Chunk;

    /// <summary>The way of the scan along row <paramref name="batch"/>.</summary>
    public readonly SsdPath Path(ReadOnlyView<int> lengths, int batch, SsdTraits traits)
    {
        int steps = traits.HasLengths ? Math.Clamp(lengths[batch], 0, Length) : Length;
        return new SsdPath { Steps = steps, First = (batch * Length) + (traits.Reverse ? steps - 1 : 0), Padding = (batch * Length) + steps, End = (batch + 1) * Length };
    }
}

/// <summary>How the steps of a scan lie on the positions of one row of the batch.</summary>
internal struct SsdPath
{
    /// <summary>Valid positions.</summary>
    public int Steps;

    /// <summary>Row, over all of the batch, of step 0.</summary>
    public int First;

    /// <summary>First row of the padding.</summary>
    public int Padding;

    /// <summary>Row after the last one.</summary>
    public int End;

    /// <summary>First chunk of a segment: each row's chunks are dealt out evenly. Segments may be empty.</summary>
    public readonly int FirstChunk(int segment, SsdSizes sizes)
    {
        int chunks = SsdSizes.ChunksOf(Steps), each = chunks / sizes.Segments;
        return (each * segment) + Math.Min(segment, chunks - (each * sizes.Segments));
    }

    /// <summary>Row of a step.</summary>
    public readonly int Row(int step, SsdTraits traits) => traits.Reverse ? First - step : First + step;
}

/// <summary>What the kernels of the scan of Mamba-2 are compiled for.</summary>
/// <param name="HeadSize">Features of a head, P.</param>
/// <param name="StateSize">Numbers of state a feature, N.</param>
/// <param name="IsCut">Whether rows are cut into segments.</param>
/// <param name="Vectors">Whether heads and groups start at, and are multiples of, 16 bytes in every tensor of data.</param>
/// <param name="Pairs">Whether they start at, and are multiples of, two elements.</param>
internal readonly record struct SsdTraits(
    int HeadSize, int StateSize, bool Reverse, bool Softplus, bool HasD, bool HasBias, bool HasSequences, bool HasLengths, bool HasInitial, bool HasFinal, bool Saves, bool IsCut, bool Vectors, bool Pairs)
{
    /// <summary>Elements from the row of a step to that of the next.</summary>
    public int Step(int pitch) => Reverse ? -pitch : pitch;
}

/// <summary>The tensors of a scan. Absent ones are empty.</summary>
internal struct SsdInputs<T>
    where T : unmanaged
{
    public ReadOnlyView<T> X;
    public ReadOnlyView<T> Delta;
    public ReadOnlyView<T> B;
    public ReadOnlyView<T> C;
    public ReadOnlyView<float> A;
    public ReadOnlyView<float> D;
    public ReadOnlyView<float> DeltaBias;
    public ReadOnlyView<int> Sequences;
    public ReadOnlyView<int> Lengths;
}
