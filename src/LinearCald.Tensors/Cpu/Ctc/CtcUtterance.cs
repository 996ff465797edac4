using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// The lattice of one utterance: α forward over its frames, then β backward with the gradient on the way. Rows of α are kept for a segment of the frames at a time; where the
/// utterance has several segments, their entries are kept as well and each segment is made again, which costs a third sweep and memory of about √frames rows.
/// </summary>
internal readonly unsafe ref struct CtcUtterance<T, TV>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TV : unmanaged, ISimd<TV, T>
{
    private const double Ln2 = 0.69314718055994531;

    private readonly T* _logits;
    private readonly int _frames;
    private readonly int _classes;
    private readonly int* _target;
    private readonly int _labels;
    private readonly int _blank;
    private readonly T* _gradient;
    private readonly nint _padded;
    private readonly nint _row; // elements of a row of states
    private readonly int _segment; // frames
    private readonly int _segments;
    private readonly Scratch<T> _scratch;
    private readonly T* _mantissas; // [classes], then exponents
    private readonly T* _skip;
    private readonly T* _shares;
    private readonly T* _beta;
    private readonly T* _entries; // a row a segment
    private readonly T* _rows; // the entry of the segment, then a row a frame
    private readonly T* _emissions; // a row a frame: labels' mantissas and exponents, the blank's

    public CtcUtterance(T* logits, int frames, int classes, int* target, int labels, int blank, long keptBytes, T* gradient)
    {
        _logits = logits;
        _frames = frames;
        _classes = classes;
        _target = target;
        _labels = labels;
        _blank = blank;
        _gradient = gradient;
        _padded = (labels + TV.Width) / TV.Width * TV.Width;
        _row = CtcStates<T>.Elements(_padded);
        _segment = gradient is null ? 1 : Segment(frames, _row + EmissionElements, keptBytes);
        _segments = gradient is null ? 1 : Math.Max(1, (frames + _segment - 1) / _segment);
        nint kept = gradient is null ? 2 : _segment + 1;
        _scratch = new Scratch<T>((2L * classes) + (2 * _padded) + (2 * CtcStates<T>.Margin) + _row + (_segments * _row) + (kept * (_row + EmissionElements)));
        _mantissas = _scratch.Pointer;
        _shares = _mantissas + (2 * classes);
        _skip = _shares + _padded + CtcStates<T>.Margin;
        _beta = _skip + _padded + CtcStates<T>.Margin;
        _entries = _beta + _row;
        _rows = _entries + (_segments * _row);
        _emissions = _rows + (kept * _row);
        for (nint k = 0; k < _padded + CtcStates<T>.Margin; k++)
        {
            _skip[k] = k > 0 && k < labels && target[k] != target[k - 1] ? T.Zero : T.CreateTruncating(CtcStates<T>.Impossible);
        }
    }

    private nint EmissionElements => (2 * _padded) + 2;

    public void Dispose() => _scratch.Dispose();

    /// <summary>The loss; the gradient of the utterance's frames if it is finite.</summary>
    public double Run()
    {
        double normaliser = 0;
        CtcStates<T> entry = States(_entries, 0);
        entry.Begin(0);
        if (_gradient is null)
        {
            return Loss(Roll(ref normaliser), normaliser);
        }

        for (int segment = 0; segment < _segments - 1; segment++)
        {
            States(_entries, segment).CopyTo(States(_rows, 0));
            Sweep(segment * _segment, _segment, rolling: true, ref normaliser).CopyTo(States(_entries, segment + 1));
        }

        CtcStates<T> beta = new(_beta, _padded);
        beta.Begin(_labels);
        double loss = 0;
        T exponent = T.Zero;
        for (int segment = _segments - 1; segment >= 0; segment--)
        {
            int from = segment * _segment, count = Math.Min(_segment, _frames - from);
            double again = 0;
            bool last = segment == _segments - 1;
            States(_entries, segment).CopyTo(States(_rows, 0));
            CtcStates<T> states = Sweep(from, count, rolling: false, ref last ? ref normaliser : ref again);
            if (last)
            {
                loss = Loss(states, normaliser);
                if (!double.IsFinite(loss))
                {
                    return loss;
                }

                (_, exponent) = Final(states);
            }

            Backward(beta, from, count, exponent);
        }

        return loss;
    }

    /// <summary>Frames of a segment: all where they fit, otherwise so many that entries and rows of a segment together are fewest.</summary>
    private static int Segment(int frames, nint elements, long keptBytes)
    {
        long fit = Math.Max(1, keptBytes / (elements * sizeof(T)));
        return (int)Math.Clamp(fit >= frames ? frames : Math.Max(fit, (long)Math.Ceiling(Math.Sqrt(frames))), 1, Math.Max(1, frames));
    }

    private CtcStates<T> States(T* rows, nint index) => new(rows + (index * _row), _padded);

    /// <summary>Without a gradient: two rows, in turns.</summary>
    private CtcStates<T> Roll(ref double normaliser)
    {
        States(_entries, 0).CopyTo(States(_rows, 0));
        return Sweep(0, _frames, rolling: true, ref normaliser);
    }

    /// <summary>α over some frames from row 0 on; rolling, rows 0 and 1 take turns, otherwise each frame has its row, and the softmax goes to the gradient.</summary>
    private CtcStates<T> Sweep(int from, int count, bool rolling, ref double normaliser)
    {
        CtcStates<T> states = States(_rows, 0);
        for (int i = 0; i < count; i++)
        {
            int t = from + i;
            CtcStates<T> next = States(_rows, rolling ? (i + 1) & 1 : i + 1);
            T sum = CtcFrame.Exponentials(_logits + ((nint)t * _classes), _classes, _mantissas, _mantissas + _classes);
            normaliser += Math.Log(double.CreateTruncating(sum));
            if (!rolling)
            {
                CtcFrame.Softmax(_mantissas, _mantissas + _classes, sum, _classes, _gradient + ((nint)t * _classes));
            }

            CtcLattice<T, TV>.Forward(states, next, Emit(rolling ? 0 : i), _skip, _padded);
            if (t % CtcLattice<T, TV>.Renormalisation == 0)
            {
                CtcLattice<T, TV>.Renormalise(next, _padded);
            }

            states = next;
        }

        return states;
    }

    /// <summary>β over the frames of a segment whose rows are there, from its last frame back; takes the labels' shares from the softmax.</summary>
    private void Backward(CtcStates<T> beta, int from, int count, T exponent)
    {
        for (int i = count - 1; i >= 0; i--)
        {
            int t = from + i;
            T* g = _gradient + ((nint)t * _classes);
            (T blank, T all) = CtcLattice<T, TV>.Backward(beta, States(_rows, i + 1), Emission(i), _skip, exponent, _shares, _padded);
            if (t % CtcLattice<T, TV>.Renormalisation == 0)
            {
                CtcLattice<T, TV>.Renormalise(beta, _padded);
            }

            // Divided by their own sum, which is p at every frame up to rounding, so that a frame's gradient sums to 0.
            T scale = T.One / all;
            g[_blank] -= blank * scale;
            for (int k = 0; k < _labels; k++)
            {
                g[_target[k]] -= _shares[k] * scale;
            }
        }
    }

    /// <summary>Gathers what the labels emit in the frame whose exponentials are at hand.</summary>
    private CtcEmission<T> Emit(int row)
    {
        T* m = _emissions + (row * EmissionElements), e = m + _padded, exponents = _mantissas + _classes;
        for (nint k = 0; k < _labels; k++)
        {
            m[k] = _mantissas[_target[k]];
            e[k] = exponents[_target[k]];
        }

        for (nint k = _labels; k < _padded; k++)
        {
            m[k] = T.Zero;
            e[k] = T.CreateTruncating(CtcStates<T>.Impossible);
        }

        e[_padded] = _mantissas[_blank];
        e[_padded + 1] = exponents[_blank];
        return Emission(row);
    }

    private CtcEmission<T> Emission(int row)
    {
        T* m = _emissions + (row * EmissionElements), e = m + _padded;
        return new(m, e, e[_padded], e[_padded + 1]);
    }

    /// <summary>What all alignments have together: those that end in the last blank and those that end in the last label.</summary>
    private (double Mantissa, T Exponent) Final(CtcStates<T> states)
    {
        T blank = states.BlankExponent[_labels], label = states.LabelExponent[_labels - 1], top = T.Max(blank, label);
        double sum = At(states.Blank[_labels], blank - top) + At(states.Label[_labels - 1], label - top);
        return (sum, top);

        static double At(T mantissa, T power) => double.CreateTruncating(mantissa) * Math.Pow(2, double.CreateTruncating(power));
    }

    private double Loss(CtcStates<T> states, double normaliser)
    {
        (double mantissa, T exponent) = Final(states);
        return double.IsNaN(normaliser) || double.IsNaN(mantissa) ? double.NaN
            : mantissa == 0 || double.CreateTruncating(exponent) < 0.1 * CtcStates<T>.Impossible ? double.PositiveInfinity
            : Math.Max(0, normaliser - Math.Log(mantissa) - (double.CreateTruncating(exponent) * Ln2));
    }
}
