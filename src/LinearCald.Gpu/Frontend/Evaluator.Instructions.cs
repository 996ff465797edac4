using System.Reflection;
using System.Reflection.Metadata;
using LinearCald.Gpu.Frontend.Il;
using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Frontend;

internal sealed partial class Evaluator
{
    private void Push(Value value)
    {
        if (_top == _stack.Length)
        {
            Array.Resize(ref _stack, _stack.Length * 2);
        }

        _stack[_top++] = value;
    }

    private Value Pop() => _stack[--_top];

    /// <summary>Runs one basic block on the current path.</summary>
    private void RunBlock(Frame frame, IlBlock block)
    {
        int bottom = _top;
        foreach (Value value in _edge!.Stack)
            Push(value);

        _edge.Stack = [];
        IReadOnlyList<IlInstruction> instructions = block.Instructions;
        Evaluated += instructions.Count;
        for (int i = 0; i < instructions.Count; i++)
        {
            IlInstruction instruction = instructions[i];
            frame.Offset = instruction.Offset;
            ILOpCode code = (ILOpCode)(ushort)instruction.OpCode.Value;
            switch (code)
            {
                case ILOpCode.Nop:
                    break;
                case ILOpCode.Br or ILOpCode.Ret or ILOpCode.Throw or ILOpCode.Brtrue or ILOpCode.Brfalse or ILOpCode.Switch
                    or ILOpCode.Beq or ILOpCode.Bge or ILOpCode.Bgt or ILOpCode.Ble or ILOpCode.Blt
                    or ILOpCode.Bne_un or ILOpCode.Bge_un or ILOpCode.Bgt_un or ILOpCode.Ble_un or ILOpCode.Blt_un:
                    Leave(frame, block, code, bottom);
                    return;
                case ILOpCode.Call or ILOpCode.Callvirt or ILOpCode.Newobj:
                    if (!Invoke(instruction, code == ILOpCode.Newobj))
                    {
                        _top = bottom;
                        return;
                    }

                    break;
                case ILOpCode.Conv_r_un:
                    // The next instruction says to which float.
                    bool single = i + 1 < instructions.Count && (ILOpCode)(ushort)instructions[i + 1].OpCode.Value == ILOpCode.Conv_r4;
                    Push(single ? Arithmetic.ToFloat32(Pop(), true) : Arithmetic.ToFloat64(Pop(), true));
                    break;
                default:
                    Step(frame, instruction, code);
                    break;
            }
        }

        SaveStack(bottom);
        Go(frame, block.Successors[0]);
    }

    /// <summary>The instruction that ends a block.</summary>
    private void Leave(Frame frame, IlBlock block, ILOpCode code, int bottom)
    {
        switch (code)
        {
            case ILOpCode.Br:
                SaveStack(bottom);
                Go(frame, block.Successors[0]);
                return;
            case ILOpCode.Ret:
                SaveStack(bottom);
                frame.Returns.Add(_edge!);
                _edge = null;
                return;
            case ILOpCode.Throw:
                _top = bottom;
                Code.Current.Exit = Exit.Trap;
                _edge = null;
                return;
            case ILOpCode.Switch:
                Value number = Pop();
                SaveStack(bottom);
                Switch(frame, number, [.. block.Successors.SkipLast(1)], block.Successors[^1]);
                return;
            case ILOpCode.Brtrue:
                Value condition = Pop();
                SaveStack(bottom);
                Branch(frame, condition, block.Successors[0], block.Successors[1]);
                return;
            case ILOpCode.Brfalse:
                condition = Pop();
                SaveStack(bottom);
                Branch(frame, condition, block.Successors[1], block.Successors[0]);
                return;
            default:
                Value b = Pop();
                Value a = Pop();
                (Comparison comparison, bool un) = ComparisonOf(code);
                SaveStack(bottom);
                Branch(frame, Arithmetic.Compare(comparison, a, b, un), block.Successors[0], block.Successors[1]);
                return;
        }
    }

    private static (Comparison Comparison, bool Un) ComparisonOf(ILOpCode code) => code switch
    {
        ILOpCode.Beq => (Comparison.Equal, false),
        ILOpCode.Bne_un => (Comparison.NotEqual, true),
        ILOpCode.Blt => (Comparison.Less, false),
        ILOpCode.Blt_un => (Comparison.Less, true),
        ILOpCode.Ble => (Comparison.LessOrEqual, false),
        ILOpCode.Ble_un => (Comparison.LessOrEqual, true),
        ILOpCode.Bgt => (Comparison.Greater, false),
        ILOpCode.Bgt_un => (Comparison.Greater, true),
        ILOpCode.Bge => (Comparison.GreaterOrEqual, false),
        _ => (Comparison.GreaterOrEqual, true),
    };

