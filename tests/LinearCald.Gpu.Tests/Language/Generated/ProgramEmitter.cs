using System.Reflection;
using System.Reflection.Emit;

namespace LinearCald.Gpu.Tests.Language.Generated;

/// <summary>
/// A program as IL in a loaded assembly: <see cref="Function"/>, which the test calls, and <see cref="Kernel"/>, which calls it for every thread. Both
/// are read by the compiler as any other method.
/// </summary>
internal sealed class ProgramEmitter
{
    private static readonly NumberKind[] s_kinds = Enum.GetValues<NumberKind>();
    private readonly ILGenerator _il;
    private readonly LocalBuilder[,] _variables;
    private readonly LocalBuilder[] _arrays;
    private readonly LocalBuilder[] _structs;
    private readonly LocalBuilder[] _counters;
    private readonly LocalBuilder[] _bounds;
    private readonly Stack<(Label Break, Label Continue)> _loops = new();
    private readonly Label _exit;

    private ProgramEmitter(ILGenerator il)
    {
        _il = il;
        _exit = il.DefineLabel();
        _variables = new LocalBuilder[s_kinds.Length, ProgramGenerator.Variables];
        foreach (NumberKind kind in s_kinds)
        {
            for (int i = 0; i < ProgramGenerator.Variables; i++)
                _variables[(int)kind, i] = il.DeclareLocal(TypeOf(kind));
        }

        _arrays = [.. Enumerable.Range(0, ProgramGenerator.Arrays).Select(_ => il.DeclareLocal(typeof(Registers<int, N4>)))];
        _structs = [.. Enumerable.Range(0, ProgramGenerator.Structs).Select(_ => il.DeclareLocal(typeof(Mixed)))];
        _counters = [.. Enumerable.Range(0, ProgramGenerator.MaximumDepth).Select(_ => il.DeclareLocal(typeof(int)))];
        _bounds = [.. Enumerable.Range(0, ProgramGenerator.MaximumDepth).Select(_ => il.DeclareLocal(typeof(int)))];
    }

    public delegate long Function(int a, uint b, long c, float d, double e);

    public static Type TypeOf(NumberKind kind) => kind switch
    {
        NumberKind.Int => typeof(int),
        NumberKind.UInt => typeof(uint),
        NumberKind.Long => typeof(long),
        NumberKind.Float => typeof(float),
        _ => typeof(double),
    };

    public static (Function Function, Kernel Kernel) Build(Block program)
    {
        PersistedAssemblyBuilder assembly = new(new AssemblyName("Generated"), typeof(object).Assembly);
        TypeBuilder type = assembly.DefineDynamicModule("Generated").DefineType("Generated", TypeAttributes.Public | TypeAttributes.Sealed | TypeAttributes.Abstract);
        Type[] parameters = [.. s_kinds.Select(TypeOf)];
        MethodBuilder function = type.DefineMethod("Function", MethodAttributes.Public | MethodAttributes.Static, typeof(long), parameters);

        // Run as written: .NET 10's optimiser was seen to decide 0 != (0 != RotateLeft(x, 1) ? 0 : 7) wrongly.
        function.SetImplementationFlags(MethodImplAttributes.IL | MethodImplAttributes.NoOptimization);
        new ProgramEmitter(function.GetILGenerator()).Method(program);

        Type[] views = [.. parameters.Select(p => typeof(ReadOnlyView<>).MakeGenericType(p)), typeof(View<long>)];
        MethodBuilder kernel = type.DefineMethod("Kernel", MethodAttributes.Public | MethodAttributes.Static, typeof(void), views);
        ILGenerator il = kernel.GetILGenerator();
        MethodInfo thread = typeof(Group).GetProperty(nameof(Group.Thread))!.GetMethod!;
        il.Emit(OpCodes.Ldarga_S, (byte)parameters.Length);
        il.Emit(OpCodes.Call, thread);
        for (int i = 0; i < parameters.Length; i++)
        {
            il.Emit(OpCodes.Ldarga_S, (byte)i);
            il.Emit(OpCodes.Call, thread);
            il.Emit(OpCodes.Call, views[i].GetMethod("get_Item", [typeof(int)])!);
        }

        il.Emit(OpCodes.Call, function);
        il.Emit(OpCodes.Call, typeof(View<long>).GetMethod("set_Item", [typeof(int), typeof(long)])!);
        il.Emit(OpCodes.Ret);
        type.CreateType();
        using MemoryStream stream = new();
        assembly.Save(stream);
        Type loaded = Assembly.Load(stream.ToArray()).GetType("Generated")!;
        return (loaded.GetMethod("Function")!.CreateDelegate<Function>(), Gpu.Kernel.Of(loaded.GetMethod("Kernel")!));
    }

