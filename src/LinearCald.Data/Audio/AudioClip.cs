namespace LinearCald.Data.Audio;

/// <summary>One channel of sound in memory.</summary>
/// <param name="Samples">[S], full scale at ±1; files of floating-point samples may go beyond.</param>
/// <param name="SampleRate">Samples a second.</param>
public sealed record AudioClip(float[] Samples, int SampleRate)
{
    /// <summary>Duration.</summary>
    public double Seconds => (double)Samples.Length / SampleRate;
}
