using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>What the kernels of a selective scan read. Row b·Length + t is position t of sample b; rows of data lie at pitches, all else without gaps.</summary>
/// <typeparam name="TWord">Word of an element of the data.</typeparam>
internal struct SelectiveScanArguments<TWord>
    where TWord : unmanaged
{
    public ReadOnlyView<TWord> U;
    public ReadOnlyView<TWord> Delta;

    /// <summary>The gate, or empty.</summary>
    public ReadOnlyView<TWord> Z;
    public ReadOnlyView<TWord> B;
    public ReadOnlyView<TWord> C;

    /// <summary>[Channels, States].</summary>
    public ReadOnlyView<float> A;

    /// <summary>[Channels], or empty.</summary>
    public ReadOnlyView<float> D;

    /// <summary>[Channels], or empty.</summary>
    public ReadOnlyView<float> Bias;

    /// <summary>[batch, Channels, States], or empty.</summary>
    public ReadOnlyView<float> InitialState;

    /// <summary>[batch, Length], or empty.</summary>
    public ReadOnlyView<int> Sequences;

    /// <summary>[batch], or empty.</summary>
    public ReadOnlyView<int> Lengths;
    public int Length;
    public int Channels;

    /// <summary>Numbers of a channel's state: 1 … 16.</summary>
    public int States;
    public int PitchU;
    public int PitchDelta;
    public int PitchZ;
    public int PitchB;
    public int PitchC;

    /// <summary>Positions of a sample that count.</summary>
    public readonly int Valid(int sample, SelectiveScanTraits traits) => traits.HasLengths ? Math.Clamp(Lengths[sample], 0, Length) : Length;

    /// <summary>−∞ where the state is cleared before a position, else 0: what is added to the exponent of the decay.</summary>
    public readonly float Restart(int sample, int position)
    {
        bool restarts = false;
        if (position > 0 && position < Length)
        {
            long at = ((long)sample * Length) + position;
            restarts = Sequences[at] != Sequences[at - 1];
        }

        return restarts ? float.NegativeInfinity : 0f;
    }

    /// <summary>Δ from an element of delta.</summary>
    public readonly float StepSize(float delta, int channel, SelectiveScanTraits traits)
    {
        float x = traits.HasBias ? delta + Bias[channel] : delta;
        return traits.Softplus ? DeviceMath.Softplus(x) : x;
    }
}

/// <summary>What the kernels of a selective scan are compiled for.</summary>
/// <param name="Vectors">Whether states have 16 numbers and lie at multiples of 16 bytes everywhere.</param>
/// <param name="HasSkip">D is given.</param>
/// <param name="HasGate">z is given.</param>
/// <param name="HasBias">The bias of delta is given.</param>
/// <param name="Softplus">Δ = softplus(delta + bias).</param>
/// <param name="HasSequences">States restart where the number of the sequence changes.</param>
/// <param name="HasLengths">Samples have their own numbers of positions.</param>
/// <param name="HasInitialState">The first state is not zero.</param>
/// <param name="Saves">Forward: the states for the gradient are written.</param>
/// <param name="Ends">Forward: the last state is written. Backward: the gradient of the first one is.</param>
internal readonly record struct SelectiveScanTraits(
    bool Vectors, bool HasSkip, bool HasGate, bool HasBias, bool Softplus, bool HasSequences, bool HasLengths, bool HasInitialState, bool Saves, bool Ends);