    /// <summary>A call; false if the path ends in it.</summary>
    private bool Invoke(in IlInstruction instruction, bool construct)
    {
        MethodBase callee = (MethodBase)instruction.Operand!;
        CallTarget target = Resolve(callee, instruction.Constrained);
        int count = target.ParameterCount + (target.HasThis || (!construct && callee.IsConstructor) ? 1 : 0);
        if (!construct && target.HasThis && callee.DeclaringType!.IsInterface && instruction.Constrained is null && _stack[_top - count] is LocalRef receiver)
        {
            // A default interface method calls on its own 'this'.
            target = Resolve(callee, receiver.Layout.Type);
        }

        _top -= count;
        Value[] arguments = count == 0 ? [] : _stack.AsSpan(_top, count).ToArray();
        Value? result = construct ? Construct(target, arguments) : Call(target, arguments);
        if (_edge is null)
        {
            return false;
        }

        if (result is not null)
        {
            Push(result);
        }

        return true;
    }

    private void Step(Frame frame, in IlInstruction instruction, ILOpCode code)
    {
        switch (code)
        {
            case ILOpCode.Ldc_i4:
                Push(Known.Of((int)instruction.Operand!));
                return;
            case ILOpCode.Ldc_i8:
                Push(Known.Of((long)instruction.Operand!));
                return;
            case ILOpCode.Ldc_r4:
                Push(Known.Of((float)instruction.Operand!));
                return;
            case ILOpCode.Ldc_r8:
                Push(Known.Of((double)instruction.Operand!));
                return;
            case ILOpCode.Ldnull:
                Push(Null.Instance);
                return;
            case ILOpCode.Ldarg or ILOpCode.Ldloc:
                MethodPlan.Variable variable = VariableOf(frame, code == ILOpCode.Ldarg, instruction);
                Push(ReadSlot(frame.Base + variable.Slot, variable.Layout));
                return;
            case ILOpCode.Ldarga or ILOpCode.Ldloca:
                variable = VariableOf(frame, code == ILOpCode.Ldarga, instruction);
                Push(new LocalRef(frame.Base + variable.Slot, variable.Layout));
                return;
            case ILOpCode.Starg or ILOpCode.Stloc:
                variable = VariableOf(frame, code == ILOpCode.Starg, instruction);
                WriteSlot(frame.Base + variable.Slot, variable.Layout, Pop());
                return;
            case ILOpCode.Dup:
                Push(_stack[_top - 1]);
                return;
            case ILOpCode.Pop:
                Pop();
                return;
            case ILOpCode.Ldfld:
                Push(Field(Pop(), (FieldInfo)instruction.Operand!));
                return;
            case ILOpCode.Ldflda:
                FieldInfo member = (FieldInfo)instruction.Operand!;
                Push(Pop() is var whole && whole is ConstantRef constant ? new ConstantRef(Field(constant.Value, member)) : FieldReference(whole, member));
                return;
            case ILOpCode.Stfld:
                Value value = Pop();
                LocalRef target = FieldReference(Pop(), (FieldInfo)instruction.Operand!);
                WriteSlot(target.Slot, target.Layout, value);
                return;
            case ILOpCode.Ldsfld:
                Push(Constant((FieldInfo)instruction.Operand!));
                return;
            case ILOpCode.Ldsflda:
                Push(new ConstantRef(Constant((FieldInfo)instruction.Operand!)));
                return;
            case ILOpCode.Box when InlinedLibrary.Contains(frame.Method):
                Push(new Boxed(Pop(), (Type)instruction.Operand!));
                return;
            case ILOpCode.Unbox_any when _stack[_top - 1] is Boxed boxed && boxed.Type == (Type)instruction.Operand!:
                Pop();
                Push(boxed.Value);
                return;
            case ILOpCode.Sizeof:
                Push(Known.Of(TypeLayout.Of((Type)instruction.Operand!).Size));
                return;
            case ILOpCode.Ldtoken when instruction.Operand is Type type:
                Push(new TypeToken(type));
                return;
            case ILOpCode.Ldtoken when instruction.Operand is FieldInfo data:
                Push(new TableRef(ConstantTable.Of(data), 0));
                return;
            case ILOpCode.Ldstr:
                Push(TextToken.Instance);
                return;
            case ILOpCode.Initobj:
                LocalRef cleared = Reference(Pop(), "initobj");
                Clear(cleared.Slot, cleared.Layout);
                return;
            case ILOpCode.Ldobj or ILOpCode.Ldind_i or ILOpCode.Ldind_i1 or ILOpCode.Ldind_i2 or ILOpCode.Ldind_i4 or ILOpCode.Ldind_i8
                or ILOpCode.Ldind_u1 or ILOpCode.Ldind_u2 or ILOpCode.Ldind_u4 or ILOpCode.Ldind_r4 or ILOpCode.Ldind_r8 or ILOpCode.Ldind_ref:
                Value place = Pop();
                if (place is ConstantRef fixedPlace)
                {
                    Push(fixedPlace.Value);
                    return;
                }

                LocalRef source = Reference(place, "a read through it");
                Push(ReadSlot(source.Slot, source.Layout));
                return;
            case ILOpCode.Stobj or ILOpCode.Stind_i or ILOpCode.Stind_i1 or ILOpCode.Stind_i2 or ILOpCode.Stind_i4 or ILOpCode.Stind_i8
                or ILOpCode.Stind_r4 or ILOpCode.Stind_r8 or ILOpCode.Stind_ref:
                value = Pop();
                target = Reference(Pop(), "a write through it");
                WriteSlot(target.Slot, target.Layout, value);
                return;
            case ILOpCode.Cpobj:
                source = Reference(Pop(), "a copy");
                target = Reference(Pop(), "a copy");
                WriteSlot(target.Slot, target.Layout, ReadSlot(source.Slot, source.Layout));
                return;
            case ILOpCode.Ceq:
                Compare(Comparison.Equal, false);
                return;
            case ILOpCode.Clt or ILOpCode.Clt_un:
                Compare(Comparison.Less, code == ILOpCode.Clt_un);
                return;
            case ILOpCode.Cgt or ILOpCode.Cgt_un:
                Compare(Comparison.Greater, code == ILOpCode.Cgt_un);
                return;
            default:
                Push(Compute(code));
                return;
        }
    }

