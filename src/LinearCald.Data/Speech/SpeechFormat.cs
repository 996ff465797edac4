namespace LinearCald.Data.Speech;

/// <summary>How a corpus of speech is stored.</summary>
public enum SpeechFormat
{
    /// <summary>A folder with <c>transcripts.tsv</c>: a header line, then one utterance a line, columns by name.</summary>
    Transcripts,

    /// <summary>TED-LIUM 3: talks as SPHERE files and segments with their text in STM files.</summary>
    TedLium,

    /// <summary>SLURP: commands to an assistant, JSON lines and FLAC, with scenario and action.</summary>
    Slurp,

    /// <summary>VoxCeleb1 in the split of SUPERB's speaker identification: <c>iden_split.txt</c> or <c>veri_test_class.txt</c>.</summary>
    VoxCeleb,

    /// <summary>LibriSpeech: a folder a part, a folder a speaker, a folder a chapter, with <c>*.trans.txt</c>.</summary>
    LibriSpeech,
}
