using System.Security.Cryptography;
using System.Text;

namespace LinearCald.Data.Tokenizers.Files;

/// <summary>A file of a tokenizer as it was read.</summary>
/// <param name="Name">Name without folder.</param>
/// <param name="Bytes">Content.</param>
internal sealed record TokenizerFile(string Name, byte[] Bytes);

/// <summary>Finds, reads and writes the files of a tokenizer.</summary>
internal static class TokenizerFolder
{
    private const string Whole = "tokenizer.json", Vocabulary = "vocab.json", Merges = "merges.txt", WordPieces = "vocab.txt", Config = "tokenizer_config.json",
        SpecialMap = "special_tokens_map.json";

    private const long LargestFile = 256L << 20;

    private static readonly string[] Names = [Whole, Vocabulary, Merges, WordPieces, Config, SpecialMap, "added_tokens.json"];

    /// <exception cref="CaldException">No tokenizer there, or not one that can be read.</exception>
    public static TokenizerDefinition Read(string folderOrFile)
    {
        string folder, main;
        if (Directory.Exists(folderOrFile))
        {
            folder = folderOrFile;
            main = Has(Whole) ? Whole : Has(Vocabulary) && Has(Merges) ? Vocabulary : Has(WordPieces) ? WordPieces : throw Missing(folder);
        }
        else if (File.Exists(folderOrFile))
        {
            folder = Path.GetDirectoryName(Path.GetFullPath(folderOrFile))!;
            main = Path.GetFileName(folderOrFile);
            if (main is Vocabulary or Merges && !(Has(Vocabulary) && Has(Merges)))
            {
                throw new CaldException($"{folderOrFile}: byte-level BPE needs both vocab.json and merges.txt in one folder");
            }
        }
        else
        {
            throw new CaldException($"{folderOrFile}: there is no such folder or file; give a folder with tokenizer.json, with vocab.json and merges.txt, or with vocab.txt");
        }

        List<TokenizerFile> files = [];
        List<JsonField> configs = [];
        foreach (string name in Names.Append(main).Distinct().Where(Has))
        {
            TokenizerFile file = new(name, ReadBytes(Path.Combine(folder, name)));
            files.Add(file);
            if (name is Config or SpecialMap)
            {
                configs.Add(JsonField.Parse(Path.Combine(folder, name), file.Bytes));
            }
        }

        TokenizerDefinition definition = main switch
        {
            Vocabulary or Merges => VocabularyFilesReader.ReadBytePairs(folder, Bytes(Vocabulary), Bytes(Merges), configs),
            _ when main.EndsWith(".txt", StringComparison.OrdinalIgnoreCase) => VocabularyFilesReader.ReadWordPieces(Path.Combine(folder, main), Bytes(main), configs),
            _ => TokenizerJsonReader.Read(Path.Combine(folder, main), Bytes(main), configs),
        };
        return definition with { Files = files };

        bool Has(string name) => File.Exists(Path.Combine(folder, name));

        byte[] Bytes(string name) => files.First(file => file.Name == name).Bytes;
    }

    /// <exception cref="CaldException">A file could not be written; files of that name that were there are then as before or complete.</exception>
    public static void Write(string folder, IReadOnlyList<TokenizerFile> files)
    {
        try
        {
            Directory.CreateDirectory(folder);
            foreach (TokenizerFile file in files)
            {
                string path = Path.Combine(folder, file.Name), temporary = path + ".tmp";
                File.WriteAllBytes(temporary, file.Bytes);
                File.Move(temporary, path, overwrite: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CaldException($"{folder}: the tokenizer could not be saved: {e.Message}", e);
        }
    }

    /// <summary>SHA-256 of names, lengths and contents, hexadecimal.</summary>
    public static string Hash(IReadOnlyList<TokenizerFile> files)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (TokenizerFile file in files)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{file.Name}\n{file.Bytes.Length}\n")));
            hash.AppendData(file.Bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static byte[] ReadBytes(string path)
    {
        try
        {
            long length = new FileInfo(path).Length;
            return length <= LargestFile
                ? File.ReadAllBytes(path)
                : throw new CaldException($"{path}: {length} bytes are too many for a file of a tokenizer (at most {LargestFile})");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CaldException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    private static CaldException Missing(string folder) =>
        new($"{folder}: no tokenizer found; expected tokenizer.json, or vocab.json and merges.txt, or vocab.txt");
}
