using System.Numerics;
using System.Reflection;

namespace LinearCald.Gpu.Tests.Language.Generated;

/// <summary>Programs at random: typed expressions, structured control flow, loops that end.</summary>
internal sealed class ProgramGenerator(int seed, int size)
{
    public const int Variables = 3;
    public const int Arrays = 2;
    public const int ArrayLength = 4;
    public const int Structs = 2;
    public const int MaximumDepth = 3;

    private static readonly (MethodInfo Method, NumberKind Kind, NumberKind[] Arguments)[] s_functions =
    [
        Function(typeof(Math), "Max", NumberKind.Int, NumberKind.Int, NumberKind.Int),
        Function(typeof(Math), "Min", NumberKind.UInt, NumberKind.UInt, NumberKind.UInt),
        Function(typeof(Math), "Max", NumberKind.Long, NumberKind.Long, NumberKind.Long),
        Function(typeof(MathF), "Min", NumberKind.Float, NumberKind.Float, NumberKind.Float),
        Function(typeof(Math), "Max", NumberKind.Double, NumberKind.Double, NumberKind.Double),
        Function(typeof(MathF), "Abs", NumberKind.Float, NumberKind.Float),
        Function(typeof(MathF), "Sqrt", NumberKind.Float, NumberKind.Float),
        Function(typeof(Math), "Sqrt", NumberKind.Double, NumberKind.Double),
        Function(typeof(MathF), "Floor", NumberKind.Float, NumberKind.Float),
        Function(typeof(Math), "Round", NumberKind.Double, NumberKind.Double),
        Function(typeof(MathF), "FusedMultiplyAdd", NumberKind.Float, NumberKind.Float, NumberKind.Float, NumberKind.Float),
        Function(typeof(GpuMath), "Fma", NumberKind.Double, NumberKind.Double, NumberKind.Double, NumberKind.Double),
        Function(typeof(GpuMath), "Exp", NumberKind.Float, NumberKind.Float),
        Function(typeof(GpuMath), "Log", NumberKind.Float, NumberKind.Float),
        Function(typeof(GpuMath), "Erf", NumberKind.Float, NumberKind.Float),
        Function(typeof(BitOperations), "PopCount", NumberKind.Int, NumberKind.UInt),
        Function(typeof(BitOperations), "LeadingZeroCount", NumberKind.Int, NumberKind.UInt),
        Function(typeof(BitOperations), "TrailingZeroCount", NumberKind.Int, NumberKind.Int),
        Function(typeof(BitOperations), "Log2", NumberKind.Int, NumberKind.UInt),
        Function(typeof(BitOperations), "RotateLeft", NumberKind.UInt, NumberKind.UInt, NumberKind.Int),
        Function(typeof(BitConverter), "Int32BitsToSingle", NumberKind.Float, NumberKind.Int),
        Function(typeof(BitConverter), "UInt32BitsToSingle", NumberKind.Float, NumberKind.UInt),
    ];

    private static readonly double[] s_reals = [0, -0.0, 1, -1, 0.5, 1.5, 3e9, -1e20, 1e-40, double.PositiveInfinity, double.NaN, 16777217, 0.1];
    private static readonly long[] s_wholes = [0, 1, -1, 2, 7, 16, 255, 1000003, int.MaxValue, int.MinValue, 1L << 40, long.MinValue];

    private readonly Random _random = new(seed);
    private int _budget = size;

    // Loops around the statement that is being made.
    private int _loops;

    public Block Make() => Body(0);

    private static (MethodInfo, NumberKind, NumberKind[]) Function(Type type, string name, NumberKind result, params NumberKind[] arguments) =>
        (type.GetMethod(name, [.. arguments.Select(ProgramEmitter.TypeOf)])!, result, arguments);

    private Block Body(int depth)
    {
        List<Statement> list = [];
        int count = 1 + _random.Next(4);
        for (int i = 0; i < count; i++)
        {
            if (_budget-- <= 0 && list.Count > 0)
                break;

            list.Add(Statement(depth));
            if (list[^1] is Jump)
                break;
        }

        return new Block([.. list]);
    }

    private Statement Statement(int depth)
    {
        int choice = depth < 5 && _budget > 0 ? _random.Next(20) : _random.Next(10);
        return choice switch
        {
            < 5 => AssignVariable(),
            < 7 => new Assign(new Element(_random.Next(Arrays), Index()), Expression(NumberKind.Int, 3)),
            < 8 => AssignField(),
            8 => new CopyStruct(_random.Next(Structs), _random.Next(Structs)),
            9 when depth > 0 && _random.Next(3) == 0 => new Jump(_loops == 0 || _random.Next(6) == 0 ? "return" : _random.Next(2) == 0 ? "break" : "continue"),
            9 => AssignVariable(),
            < 14 => new If(Condition(), Body(depth + 1), _random.Next(2) == 0 ? new Block([]) : Body(depth + 1)),
            < 18 when _loops < MaximumDepth => Loop(depth),
            < 18 => AssignVariable(),
            _ => new Switch(Expression(NumberKind.Int, 2), [.. Enumerable.Range(0, 2 + _random.Next(3)).Select(_ => Body(depth + 1))]),
        };
    }

