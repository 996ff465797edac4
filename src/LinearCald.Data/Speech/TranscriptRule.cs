namespace LinearCald.Data.Speech;

/// <summary>How a transcript becomes what a model learns to write.</summary>
public enum TranscriptRule
{
    /// <summary>As it stands; white space at the ends is dropped.</summary>
    AsWritten,

    /// <summary>The reference's rule: <c>[UNK]</c> is dropped, a hyphen is a space, white space is one space, and none stands before an apostrophe.</summary>
    Tidy,

    /// <summary>
    /// For written text: lower case; letters of any script, digits, and apostrophes within words stay, everything else is a space. Typographic
    /// apostrophes are plain ones.
    /// </summary>
    Letters,
}