    private void Method(Block program)
    {
        foreach (NumberKind kind in s_kinds)
        {
            _il.Emit(OpCodes.Ldarg, (short)(int)kind);
            _il.Emit(OpCodes.Stloc, _variables[(int)kind, 0]);
        }

        // The rest starts at zero, as the C# compiler would see to; registers too.
        foreach (NumberKind kind in s_kinds)
        {
            for (int i = 1; i < ProgramGenerator.Variables; i++)
            {
                Load(new Constant(kind, 0));
                _il.Emit(OpCodes.Stloc, _variables[(int)kind, i]);
            }
        }

        foreach (LocalBuilder counter in _counters)
        {
            Load(new Constant(NumberKind.Int, 0));
            _il.Emit(OpCodes.Stloc, counter);
        }

        foreach (LocalBuilder local in _arrays.Concat(_structs))
        {
            _il.Emit(OpCodes.Ldloca, local);
            _il.Emit(OpCodes.Initobj, local.LocalType);
        }

        Statements(program);
        _il.MarkLabel(_exit);
        _il.Emit(OpCodes.Ldc_I8, 17L);
        foreach (Expression part in Results())
        {
            _il.Emit(OpCodes.Ldc_I8, 1000003L);
            _il.Emit(OpCodes.Mul);
            Value(part);
            if (part.Kind is NumberKind.Float or NumberKind.Double)
            {
                _il.Emit(OpCodes.Call, typeof(Observed).GetMethod(nameof(Observed.Of), [TypeOf(part.Kind)])!);
            }
            else
            {
                _il.Emit(OpCodes.Conv_I8);
            }

            _il.Emit(OpCodes.Add);
        }

        _il.Emit(OpCodes.Ret);
    }

    private static IEnumerable<Expression> Results()
    {
        foreach (NumberKind kind in s_kinds)
        {
            for (int i = 0; i < ProgramGenerator.Variables; i++)
                yield return new Variable(kind, i);
        }

        for (int array = 0; array < ProgramGenerator.Arrays; array++)
        {
            for (int i = 0; i < ProgramGenerator.ArrayLength; i++)
                yield return new Element(array, new Constant(NumberKind.Int, i));
        }

        for (int i = 0; i < ProgramGenerator.Structs; i++)
        {
            yield return new FieldOf(NumberKind.Int, i, nameof(Mixed.Whole));
            yield return new FieldOf(NumberKind.Float, i, nameof(Mixed.Real));
            yield return new FieldOf(NumberKind.Long, i, nameof(Mixed.Wide));
            yield return new FieldOf(NumberKind.Int, i, nameof(Mixed.Small));
        }
    }

    private void Statements(Block block)
    {
        foreach (Statement statement in block.Statements)
            Statement(statement);
    }

    private void Statement(Statement statement)
    {
        switch (statement)
        {
            case Assign { Target: Variable v } a:
                Value(a.Value);
                _il.Emit(OpCodes.Stloc, _variables[(int)v.Kind, v.Index]);
                break;
            case Assign { Target: Element e } a:
                _il.Emit(OpCodes.Ldloca, _arrays[e.Array]);
                Value(e.Index);
                Value(a.Value);
                _il.Emit(OpCodes.Call, typeof(Registers<int, N4>).GetMethod("set_Item")!);
                break;
            case Assign { Target: FieldOf f } a:
                _il.Emit(OpCodes.Ldloca, _structs[f.Struct]);
                Value(a.Value);
                _il.Emit(OpCodes.Stfld, typeof(Mixed).GetField(f.Name)!);
                break;
            case CopyStruct c:
                _il.Emit(OpCodes.Ldloc, _structs[c.From]);
                _il.Emit(OpCodes.Stloc, _structs[c.To]);
                break;
            case If i:
                Label otherwise = _il.DefineLabel();
                Label end = _il.DefineLabel();
                Value(i.Condition);
                _il.Emit(OpCodes.Brfalse, otherwise);
                Statements(i.Then);
                _il.Emit(OpCodes.Br, end);
                _il.MarkLabel(otherwise);
                Statements(i.Else);
                _il.MarkLabel(end);
                break;
            case CountedLoop l:
                Loop(l);
                break;
            case Switch s:
                Cases(s);
                break;
            case Jump { Kind: "return" } or Jump when _loops.Count == 0:
                _il.Emit(OpCodes.Br, _exit);
                break;
            case Jump j:
                _il.Emit(OpCodes.Br, j.Kind == "break" ? _loops.Peek().Break : _loops.Peek().Continue);
                break;
        }
    }