    private Value Compute(ILOpCode code)
    {
        // Before anything is popped: an unknown instruction may have no operands.
        if (code is not ((>= ILOpCode.Add and <= ILOpCode.Conv_u8) or ILOpCode.Conv_u1 or ILOpCode.Conv_u2 or ILOpCode.Conv_i or ILOpCode.Conv_u))
        {
            throw Refuse(Unsupported(code));
        }

        Value b = Pop();
        switch (code)
        {
            case ILOpCode.Neg:
                return Arithmetic.Negate(b);
            case ILOpCode.Not:
                return Arithmetic.Not(b);
            case ILOpCode.Conv_i1:
                return Arithmetic.Narrow(b, LeafKind.Int8);
            case ILOpCode.Conv_u1:
                return Arithmetic.Narrow(b, LeafKind.UInt8);
            case ILOpCode.Conv_i2:
                return Arithmetic.Narrow(b, LeafKind.Int16);
            case ILOpCode.Conv_u2:
                return Arithmetic.Narrow(b, LeafKind.UInt16);
            case ILOpCode.Conv_i4 or ILOpCode.Conv_u4:
                return Arithmetic.ToInt32(b, code == ILOpCode.Conv_u4);
            case ILOpCode.Conv_i8 or ILOpCode.Conv_i:
                return Arithmetic.ToInt64(b, false);
            case ILOpCode.Conv_u8 or ILOpCode.Conv_u:
                return b is LocalRef ? b : Arithmetic.ToInt64(b, true);
            case ILOpCode.Conv_r4:
                return Arithmetic.ToFloat32(b, false);
            case ILOpCode.Conv_r8:
                return Arithmetic.ToFloat64(b, false);
        }

        Value a = Pop();
        return code switch
        {
            ILOpCode.Add => Arithmetic.Add(a, b),
            ILOpCode.Sub => Arithmetic.Subtract(a, b),
            ILOpCode.Mul => Arithmetic.Multiply(a, b),
            ILOpCode.Div => Arithmetic.Divide(a, b, false),
            ILOpCode.Div_un => Arithmetic.Divide(a, b, true),
            ILOpCode.Rem => Arithmetic.Remainder(a, b, false),
            ILOpCode.Rem_un => Arithmetic.Remainder(a, b, true),
            ILOpCode.And => Arithmetic.And(a, b),
            ILOpCode.Or => Arithmetic.Or(a, b),
            ILOpCode.Xor => Arithmetic.Xor(a, b),
            ILOpCode.Shl => Arithmetic.ShiftLeft(a, b),
            ILOpCode.Shr => Arithmetic.ShiftRight(a, b, false),
            ILOpCode.Shr_un => Arithmetic.ShiftRight(a, b, true),
            _ => throw Refuse(Unsupported(code)),
        };
    }

