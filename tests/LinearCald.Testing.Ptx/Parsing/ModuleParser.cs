using System.Globalization;

namespace LinearCald.Testing.Ptx.Parsing;

/// <summary>The directives of a PTX module and of its entries.</summary>
internal sealed class ModuleParser
{
    private readonly TokenReader _tokens;
    private readonly StatementParser _statements;
    private readonly DeclarationParser _declarations;
    private readonly List<PtxVariable> _variables = [];
    private readonly Dictionary<string, PtxEntry> _entries = [];
    private int _version;
    private int _target;
    private bool _isArchitectureSpecific;

    public ModuleParser(string text)
    {
        _tokens = new TokenReader(text);
        _statements = new StatementParser(_tokens);
        _declarations = new DeclarationParser(_tokens, _statements);
    }

    public PtxModule Parse()
    {
        while (_tokens.Current.Kind != TokenKind.End)
        {
            Directive();
        }

        return new PtxModule
        {
            Version = _version,
            Target = _target,
            IsArchitectureSpecific = _isArchitectureSpecific,
            Variables = _variables,
            Entries = _entries,
        };
    }

    private void Directive()
    {
        Token token = _tokens.Next();
        switch (token.Value)
        {
            case ".version":
                string[] parts = _tokens.Next().Value.Split('.');
                _version = (int.Parse(parts[0], CultureInfo.InvariantCulture) * 10) + int.Parse(parts[1], CultureInfo.InvariantCulture);
                break;
            case ".target":
                Target(_tokens.Next());
                while (_tokens.Current.Is(","))
                {
                    _tokens.Next();
                    _tokens.Next();
                }

                break;
            case ".address_size":
                if (_tokens.Next().Value != "64")
                {
                    throw TokenReader.Error(token, ".address_size must be 64");
                }

                break;
            case ".visible" or ".weak":
                break;
            case ".extern":
                if (_tokens.Current.Value is not ".shared")
                {
                    throw TokenReader.Error(_tokens.Current, "only shared arrays can be .extern here");
                }

                _tokens.Next();
                _variables.Add(_declarations.Variable(StateSpace.Shared, true));
                break;
            case ".global":
                _variables.Add(_declarations.Variable(StateSpace.Global, false));
                break;
            case ".const":
                _variables.Add(_declarations.Variable(StateSpace.Const, false));
                break;
            case ".shared":
                _variables.Add(_declarations.Variable(StateSpace.Shared, false));
                break;
            case ".file":
                _tokens.SkipLine(token);
                break;
            case ".entry":
                Entry();
                break;
            default:
                throw TokenReader.Error(token, $"{token} is not known here");
        }
    }

    private void Target(Token token)
    {
        string name = token.Value;
        _isArchitectureSpecific = name.EndsWith('a');
        if (!name.StartsWith("sm_", StringComparison.Ordinal) || !int.TryParse(name[3..].TrimEnd('a'), CultureInfo.InvariantCulture, out _target))
        {
            throw TokenReader.Error(token, $"target {token} is not known");
        }
    }

    private void Entry()
    {
        Token token = _tokens.Next();
        if (_version == 0 || _target == 0)
        {
            throw TokenReader.Error(token, ".version and .target must stand before the first entry");
        }

        PtxEntry entry = new() { Name = token.Value, Line = token.Line };
        if (_tokens.Current.Is("("))
        {
            _tokens.Next();
            while (!_tokens.Current.Is(")"))
            {
                _tokens.Expect(".param");
                PtxVariable parameter = _declarations.Declaration(StateSpace.Param, false);
                int address = (entry.ParameterBytes + parameter.Alignment - 1) / parameter.Alignment * parameter.Alignment;
                parameter.Address = (ulong)address;
                entry.ParameterBytes = address + (int)parameter.Size;
                entry.Parameters.Add(parameter);
                if (!_tokens.Current.Is(","))
                {
                    break;
                }

                _tokens.Next();
            }

            _tokens.Expect(")");
        }

        while (!_tokens.Current.Is("{"))
        {
            Tuning(entry);
        }

        if (entry.RequiredGroup is null && entry.MaximumGroup is null)
        {
            throw TokenReader.Error(token, $"entry {token} has neither .reqntid nor .maxntid");
        }

        _tokens.Next();
        Body(entry);
        _tokens.Next();
        if (!_entries.TryAdd(entry.Name, entry))
        {
            throw TokenReader.Error(token, $"entry {token} is declared twice");
        }
    }