    private void Loop(CountedLoop loop)
    {
        Label body = _il.DefineLabel();
        Label test = _il.DefineLabel();
        Label next = _il.DefineLabel();
        Label end = _il.DefineLabel();
        bool known = loop.Bound is Constant;
        if (!known)
        {
            Value(loop.Bound);
            _il.Emit(OpCodes.Ldc_I4_7);
            _il.Emit(OpCodes.And);
            _il.Emit(OpCodes.Stloc, _bounds[loop.Depth]);
        }

        _il.Emit(OpCodes.Ldc_I4_0);
        _il.Emit(OpCodes.Stloc, _counters[loop.Depth]);
        if (loop.TestFirst)
        {
            _il.Emit(OpCodes.Br, test);
        }

        _il.MarkLabel(body);
        _loops.Push((end, next));
        Statements(loop.Body);
        _loops.Pop();
        _il.MarkLabel(next);
        _il.Emit(OpCodes.Ldloc, _counters[loop.Depth]);
        _il.Emit(OpCodes.Ldc_I4_1);
        _il.Emit(OpCodes.Add);
        _il.Emit(OpCodes.Stloc, _counters[loop.Depth]);
        _il.MarkLabel(test);
        _il.Emit(OpCodes.Ldloc, _counters[loop.Depth]);
        if (known)
        {
            _il.Emit(OpCodes.Ldc_I4, (int)((Constant)loop.Bound).Bits);
        }
        else
        {
            _il.Emit(OpCodes.Ldloc, _bounds[loop.Depth]);
        }

        _il.Emit(OpCodes.Blt, body);
        _il.MarkLabel(end);
    }

    private void Cases(Switch statement)
    {
        Label[] labels = [.. statement.Cases.Select(_ => _il.DefineLabel())];
        Label end = _il.DefineLabel();
        Value(statement.Selector);
        _il.Emit(OpCodes.Ldc_I4_3);
        _il.Emit(OpCodes.And);
        _il.Emit(OpCodes.Switch, labels);
        _il.Emit(OpCodes.Br, end);
        for (int i = 0; i < labels.Length; i++)
        {
            _il.MarkLabel(labels[i]);
            Statements(statement.Cases[i]);
            _il.Emit(OpCodes.Br, end);
        }

        _il.MarkLabel(end);
    }

    private void Value(Expression expression)
    {
        switch (expression)
        {
            case Constant c:
                Load(c);
                break;
            case Variable v:
                _il.Emit(OpCodes.Ldloc, _variables[(int)v.Kind, v.Index]);
                break;
            case Counter c:
                _il.Emit(OpCodes.Ldloc, _counters[c.Depth]);
                break;
            case Element e:
                _il.Emit(OpCodes.Ldloca, _arrays[e.Array]);
                Value(e.Index);
                _il.Emit(OpCodes.Call, typeof(Registers<int, N4>).GetMethod("get_Item")!);
                break;
            case FieldOf f:
                _il.Emit(OpCodes.Ldloca, _structs[f.Struct]);
                _il.Emit(OpCodes.Ldfld, typeof(Mixed).GetField(f.Name)!);
                break;
            case Unary u:
                Value(u.Operand);
                _il.Emit(u.Operator == "-" ? OpCodes.Neg : OpCodes.Not);
                break;
            case Binary b:
                Operation(b);
                break;
            case Comparison c:
                Compare(c);
                break;
            case Conditional c:
                Label otherwise = _il.DefineLabel();
                Label end = _il.DefineLabel();
                Value(c.Condition);
                _il.Emit(OpCodes.Brfalse, otherwise);
                Value(c.WhenTrue);
                _il.Emit(OpCodes.Br, end);
                _il.MarkLabel(otherwise);
                Value(c.WhenFalse);
                _il.MarkLabel(end);
                break;
            case Cast c:
                Convert(c);
                break;
            case Call c:
                foreach (Expression argument in c.Arguments)
                    Value(argument);

                _il.Emit(OpCodes.Call, c.Method);
                break;
        }
    }

