namespace LinearCald.Tensors.Ops;

/// <summary>A run of rows or part of one row that belongs to one document each.</summary>
/// <param name="Row">The first row.</param>
/// <param name="Rows">Number of rows; more than one only where each row is one document.</param>
/// <param name="Start">First position.</param>
/// <param name="Length">Positions.</param>
public readonly record struct DocumentSpan(int Row, int Rows, int Start, int Length);

/// <summary>Where the documents of a packed batch lie, known to the host.</summary>
public sealed class DocumentSpans
{
    private DocumentSpans(int batch, int length, IReadOnlyList<DocumentSpan> spans)
    {
        Batch = batch;
        Length = length;
        Spans = spans;
    }

    /// <summary>Rows B.</summary>
    public int Batch { get; }

    /// <summary>Positions L of each.</summary>
    public int Length { get; }

    /// <summary>In order of row and position; together they cover every position once.</summary>
    public IReadOnlyList<DocumentSpan> Spans { get; }

    /// <summary>Reads document numbers, int32 [B, L], back from their device: this waits for it and cannot be part of recorded work.</summary>
    public static DocumentSpans Of(Tensor sequences)
    {
        ArgumentNullException.ThrowIfNull(sequences);
        Check.Int32("DocumentSpans", "sequences", sequences);
        Check.Rank("DocumentSpans", "sequences", sequences, 2);
        return Of(sequences.ToArray<int>(), sequences.Shape[0], sequences.Shape[1]);
    }

    /// <summary>Of document numbers [B · L]: a new document begins where the number changes along a row.</summary>
    public static DocumentSpans Of(ReadOnlySpan<int> numbers, int batch, int length)
    {
        List<DocumentSpan> spans = [];
        for (int b = 0; b < batch; b++)
        {
            ReadOnlySpan<int> row = numbers.Slice(b * length, length);
            for (int start = 0; start < length;)
            {
                int run = row[start..].IndexOfAnyExcept(row[start]);
                run = run < 0 ? length - start : run;
                if (run == length && spans is [.., { Start: 0 } last] && last.Length == length)
                {
                    spans[^1] = last with { Rows = last.Rows + 1 };
                }
                else
                {
                    spans.Add(new DocumentSpan(b, 1, start, run));
                }

                start += run;
            }
        }

        return new DocumentSpans(batch, length, spans);
    }
}