    private void Tuning(PtxEntry entry)
    {
        Token token = _tokens.Next();
        switch (token.Value)
        {
            case ".reqntid":
                entry.RequiredGroup = Extents();
                break;
            case ".maxntid":
                entry.MaximumGroup = Extents();
                break;
            case ".minnctapersm" or ".maxnreg" or ".maxclusterrank":
                _tokens.Number();
                break;
            case ".reqnctapercluster":
                Extents();
                break;
            case ".explicitcluster":
                break;
            case ".pragma":
                _tokens.SkipStatement();
                break;
            default:
                throw TokenReader.Error(token, $"{token} is not known before the body of an entry");
        }
    }

    private Index3 Extents()
    {
        int x = (int)_tokens.Number();
        int y = 1;
        int z = 1;
        if (_tokens.Current.Is(","))
        {
            _tokens.Next();
            y = (int)_tokens.Number();
        }

        if (_tokens.Current.Is(","))
        {
            _tokens.Next();
            z = (int)_tokens.Number();
        }

        return new Index3(x, y, z);
    }

    private void Body(PtxEntry entry)
    {
        int depth = 0;
        while (true)
        {
            Token token = _tokens.Current;
            if (token.Is("{"))
            {
                depth++;
                _tokens.Next();
            }
            else if (token.Is("}"))
            {
                if (depth-- == 0)
                {
                    return;
                }

                _tokens.Next();
            }
            else if (token.Kind == TokenKind.End)
            {
                throw TokenReader.Error(token, $"entry {entry.Name} has no closing brace");
            }
            else if (token.Kind == TokenKind.Word && token.Value[0] == '.')
            {
                _tokens.Next();
                BodyDirective(entry, token);
            }
            else if (token.Kind == TokenKind.Word && _tokens.Following.Is(":"))
            {
                _tokens.Next();
                _tokens.Next();
                Label(entry, token);
            }
            else
            {
                entry.Statements.Add(_statements.Statement());
            }
        }
    }

    private void Label(PtxEntry entry, Token token)
    {
        if (_tokens.Current.Value == ".branchtargets")
        {
            _tokens.Next();
            List<string> labels = [];
            while (!_tokens.Current.Is(";"))
            {
                labels.Add(_tokens.Next().Value);
                if (_tokens.Current.Is(","))
                {
                    _tokens.Next();
                }
            }

            _tokens.Next();
            entry.BranchTargets.Add(token.Value, labels);
        }
        else if (!entry.Labels.TryAdd(token.Value, entry.Statements.Count))
        {
            throw TokenReader.Error(token, $"label {token} is declared twice");
        }
    }

    private void BodyDirective(PtxEntry entry, Token token)
    {
        switch (token.Value)
        {
            case ".reg":
                Registers(entry);
                break;
            case ".shared":
                entry.Variables.Add(_declarations.Variable(StateSpace.Shared, false));
                break;
            case ".local":
                entry.Variables.Add(_declarations.Variable(StateSpace.Local, false));
                break;
            case ".const":
                entry.Variables.Add(_declarations.Variable(StateSpace.Const, false));
                break;
            case ".global":
                entry.Variables.Add(_declarations.Variable(StateSpace.Global, false));
                break;
            case ".loc":
                _tokens.SkipLine(token);
                break;
            case ".pragma":
                _tokens.SkipStatement();
                break;
            default:
                throw TokenReader.Error(token, $"{token} is not known in the body of an entry");
        }
    }

    private void Registers(PtxEntry entry)
    {
        Token typeToken = _tokens.Next();
        if (!PtxType.TryParse(typeToken.Value[1..], out PtxType type) || type.Bits == 8 || type.Kind is TypeKind.BrainFloat or TypeKind.TensorFloat)
        {
            throw TokenReader.Error(typeToken, $"{typeToken} is no register type");
        }

        while (true)
        {
            Token name = _tokens.Next();
            if (name.Kind != TokenKind.Word)
            {
                throw TokenReader.Error(name, $"{name} is no register name");
            }

            if (_tokens.Current.Is("<"))
            {
                _tokens.Next();
                ulong count = _tokens.Number();
                _tokens.Expect(">");
                for (ulong i = 0; i < count; i++)
                {
                    Declare(entry, name, string.Create(CultureInfo.InvariantCulture, $"{name.Value}{i}"), type);
                }
            }
            else
            {
                Declare(entry, name, name.Value, type);
            }

            if (!_tokens.Current.Is(","))
            {
                break;
            }

            _tokens.Next();
        }

        _tokens.Expect(";");
    }

    private static void Declare(PtxEntry entry, Token token, string name, PtxType type)
    {
        if (!entry.Registers.TryAdd(name, type))
        {
            throw TokenReader.Error(token, $"register '{name}' is declared twice");
        }
    }
}
