using System.Text;
using LinearCald.Data.Tokenizers.Unicode;

namespace LinearCald.Data.Speech;

/// <summary>
/// The output classes of a CTC model: one a character, a delimiter between words, and special tokens, of which the padding token is CTC's
/// blank. Immutable; any thread may use it.
/// </summary>
public sealed class CharacterVocabulary
{
    private readonly string[] _tokens;
    private readonly bool[] _special;
    private readonly Dictionary<Rune, int> _characters = [];

    /// <param name="tokens">Every token at the place of its id.</param>
    /// <param name="blank">Id of the padding token.</param>
    /// <param name="delimiter">Id of what stands between words.</param>
    /// <param name="unknown">Id of what stands for other characters, or null.</param>
    /// <param name="special">Ids, beside blank and unknown, that are no text.</param>
    internal CharacterVocabulary(string[] tokens, int blank, int delimiter, int? unknown, IEnumerable<int> special)
    {
        _tokens = tokens;
        _special = new bool[tokens.Length];
        Blank = blank;
        Delimiter = delimiter;
        Unknown = unknown;
        foreach (int id in special.Append(blank).Concat(unknown is { } u ? [u] : []))
        {
            _special[id] = true;
        }

        for (int id = 0; id < tokens.Length; id++)
        {
            if (!_special[id] && Rune.TryGetRuneAt(tokens[id], 0, out Rune character) && character.Utf16SequenceLength == tokens[id].Length)
            {
                _characters[character] = id;
            }
        }
    }

    /// <summary>Number of tokens: outputs of the head.</summary>
    public int Size => _tokens.Length;

    /// <summary>Id of the padding token, which is CTC's blank.</summary>
    public int Blank { get; }

    /// <summary>Id of what stands between words, usually <c>|</c>.</summary>
    public int Delimiter { get; }

    /// <summary>Id of what stands for characters outside the vocabulary; null where there is no such token.</summary>
    public int? Unknown { get; }

    /// <summary>The tokens in the order of their ids.</summary>
    public IReadOnlyList<string> Tokens => _tokens;

    /// <summary>Whether a token is no text: blank, unknown, beginning, end.</summary>
    public bool IsSpecial(int id) => _special[id];

    /// <summary>Reads <c>vocab.json</c> of a model's folder, and where present <c>added_tokens.json</c>, <c>special_tokens_map.json</c> and <c>tokenizer_config.json</c>.</summary>
    /// <exception cref="CaldException">A file is missing or damaged, ids are not 0 … n − 1, or the blank or the delimiter cannot be found.</exception>
    public static CharacterVocabulary Load(string folder) => CharacterVocabularyFiles.Load(folder);

    /// <summary>The same of the text of a <c>vocab.json</c> alone.</summary>
    /// <param name="json">An object of tokens and their ids.</param>
    /// <param name="name">What messages call it.</param>
    public static CharacterVocabulary FromJson(string json, string name = "vocab.json") => CharacterVocabularyFiles.FromJson(json, name);

    /// <summary>
    /// The vocabulary of the characters that occur: <c>&lt;pad&gt;</c>, <c>&lt;s&gt;</c>, <c>&lt;/s&gt;</c>, <c>&lt;unk&gt;</c>, <c>|</c>, then
    /// the characters by code point.
    /// </summary>
    /// <exception cref="CaldException">No transcript has any character.</exception>
    public static CharacterVocabulary FromTranscripts(IEnumerable<string> transcripts)
    {
        SortedSet<Rune> characters = [];
        foreach (string transcript in transcripts)
        {
            characters.UnionWith(Composed(transcript).EnumerateRunes().Where(character => !Rune.IsWhiteSpace(character) && character != new Rune('|')));
        }

        if (characters.Count == 0)
        {
            throw new CaldException("a vocabulary of transcripts: no transcript has any character; name the column that holds what is said");
        }

        return new CharacterVocabulary(["<pad>", "<s>", "</s>", "<unk>", "|", .. characters.Select(character => character.ToString())], 0, 4, 3, [1, 2]);
    }

    /// <summary>The reference's vocabulary for English: blank 0, a … z 1 … 26, apostrophe 27, delimiter 28, unknown 29, beginning 30, end 31.</summary>
    public static CharacterVocabulary English() => new(
        ["[PAD]", .. Enumerable.Range('a', 26).Select(letter => ((char)letter).ToString()), "'", "|", "[UNK]", "<s>", "</s>"], 0, 28, 29, [30, 31]);

    /// <summary>
    /// The ids of a text. White space of any kind and length is one delimiter, none at the ends; a character that the vocabulary has only
    /// in the other case is taken in that case.
    /// </summary>
    /// <param name="text">What is said.</param>
    /// <param name="unknownCharacters">
    /// The characters that the vocabulary lacks, each once, in order of appearance. They become <see cref="Unknown"/>, or nothing where the
    /// vocabulary has no such token.
    /// </param>
    public int[] Encode(string text, out string unknownCharacters)
    {
        ArgumentNullException.ThrowIfNull(text);
        List<int> ids = new(text.Length);
        StringBuilder? missing = null;
        bool pending = false; // a delimiter, once another character follows
        foreach (Rune character in Composed(text).EnumerateRunes())
        {
            int? id = Find(character);
            if (id == Delimiter || (id is null && Rune.IsWhiteSpace(character)))
            {
                pending = ids.Count > 0;
                continue;
            }

            if (id is null)
            {
                missing ??= new StringBuilder();
                if (!missing.ToString().EnumerateRunes().Contains(character))
                {
                    missing.Append(character);
                }
            }

            if ((id ?? Unknown) is { } token)
            {
                if (pending)
                {
                    ids.Add(Delimiter);
                    pending = false;
                }

                ids.Add(token);
            }
        }

        unknownCharacters = missing?.ToString() ?? "";
        return [.. ids];
    }

    /// <summary>The text of ids, one after another: nothing is merged, delimiters are spaces, special tokens nothing; without spaces at the ends.</summary>
    /// <exception cref="CaldException">An id is outside the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> ids)
    {
        StringBuilder text = new(ids.Length);
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)_tokens.Length)
            {
                throw new CaldException($"decoding: id {id} is outside the vocabulary of {_tokens.Length} tokens; does the vocabulary belong to this model?");
            }

            if (id == Delimiter)
            {
                text.Append(' ');
            }
            else if (!_special[id])
            {
                text.Append(_tokens[id]);
            }
        }

        return text.ToString().Trim(' ');
    }

    /// <summary>Writes <c>vocab.json</c>, <c>special_tokens_map.json</c> and <c>tokenizer_config.json</c> in the form of HuggingFace's CTC tokenizer.</summary>
    public void Save(string folder) => CharacterVocabularyFiles.Save(this, folder);

    private static string Composed(string text) => UnicodeNormalization.Normalize(text, UnicodeForm.Nfc);

    private int? Find(Rune character) =>
        _characters.TryGetValue(character, out int id) || _characters.TryGetValue(Rune.ToLowerInvariant(character), out id)
        || _characters.TryGetValue(Rune.ToUpperInvariant(character), out id) ? id : null;
}
