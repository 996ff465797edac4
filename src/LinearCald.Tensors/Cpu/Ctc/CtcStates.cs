using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// One number for every state of an utterance, as mantissa · 2^exponent in two arrays, so that nothing overflows or underflows however unlikely a state is; the exponents
/// are integral. Blank k is the state "k labels spelled, now blank" (k = 0 … L), label k the state "in the k-th label" (k = 0 … L − 1). Around each array lie margins of
/// states that cannot be reached, for the neighbours k − 1 and k + 1 of whole registers.
/// </summary>
/// <param name="start">Of <see cref="Elements"/> numbers.</param>
/// <param name="padded">The length of each array: L + 1 rounded up to whole registers.</param>
internal readonly unsafe struct CtcStates<T>(T* start, nint padded)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The exponent of 0: so low that nothing brings it near that of a number.</summary>
    public const double Impossible = -1e30;

    /// <summary>States before and after each array: one register of the widest.</summary>
    public const int Margin = 16;

    /// <summary>The mantissas of blanks.</summary>
    public T* Blank => start + Margin;

    /// <summary>The exponents of blanks.</summary>
    public T* BlankExponent => Blank + Pitch;

    /// <summary>The mantissas of labels.</summary>
    public T* Label => Blank + (2 * Pitch);

    /// <summary>The exponents of labels.</summary>
    public T* LabelExponent => Blank + (3 * Pitch);

    private nint Pitch => padded + (2 * Margin);

    /// <summary>How much memory the states take.</summary>
    public static nint Elements(nint padded) => 4 * (padded + (2 * Margin));

    /// <summary>The states before frame 0, or those after the last one of an utterance of <paramref name="labels"/> labels: 1 where alignments begin or end, else 0.</summary>
    public void Begin(int labels)
    {
        new Span<T>(start, checked((int)Elements(padded))).Clear();
        new Span<T>(BlankExponent - Margin, (int)Pitch).Fill(T.CreateTruncating(Impossible));
        new Span<T>(LabelExponent - Margin, (int)Pitch).Fill(T.CreateTruncating(Impossible));
        Blank[labels] = T.One;
        BlankExponent[labels] = T.Zero;
    }

    /// <summary>No label comes before the first one.</summary>
    public void CloseLeft()
    {
        Label[-1] = T.Zero;
        LabelExponent[-1] = T.CreateTruncating(Impossible);
    }

    /// <summary>Copies all of it, margins included.</summary>
    public void CopyTo(CtcStates<T> other) =>
        new Span<T>(start, (int)Elements(padded)).CopyTo(new Span<T>(other.Blank - Margin, (int)Elements(padded)));
}
