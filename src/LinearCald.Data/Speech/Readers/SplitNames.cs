namespace LinearCald.Data.Speech.Readers;

/// <summary>Which name of a manifest, folder or column value means which part.</summary>
internal sealed class SplitNames
{
    private readonly Dictionary<string, SpeechPart> _parts = new(StringComparer.Ordinal);
    private readonly string _folder;

    /// <param name="assembly">Whose options name splits.</param>
    /// <param name="usual">The usual names of each part, where the options name none.</param>
    /// <exception cref="CaldException">A name is given for two parts.</exception>
    public SplitNames(SpeechAssembly assembly, Func<SpeechPart, IReadOnlyList<string>> usual)
    {
        _folder = assembly.Folder;
        SpeechPart[] parts = Enum.GetValues<SpeechPart>();
        foreach (SpeechPart part in parts)
        {
            IReadOnlyList<string> given = Given(assembly.Options, part);
            Required[(int)part] = given.Count > 0;
            foreach (string name in given)
            {
                if (!_parts.TryAdd(name, part))
                {
                    throw new CaldException($"{_folder}: the split \"{name}\" is named for {part} and for {_parts[name]}; a split belongs to one part, once");
                }
            }
        }

        // A usual name that the options use for another part is taken.
        foreach (SpeechPart part in parts.Where(part => !Required[(int)part]))
        {
            foreach (string name in usual(part))
            {
                _parts.TryAdd(name, part);
            }
        }
    }

    /// <summary>Whether the options name the splits of a part, so that they must exist.</summary>
    public bool[] Required { get; } = new bool[3];

    /// <summary>Names of a part, in the order given.</summary>
    public IEnumerable<string> Of(SpeechPart part) => _parts.Where(entry => entry.Value == part).Select(entry => entry.Key);

    /// <summary>The part of a name; null when it belongs to none.</summary>
    public SpeechPart? PartOf(string name) => _parts.TryGetValue(name, out SpeechPart part) ? part : null;

    /// <summary>Complains about splits that the options name and nothing has.</summary>
    /// <param name="seen">Names that were found.</param>
    public void RequireAll(IReadOnlyCollection<string> seen)
    {
        string[] absent = [.. _parts.Where(entry => Required[(int)entry.Value] && !seen.Contains(entry.Key)).Select(entry => entry.Key)];
        if (absent.Length > 0)
        {
            throw new CaldException($"{_folder}: no split is called {string.Join(", ", absent)}; there are {string.Join(", ", seen.Order(StringComparer.Ordinal))}");
        }
    }

    private static IReadOnlyList<string> Given(SpeechOptions options, SpeechPart part) => part switch
    {
        SpeechPart.Train => options.Train,
        SpeechPart.Validation => options.Validation,
        _ => options.Test,
    };
}
