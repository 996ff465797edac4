namespace LinearCald.Testing.Ptx.Parsing;

internal enum StateSpace
{
    Generic,
    Global,
    Shared,
    Local,
    Param,
    Const,
}

/// <summary>A declared variable: a symbol with a place in a state space.</summary>
internal sealed class PtxVariable
{
    public required string Name { get; init; }

    public required StateSpace Space { get; init; }

    public required int Line { get; init; }

    public required PtxType Type { get; init; }

    public required int Alignment { get; init; }

    /// <summary>Bytes; −1 for an extern array, whose size the launch gives.</summary>
    public required long Size { get; init; }

    public byte[]? Initial { get; init; }

    /// <summary>Place of the first byte within its space.</summary>
    public ulong Address { get; set; }
}

/// <summary>A kernel as written.</summary>
internal sealed class PtxEntry
{
    public required string Name { get; init; }

    public required int Line { get; init; }

    public List<PtxVariable> Parameters { get; } = [];

    public List<PtxVariable> Variables { get; } = [];

    public Dictionary<string, PtxType> Registers { get; } = [];

    public List<Statement> Statements { get; } = [];

    /// <summary>Label → index of the statement that follows it.</summary>
    public Dictionary<string, int> Labels { get; } = [];

    /// <summary>Label of a <c>.branchtargets</c> list → its labels.</summary>
    public Dictionary<string, List<string>> BranchTargets { get; } = [];

    public Index3? RequiredGroup { get; set; }

    public Index3? MaximumGroup { get; set; }

    public int ParameterBytes { get; set; }
}

/// <summary>PTX text, parsed; instructions are decoded per entry when it first runs.</summary>
internal sealed class PtxModule
{
    public required int Version { get; init; }

    public required int Target { get; init; }

    /// <summary>Whether the target has the letter a: features of one architecture only.</summary>
    public required bool IsArchitectureSpecific { get; init; }

    public required IReadOnlyList<PtxVariable> Variables { get; init; }

    public required IReadOnlyDictionary<string, PtxEntry> Entries { get; init; }

    public static PtxModule Parse(string text) => new ModuleParser(text).Parse();

    public PtxEntry Entry(string name) =>
        Entries.TryGetValue(name, out PtxEntry? entry) ? entry : throw new CaldException($"the PTX has no entry '{name}'; it has {string.Join(", ", Entries.Keys)}");
}
