namespace LinearCald.Distillation.Scoring;

/// <summary>A piece of a document: the tokens a model reads, and how many of the last predictions count.</summary>
/// <param name="Input">Tokens read.</param>
/// <param name="Labels">The tokens that follow the last of them: as many as are scored.</param>
public readonly record struct TextWindow(ReadOnlyMemory<int> Input, ReadOnlyMemory<int> Labels);

/// <summary>
/// Windows over a document by the rule of lm-evaluation-harness: every token is scored once; the first window begins with the end-of-text token; the others with
/// the last token of the one before; the last one reaches back as far as a window can.
/// </summary>
public static class TextWindows
{
    /// <param name="document">The end-of-text token and then the document's tokens.</param>
    /// <param name="context">Tokens of a window.</param>
    public static IEnumerable<TextWindow> Of(int[] document, int context)
    {
        ArgumentNullException.ThrowIfNull(document);
        ArgumentOutOfRangeException.ThrowIfLessThan(context, 1);
        return Cut(document, context);
    }

    private static IEnumerable<TextWindow> Cut(int[] document, int context)
    {
        // Output i of the document is the prediction of token i + 1.
        int outputs = document.Length - 1;
        for (int from = 0; from < outputs; from += context)
        {
            int to = Math.Min(from + context, outputs);
            int begin = Math.Max(0, to - context);
            yield return new TextWindow(document.AsMemory(begin, to - begin), document.AsMemory(from + 1, to - from));
        }
    }
}
