using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>The integers of a batch of utterances. A kernel cannot complain: what is out of range is read as something harmless, and <see cref="IsBad"/> says so.</summary>
internal struct CtcBatch
{
    /// <summary>[batch, room].</summary>
    public ReadOnlyView<int> Targets;

    /// <summary>[batch].</summary>
    public ReadOnlyView<int> InputLengths;

    /// <summary>[batch].</summary>
    public ReadOnlyView<int> TargetLengths;

    /// <summary>Frames of the padded batch.</summary>
    public int Frames;

    /// <summary>Classes of a frame.</summary>
    public int Classes;

    /// <summary>Labels of the padded batch.</summary>
    public int Room;

    /// <summary>The blank.</summary>
    public int Blank;

    /// <summary>Frames of a sample.</summary>
    public readonly int FramesOf(int sample)
    {
        int length = InputLengths[sample];
        return length < 0 || length > Frames ? 0 : length;
    }

    /// <summary>Labels of a sample.</summary>
    public readonly int LabelsOf(int sample)
    {
        int length = TargetLengths[sample];
        return length < 0 || length > Room ? 0 : length;
    }

    /// <summary>A class: label <paramref name="k"/> of a sample.</summary>
    public readonly int Label(int sample, int k)
    {
        int label = Targets[((long)sample * Room) + k];
        return label < 0 || label >= Classes ? Blank : label;
    }

    /// <summary>Whether a length of the sample is out of range, or this label of it, if it has so many.</summary>
    public readonly bool IsBad(int sample, int k) =>
        FramesOf(sample) != InputLengths[sample] || LabelsOf(sample) != TargetLengths[sample] || (k < LabelsOf(sample) && Label(sample, k) == Blank);
}