    private static string Unsupported(ILOpCode code)
    {
        string name = code.ToString().ToLowerInvariant().Replace('_', '.');
        string remedy = code switch
        {
            ILOpCode.Box or ILOpCode.Unbox or ILOpCode.Unbox_any or ILOpCode.Isinst or ILOpCode.Castclass => "values stay unboxed: use a type parameter with constraints instead of object or an interface",
            ILOpCode.Newarr or ILOpCode.Ldlen or ILOpCode.Ldelem or ILOpCode.Ldelema or ILOpCode.Stelem => "there are no arrays: use Registers<T, TCount> or Shared<T>",
            ILOpCode.Ldftn or ILOpCode.Ldvirtftn or ILOpCode.Calli => "there are no delegates: pass a struct with a static abstract method as a type argument",
            ILOpCode.Localloc => "there is no stackalloc: use Registers<T, TCount> or Shared<T>",
            ILOpCode.Stsfld => "static variables are not reachable: pass values as parameters",
            _ when name.Contains("ovf", StringComparison.Ordinal) => "arithmetic is unchecked: remove 'checked'",
            _ => "the compiler does not know it",
        };
        return $"IL instruction {name}: {remedy}";
    }

    private void Compare(Comparison comparison, bool un)
    {
        Value b = Pop();
        Value a = Pop();
        Push(Arithmetic.Compare(comparison, a, b, un));
    }

    private static MethodPlan.Variable VariableOf(Frame frame, bool argument, in IlInstruction instruction) =>
        (argument ? frame.Plan.Arguments : frame.Plan.Locals)[(int)instruction.Operand!];

    private LocalRef Reference(Value value, string use) => value switch
    {
        LocalRef r => r,
        Undefined => throw Refuse($"{use}: a reference that was never set"),
        Poison p => throw Refuse($"{use}: {p.Reason}; references must be the same on all paths"),
        _ => throw Refuse($"{use}: a {Arithmetic.Describe(value)}; kernels reach memory through the indexers of View, ReadOnlyView and Shared, not by pointers"),
    };

    private LocalRef FieldReference(Value value, FieldInfo field)
    {
        LocalRef r = Reference(value, $"field {field.Name}");
        FieldLayout layout = r.Layout.IsStruct ? r.Layout.Field(field.Name) : new FieldLayout(r.Layout, 0);
        return new LocalRef(r.Slot + layout.First, layout.Layout);
    }

    private Value Field(Value value, FieldInfo field)
    {
        if (value is ConstantRef constant)
        {
            return Field(constant.Value, field);
        }

        if (value is not Aggregate aggregate)
        {
            // A primitive's own field (m_value) in the class library's code is the number itself.
            if (value is Scalar)
            {
                return value;
            }

            LocalRef part = FieldReference(value, field);
            return ReadSlot(part.Slot, part.Layout);
        }

        FieldLayout layout = aggregate.Layout.Field(field.Name);
        return layout.Layout.IsStruct
            ? new Aggregate(layout.Layout, aggregate.Leaves.AsSpan(layout.First, layout.Layout.Leaves.Length).ToArray())
            : aggregate.Leaves[layout.First];
    }

    // By reference: methods and types of one IlMethod are the same objects each time, and their own equality is slow.
    private readonly Dictionary<object, CallTarget> _targets = new(ReferenceEqualityComparer.Instance);

    private CallTarget Resolve(MethodBase callee, Type? constrained)
    {
        if (constrained is not null)
        {
            return CallTarget.Of(callee, constrained);
        }

        if (!_targets.TryGetValue(callee, out CallTarget? target))
        {
            _targets.Add(callee, target = CallTarget.Of(callee, null));
        }

        return target;
    }
}
