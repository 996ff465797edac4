namespace LinearCald.Data.Speech;

/// <summary>
/// How many frames wav2vec 2.0's feature encoder makes: seven convolutions without padding, n ↦ ⌊(n − k)/s⌋ + 1, kernels
/// 10, 3, 3, 3, 3, 2, 2 and strides 5, 2, 2, 2, 2, 2, 2. One second has 49 frames, ten have 499.
/// </summary>
public static class SpeechFrames
{
    /// <summary>Samples that the first frame sees; fewer make none.</summary>
    public const int ReceptiveField = 400;

    /// <summary>Samples from frame to frame.</summary>
    public const int Stride = 320;

    /// <summary>Frames of so many samples. The floors nest: ⌊(n − 400)/320⌋ + 1, and 0 below 400.</summary>
    public static int Count(long samples) => samples < ReceptiveField ? 0 : checked((int)(((samples - ReceptiveField) / Stride) + 1));

    /// <summary>Fewest frames in which CTC can say these labels: one each, and a blank between two equal ones.</summary>
    public static int Needed(ReadOnlySpan<int> labels)
    {
        int frames = labels.Length;
        for (int i = 1; i < labels.Length; i++)
        {
            if (labels[i] == labels[i - 1])
            {
                frames++;
            }
        }

        return frames;
    }
}
