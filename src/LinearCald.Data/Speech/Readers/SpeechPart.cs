namespace LinearCald.Data.Speech.Readers;

/// <summary>The part of a corpus that an utterance belongs to.</summary>
internal enum SpeechPart
{
    Train,
    Validation,
    Test,
}
