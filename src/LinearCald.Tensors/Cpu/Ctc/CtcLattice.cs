using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// The recurrences over the states, a register of blanks and one of labels at a time. A sum of numbers m · 2^e is taken at the largest of their exponents: some shifts and
/// additions, no exponential and no logarithm, and as exact as the additions are.
/// </summary>
internal static unsafe class CtcLattice<T, TV>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TV : unmanaged, ISimd<TV, T>
{
    /// <summary>Frames after which mantissas are brought back to about 1: a step multiplies them by 0.7 to 4.3.</summary>
    public const int Renormalisation = 16;

    /// <summary>α: from the states before a frame to those with it.</summary>
    /// <param name="skip">0 where the label before may be followed without a blank, else <see cref="CtcStates{T}.Impossible"/>.</param>
    public static void Forward(CtcStates<T> from, CtcStates<T> to, in CtcEmission<T> emission, T* skip, nint padded)
    {
        TV blank = TV.Broadcast(emission.Blank), blankExponent = TV.Broadcast(emission.BlankExponent);
        T* blanks = from.Blank, blankExponents = from.BlankExponent, labels = from.Label, labelExponents = from.LabelExponent;
        T* toBlank = to.Blank, toBlankExponent = to.BlankExponent, toLabel = to.Label, toLabelExponent = to.LabelExponent;
        T* emitted = emission.Label, emittedExponent = emission.LabelExponent;
        for (nint k = 0; k < padded; k += TV.Width)
        {
            TV b = TV.Load(blanks + k), be = TV.Load(blankExponents + k);
            TV l = TV.Load(labels + k), le = TV.Load(labelExponents + k);
            TV before = TV.Load(labels + k - 1), beforeExponent = TV.Load(labelExponents + k - 1);

            // blank k follows itself and the label before it
            TV top = TV.MaxNative(be, beforeExponent);
            TV sum = At(b, be, top) + At(before, beforeExponent, top);
            (sum * blank).Store(toBlank + k);
            (top + blankExponent).Store(toBlankExponent + k);

            // label k follows itself, the blank before it and, if it differs, the label before that
            beforeExponent += TV.Load(skip + k);
            top = TV.MaxNative(TV.MaxNative(le, be), beforeExponent);
            sum = At(l, le, top) + At(b, be, top) + At(before, beforeExponent, top);
            (sum * TV.Load(emitted + k)).Store(toLabel + k);
            (top + TV.Load(emittedExponent + k)).Store(toLabelExponent + k);
        }

        to.CloseLeft();
    }

    /// <summary>
    /// β: from the states after a frame, in place, to those with it; on the way, with the states before it, the share of each label in all alignments, times a common factor.
    /// </summary>
    /// <param name="states">After the frame, emissions included; then with the frame's.</param>
    /// <param name="alpha">With the frame.</param>
    /// <param name="exponent">That of the sum over all alignments.</param>
    /// <param name="shares">Of the labels: written.</param>
    /// <returns>The share of the blanks, and the sum of all shares.</returns>
    public static (T Blank, T All) Backward(CtcStates<T> states, CtcStates<T> alpha, in CtcEmission<T> emission, T* skip, T exponent, T* shares, nint padded)
    {
        TV blank = TV.Broadcast(emission.Blank), blankExponent = TV.Broadcast(emission.BlankExponent), whole = TV.Broadcast(exponent);
        TV blankShare = TV.Of(0.0), labelShare = TV.Of(0.0);
        T* blanks = states.Blank, blankExponents = states.BlankExponent, labels = states.Label, labelExponents = states.LabelExponent;
        T* alphaBlank = alpha.Blank, alphaBlankExponent = alpha.BlankExponent, alphaLabel = alpha.Label, alphaLabelExponent = alpha.LabelExponent;
        T* emitted = emission.Label, emittedExponent = emission.LabelExponent;
        for (nint k = 0; k < padded; k += TV.Width)
        {
            TV b = TV.Load(blanks + k), be = TV.Load(blankExponents + k);
            TV l = TV.Load(labels + k), le = TV.Load(labelExponents + k);
            TV nextBlank = TV.Load(blanks + k + 1), nextBlankExponent = TV.Load(blankExponents + k + 1);
            TV next = TV.Load(labels + k + 1), nextExponent = TV.Load(labelExponents + k + 1) + TV.Load(skip + k + 1);

            // blank k is followed by itself and by label k
            TV top = TV.MaxNative(be, le);
            TV sum = At(b, be, top) + At(l, le, top);
            (sum * blank).Store(blanks + k);
            (top + blankExponent).Store(blankExponents + k);
            blankShare += TV.Load(alphaBlank + k) * At(sum, top + TV.Load(alphaBlankExponent + k), whole);

            // label k by itself, by the blank after it and, if it differs, by the label after that
            top = TV.MaxNative(TV.MaxNative(le, nextBlankExponent), nextExponent);
            sum = At(l, le, top) + At(nextBlank, nextBlankExponent, top) + At(next, nextExponent, top);
            (sum * TV.Load(emitted + k)).Store(labels + k);
            (top + TV.Load(emittedExponent + k)).Store(labelExponents + k);
            TV share = TV.Load(alphaLabel + k) * At(sum, top + TV.Load(alphaLabelExponent + k), whole);
            share.Store(shares + k);
            labelShare += share;
        }

        T ofBlanks = blankShare.SumLanes();
        return (ofBlanks, ofBlanks + labelShare.SumLanes());
    }

    /// <summary>Brings all mantissas near 1 without changing a number.</summary>
    public static void Renormalise(CtcStates<T> states, nint padded)
    {
        Renormalise(states.Blank, states.BlankExponent, padded);
        Renormalise(states.Label, states.LabelExponent, padded);
    }

    private static void Renormalise(T* mantissas, T* exponents, nint padded)
    {
        for (nint k = 0; k < padded; k += TV.Width)
        {
            TV m = TV.Load(mantissas + k), zero = TV.Equal(m, TV.Of(0.0));
            TV power = TV.Round(TV.LogNative(TV.Select(zero, TV.Of(1.0), m)) * TV.Of(1.44269504088896341));
            TV.ScaleByPowerOfTwo(m, -power).Store(mantissas + k);
            TV.Select(zero, TV.Of(CtcStates<T>.Impossible), TV.Load(exponents + k) + power).Store(exponents + k);
        }
    }

    /// <summary>The mantissa of m · 2^exponent at another exponent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TV At(TV m, TV exponent, TV other) => TV.ScaleByPowerOfTwo(m, TV.MaxNative(CtcScale<TV, T>.Negligible, exponent - other));
}