    private void Load(Constant constant)
    {
        switch (constant.Kind)
        {
            case NumberKind.Int or NumberKind.UInt:
                _il.Emit(OpCodes.Ldc_I4, (int)constant.Bits);
                break;
            case NumberKind.Long:
                _il.Emit(OpCodes.Ldc_I8, constant.Bits);
                break;
            case NumberKind.Float:
                _il.Emit(OpCodes.Ldc_R4, (float)BitConverter.Int64BitsToDouble(constant.Bits));
                break;
            default:
                _il.Emit(OpCodes.Ldc_R8, BitConverter.Int64BitsToDouble(constant.Bits));
                break;
        }
    }

    private void Operation(Binary b)
    {
        Value(b.Left);
        Value(b.Right);
        bool unsigned = b.Kind == NumberKind.UInt;
        bool real = b.Kind is NumberKind.Float or NumberKind.Double;
        if (!real && b.Operator is "/" or "%")
        {
            // Divisors are 1 … 255: neither zero, nor −1 under the least number.
            Load(new Constant(b.Kind, 255));
            _il.Emit(OpCodes.And);
            Load(new Constant(b.Kind, 1));
            _il.Emit(OpCodes.Or);
        }
        else if (b.Operator is "<<" or ">>")
        {
            _il.Emit(OpCodes.Ldc_I4, b.Kind == NumberKind.Long ? 63 : 31);
            _il.Emit(OpCodes.And);
        }

        _il.Emit(b.Operator switch
        {
            "+" => OpCodes.Add,
            "-" => OpCodes.Sub,
            "*" => OpCodes.Mul,
            "/" => unsigned ? OpCodes.Div_Un : OpCodes.Div,
            "%" => unsigned ? OpCodes.Rem_Un : OpCodes.Rem,
            "&" => OpCodes.And,
            "|" => OpCodes.Or,
            "^" => OpCodes.Xor,
            "<<" => OpCodes.Shl,
            _ => unsigned ? OpCodes.Shr_Un : OpCodes.Shr,
        });
    }

    /// <summary>As the C# compiler does: the converse of the opposite comparison, unordered for floats.</summary>
    private void Compare(Comparison c)
    {
        Value(c.Left);
        Value(c.Right);
        bool unsigned = c.Left.Kind == NumberKind.UInt;
        bool real = c.Left.Kind is NumberKind.Float or NumberKind.Double;
        bool negate = c.Operator is "<=" or ">=" or "!=";
        bool un = c.Operator is "<=" or ">=" ? unsigned != real : unsigned;
        _il.Emit(c.Operator switch
        {
            "<" or ">=" => un ? OpCodes.Clt_Un : OpCodes.Clt,
            ">" or "<=" => un ? OpCodes.Cgt_Un : OpCodes.Cgt,
            _ => OpCodes.Ceq,
        });
        if (negate)
        {
            _il.Emit(OpCodes.Ldc_I4_0);
            _il.Emit(OpCodes.Ceq);
        }
    }

    private void Convert(Cast cast)
    {
        Value(cast.Operand);
        bool unsigned = cast.Operand.Kind == NumberKind.UInt;
        switch (cast.Kind)
        {
            case NumberKind.Int:
                _il.Emit(OpCodes.Conv_I4);
                break;
            case NumberKind.UInt:
                _il.Emit(OpCodes.Conv_U4);
                break;
            case NumberKind.Long:
                _il.Emit(unsigned ? OpCodes.Conv_U8 : OpCodes.Conv_I8);
                break;
            default:
                if (unsigned)
                {
                    _il.Emit(OpCodes.Conv_R_Un);
                }

                _il.Emit(cast.Kind == NumberKind.Float ? OpCodes.Conv_R4 : OpCodes.Conv_R8);
                break;
        }
    }
}