    private Assign AssignVariable()
    {
        NumberKind kind = Kind();
        return new Assign(new Variable(kind, _random.Next(Variables)), Expression(kind, 4));
    }

    private Assign AssignField()
    {
        FieldOf field = Field();
        return new Assign(field, Expression(field.Kind, 3));
    }

    private CountedLoop Loop(int depth)
    {
        bool known = _random.Next(2) == 0;
        int index = _loops;
        Expression bound = known ? new Constant(NumberKind.Int, _random.Next(ArrayLength + 1)) : Expression(NumberKind.Int, 2);
        _loops++;
        Block body = Body(depth + 1);
        _loops--;
        return new CountedLoop(index, known || _random.Next(2) == 0, bound, body);
    }

    /// <summary>Always a constant: a loop whose counter indexed registers would have to unroll, and a jump out of it forbids that.</summary>
    private Constant Index() => new(NumberKind.Int, _random.Next(ArrayLength));

    private NumberKind Kind() => (NumberKind)_random.Next(5);

    private FieldOf Field() => _random.Next(4) switch
    {
        0 => new FieldOf(NumberKind.Int, _random.Next(Structs), nameof(Mixed.Whole)),
        1 => new FieldOf(NumberKind.Float, _random.Next(Structs), nameof(Mixed.Real)),
        2 => new FieldOf(NumberKind.Long, _random.Next(Structs), nameof(Mixed.Wide)),
        _ => new FieldOf(NumberKind.Int, _random.Next(Structs), nameof(Mixed.Small)),
    };

    private Expression Condition() => _random.Next(4) == 0 ? Expression(NumberKind.Int, 2) : Comparison(2);

    private Comparison Comparison(int depth)
    {
        NumberKind kind = Kind();
        string[] operators = ["<", "<=", ">", ">=", "==", "!="];
        return new Comparison(operators[_random.Next(operators.Length)], Expression(kind, depth - 1), Expression(kind, depth - 1));
    }

    private Expression Expression(NumberKind kind, int depth)
    {
        if (depth <= 0 || _random.Next(5) == 0)
        {
            return Leaf(kind);
        }

        bool real = kind is NumberKind.Float or NumberKind.Double;
        switch (_random.Next(12))
        {
            case 0:
                return new Unary(real || _random.Next(2) == 0 ? "-" : "~", Expression(kind, depth - 1));
            case 1:
                return new Conditional(Condition(), Expression(kind, depth - 1), Expression(kind, depth - 1));
            case 2 or 3:
                return new Cast(kind, Expression(Kind(), depth - 1));
            case 4 when kind == NumberKind.Int:
                return Comparison(depth);
            case 4 or 5 or 6:
                (MethodInfo Method, NumberKind Kind, NumberKind[] Arguments)[] fitting = [.. s_functions.Where(f => f.Kind == kind)];
                (MethodInfo method, _, NumberKind[] arguments) = fitting[_random.Next(fitting.Length)];
                return new Call(method, kind, [.. arguments.Select(a => Expression(a, depth - 1))]);
            default:
                string[] operators = real ? ["+", "-", "*", "/"] : ["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"];
                string chosen = operators[_random.Next(operators.Length)];
                return new Binary(chosen, Expression(kind, depth - 1), Expression(chosen is "<<" or ">>" ? NumberKind.Int : kind, depth - 1));
        }
    }

    private Expression Leaf(NumberKind kind)
    {
        switch (_random.Next(6))
        {
            case 0:
                return kind switch
                {
                    NumberKind.Float or NumberKind.Double => new Constant(kind, BitConverter.DoubleToInt64Bits(s_reals[_random.Next(s_reals.Length)])),
                    _ => new Constant(kind, s_wholes[_random.Next(s_wholes.Length)]),
                };
            case 1 when kind == NumberKind.Int && _loops > 0:
                return new Counter(_random.Next(_loops));
            case 2 when kind == NumberKind.Int:
                return new Element(_random.Next(Arrays), Index());
            case 3 when Field() is { } field && field.Kind == kind:
                return field;
            default:
                return new Variable(kind, _random.Next(Variables));
        }
    }
}
