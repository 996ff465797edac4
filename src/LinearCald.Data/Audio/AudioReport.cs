namespace LinearCald.Data.Audio;

/// <summary>What the samples of a file are like, channels mixed down.</summary>
/// <param name="Info">The format, with the number of sample frames that were decoded.</param>
/// <param name="Lowest">Of the finite samples; full scale is −1.</param>
/// <param name="Highest">Of the finite samples; full scale is 1.</param>
/// <param name="Mean">Of the finite samples: the offset from zero.</param>
/// <param name="Level">Root of the finite samples' mean square.</param>
/// <param name="NotFinite">Samples that are NaN or infinite.</param>
public sealed record AudioReport(AudioInfo Info, float Lowest, float Highest, double Mean, double Level, long NotFinite);
