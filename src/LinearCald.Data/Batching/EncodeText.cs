namespace LinearCald.Data.Batching;

/// <summary>
/// Turns a text, or a pair of texts, into the token ids a model reads, special tokens included. Called by several threads at once.
/// </summary>
/// <param name="text">The text; the first of a pair.</param>
/// <param name="pair">The second text, or null.</param>
/// <param name="maxLength">The most ids that may come back; longer text is cut.</param>
/// <param name="truncated">Whether something was cut away.</param>
/// <returns>1 … <paramref name="maxLength"/> ids.</returns>
public delegate int[] EncodeText(string text, string? pair, int maxLength, out bool truncated);
