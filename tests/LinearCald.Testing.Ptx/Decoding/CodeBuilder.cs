using LinearCald.Testing.Ptx.Execution;
using LinearCald.Testing.Ptx.Memory;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Decoding;

/// <summary>Turns the statements of an entry into instructions over dense register numbers.</summary>
internal sealed class CodeBuilder
{
    private readonly PtxEntry _entry;
    private readonly Dictionary<string, int> _registers = [];
    private readonly Dictionary<ulong, int> _constants = [];
    private readonly Dictionary<string, int> _specials = [];
    private readonly Dictionary<string, PtxVariable> _variables = [];
    private readonly List<string> _names = [];
    private readonly List<(int Register, SpecialRegister Special)> _specialList = [];
    private readonly SharedLayout _shared;
    private readonly int _localBytes;
    private readonly byte[] _constantMemory;

    private CodeBuilder(PtxModule module, PtxEntry entry, int dynamicBytes)
    {
        Module = module;
        _entry = entry;
        foreach (PtxVariable variable in module.Variables.Concat(entry.Variables).Concat(entry.Parameters))
        {
            if (!_variables.TryAdd(variable.Name, variable))
            {
                throw new CaldException($"PTX line {variable.Line}: variable '{variable.Name}' is declared twice");
            }

            if (entry.Registers.ContainsKey(variable.Name))
            {
                throw new CaldException($"PTX line {variable.Line}: '{variable.Name}' is both a variable and a register");
            }
        }

        _shared = new SharedLayout(_variables.Values.Where(static v => v.Space == StateSpace.Shared), dynamicBytes);
        _localBytes = Place(StateSpace.Local);
        _constantMemory = new byte[Place(StateSpace.Const)];
        foreach (PtxVariable variable in _variables.Values)
        {
            if (variable.Space == StateSpace.Const && variable.Initial is not null)
            {
                variable.Initial.CopyTo(_constantMemory, (int)variable.Address);
            }
        }
    }

    public PtxModule Module { get; }

    /// <summary>Bytes of the narrowest access to shared memory so far, at most 4.</summary>
    public int SharedGranule { get; private set; } = 4;

    public static KernelCode Build(PtxModule module, PtxEntry entry, int dynamicBytes)
    {
        CodeBuilder builder = new(module, entry, dynamicBytes);
        return builder.Build();
    }

    /// <summary>Tells of a shared access, so that races are watched finely enough.</summary>
    public void SharedAccess(int bytes) => SharedGranule = Math.Min(SharedGranule, bytes);

    public bool TryVariable(string name, out PtxVariable? variable) => _variables.TryGetValue(name, out variable);

    public PtxType TypeOf(string name, Decoder decoder) =>
        _entry.Registers.TryGetValue(name, out PtxType type)
            ? type
            : throw decoder.Error(name.StartsWith('%') || !_variables.ContainsKey(name) ? $"register {name} is not declared" : $"variable {name} cannot stand here: take its address with mov");

    public int Register(string name) => Slot(_registers, name, name);

    public int Constant(ulong value)
    {
        if (!_constants.TryGetValue(value, out int register))
        {
            register = _names.Count;
            _names.Add($"constant {value}");
            _constants.Add(value, register);
        }

        return register;
    }

    public int Special(SpecialRegister special)
    {
        if (!_specials.TryGetValue(special.Name, out int register))
        {
            register = Slot(_specials, special.Name, special.Name);
            _specialList.Add((register, special));
        }

        return register;
    }

    public int Label(string name, Decoder decoder) =>
        _entry.Labels.TryGetValue(name, out int index) ? index : throw decoder.Error($"label {name} is not declared");

    public int[] BranchTargets(string name, Decoder decoder) =>
        _entry.BranchTargets.TryGetValue(name, out List<string>? labels)
            ? [.. labels.Select(label => Label(label, decoder))]
            : throw decoder.Error($"there is no .branchtargets list {name}");

    private KernelCode Build()
    {
        List<Instruction> instructions = [];
        foreach (Statement statement in _entry.Statements)
        {
            Decoder decoder = new(this, statement);
            Instruction instruction = InstructionSet.Decode(decoder);
            decoder.End();
            instruction.Source = statement;
            instruction.Index = instructions.Count;
            if (statement.Guard is not null)
            {
                PtxType type = TypeOf(statement.Guard, decoder);
                if (type != PtxType.Predicate)
                {
                    throw decoder.Error($"the guard {statement.Guard} is {type}, not a predicate");
                }

                instruction.Guard = Register(statement.Guard);
                instruction.IsGuardNegated = statement.IsGuardNegated;
            }

            instructions.Add(instruction);
        }

        Statement end = new() { Line = _entry.Line, Text = $"end of {_entry.Name}", Opcode = "", Modifiers = [], Operands = [] };
        instructions.Add(new Stop("runs past the last instruction: there is no ret") { Source = end, Index = instructions.Count });
        return new KernelCode
        {
            Entry = _entry,
            Instructions = [.. instructions],
            RegisterCount = _names.Count,
            Constants = [.. _constants.Select(static c => (c.Value, c.Key))],
            Specials = _specialList,
            RegisterNames = _names,
            Shared = _shared,
            SharedGranule = SharedGranule,
            GlobalGranule = instructions.OfType<Store>().Where(static s => s.MayBeGlobal).Select(static s => s.ElementBytes).Append(4).Min(),
            LocalBytes = _localBytes,
            ConstantMemory = _constantMemory,
        };
    }

    private int Slot(Dictionary<string, int> table, string key, string name)
    {
        if (!table.TryGetValue(key, out int register))
        {
            register = _names.Count;
            _names.Add(name);
            table.Add(key, register);
        }

        return register;
    }

    private int Place(StateSpace space)
    {
        int address = 0;
        foreach (PtxVariable variable in _variables.Values)
        {
            if (variable.Space == space)
            {
                address = (address + variable.Alignment - 1) / variable.Alignment * variable.Alignment;
                variable.Address = (ulong)address;
                address += (int)variable.Size;
            }
        }

        return (address + 15) / 16 * 16;
    }
}
