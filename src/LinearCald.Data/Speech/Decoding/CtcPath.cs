namespace LinearCald.Data.Speech.Decoding;

/// <summary>What a decoder found in the outputs of a CTC model.</summary>
/// <param name="Tokens">Classes in order, repeats merged and blanks dropped.</param>
/// <param name="Frames">The frame at which each token begins: times its model's stride, its time stamp.</param>
/// <param name="LogProbability">Natural logarithm, of the one alignment (greedy) or of all alignments that the beam kept (beam search); a language model is not in it.</param>
public sealed record CtcPath(int[] Tokens, int[] Frames, double LogProbability);
