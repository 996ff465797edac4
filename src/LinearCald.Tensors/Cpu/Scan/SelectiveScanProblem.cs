using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// What one selective scan reads. Row b·L + t of <see cref="U"/>, <see cref="Delta"/>, <see cref="Z"/>, <see cref="B"/> and <see cref="C"/> is position t of sample b.
/// </summary>
internal readonly unsafe struct SelectiveScanProblem<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public required int Batch { get; init; }

    public required int Length { get; init; }

    public required int Channels { get; init; }

    /// <summary>Numbers of state a channel has.</summary>
    public required int States { get; init; }

    /// <summary>[B·L, D].</summary>
    public required Rows<T> U { get; init; }

    /// <summary>[B·L, D].</summary>
    public required Rows<T> Delta { get; init; }

    /// <summary>[B·L, D]; starts at null without a gate.</summary>
    public Rows<T> Z { get; init; }

    /// <summary>[D, N].</summary>
    public required T* A { get; init; }

    /// <summary>[B·L, N].</summary>
    public required Rows<T> B { get; init; }

    /// <summary>[B·L, N].</summary>
    public required Rows<T> C { get; init; }

    /// <summary>[D] or null.</summary>
    public T* D { get; init; }

    /// <summary>[D] or null.</summary>
    public T* DeltaBias { get; init; }

    /// <summary>Whether Δ = softplus(delta + bias) rather than delta + bias.</summary>
    public bool Softplus { get; init; }

    /// <summary>[B, L] or null: the state restarts where the number changes along a row.</summary>
    public int* Sequences { get; init; }

    /// <summary>[B] or null: positions from a sample's length on are not read.</summary>
    public int* Lengths { get; init; }

    /// <summary>[B, D, N] or null: the state before the first position.</summary>
    public T* InitialState { get; init; }

    /// <summary>Positions of a sample that count.</summary>
    public int Valid(int sample) => Lengths is null ? Length : Math.Clamp(Lengths[sample], 0, Length);

    /// <summary>Whether the state is cleared before a position of a sample.</summary>
    public bool Restarts(int sample, int position)
    {
        if (Sequences is null || position == 0)
        {
            return false;
        }

        int* at = Sequences + ((nint)sample * Length) + position;
        return at[0] != at[-1];
    }
}

/// <summary>Where the gradients of a selective scan go: written completely; null where not wanted, unless said otherwise.</summary>
internal readonly unsafe struct SelectiveScanGradient<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>[B·L, D]: of what the scan gave, read.</summary>
    public required T* Y { get; init; }

    /// <summary>[B·L, D], never null.</summary>
    public required Rows<T> U { get; init; }

    /// <summary>[B·L, D], never null.</summary>
    public required Rows<T> Delta { get; init; }

    /// <summary>[B·L, D]; starts at null exactly when there is no gate.</summary>
    public Rows<T> Z { get; init; }

    /// <summary>[D, N], never null.</summary>
    public required T* A { get; init; }

    /// <summary>[B·L, N], never null.</summary>
    public required T* B { get; init; }

    /// <summary>[B·L, N], never null.</summary>
    public required T* C { get; init; }

    /// <summary>[D].</summary>
    public T* D { get; init; }

    /// <summary>[D].</summary>
    public T* DeltaBias { get; init; }

    /// <summary>[B, D, N].</summary>
    public T* InitialState { get; init; }
}
