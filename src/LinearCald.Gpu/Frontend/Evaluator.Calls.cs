using System.Reflection;

namespace LinearCald.Gpu.Frontend;

internal sealed partial class Evaluator
{
    /// <summary>Evaluates a call; the result, or null for void. The path may have ended (<see cref="_edge"/> is null) when the callee never returns.</summary>
    private Value? Call(CallTarget target, ReadOnlySpan<Value> arguments)
    {
        if (target.Emitter is { } emitter)
        {
            return emitter(_emit, target.Method, arguments);
        }

        if (target.Refusal is { } reason)
        {
            throw Refuse(reason);
        }

        return Inline(target, arguments);
    }

    private Value? Inline(CallTarget target, ReadOnlySpan<Value> arguments)
    {
        Frame caller = _frame!;
        if (caller.Depth >= MaximumDepth)
        {
            throw Refuse($"calls nested more than {MaximumDepth} deep: recursion must end at compile time");
        }

        MethodPlan plan = target.Plan;
        Edge edge = _edge!;
        int before = edge.Count;
        Frame frame = Enter(plan, caller.Offset, caller);
        for (int i = 0; i < arguments.Length; i++)
        {
            Value argument = arguments[i];
            MethodPlan.Variable variable = plan.Arguments[i];
            WriteSlot(frame.Base + variable.Slot, variable.Layout, argument);
        }

        edge.Stack = [];
        frame.Push(plan.Blocks[0], edge);
        RunBlocks(frame, plan.Blocks, null);
        _frame = caller;
        if (frame.Returns.Count == 0)
        {
            _edge = null;
            return null;
        }

        Edge end = Merge(frame.Returns, null, frame);
        end.Pop(before);
        Resume(end);
        return end.Stack.Length > 0 ? end.Stack[0] : null;
    }

    /// <summary>newobj of a struct.</summary>
    private Value? Construct(CallTarget target, ReadOnlySpan<Value> arguments)
    {
        Type type = target.Method.DeclaringType!;
        if (!type.IsValueType)
        {
            throw Refuse($"an object of class {type.Name} is created; kernels have structs only");
        }

        TypeLayout layout = TypeLayout.Of(type);
        int before = _edge!.Count;
        int slot = Reserve(Array.ConvertAll(layout.Leaves, static l => l.Kind));
        Clear(slot, layout);
        Value[] all = [new LocalRef(slot, layout), .. arguments];
        if (Call(target, all) is { } made)
        {
            _edge!.Pop(before);
            return made;
        }

        if (_edge is null)
        {
            return null;
        }

        Value result = ReadSlot(slot, layout);
        _edge.Pop(before);
        return result;
    }

    /// <summary>Zeroes a variable, as initobj does.</summary>
    private void Clear(int slot, TypeLayout layout)
    {
        for (int i = 0; i < layout.Leaves.Length; i++)
        {
            _edge!.Slots[slot + i] = layout.Leaves[i].Kind switch
            {
                LeafKind.Float32 => Zero32,
                LeafKind.Float64 => Zero64,
                LeafKind.Int64 or LeafKind.UInt64 or LeafKind.Pointer => ZeroLong,
                LeafKind.Reference or LeafKind.Foreign => Null.Instance,
                _ => Known.Of(0),
            };
        }
    }

    private static Known Zero32 { get; } = Known.Of(0f);

    private static Known Zero64 { get; } = Known.Of(0d);

    private static Known ZeroLong { get; } = Known.Of(0L);

    /// <summary>A static readonly field as a value.</summary>
    private Value Constant(FieldInfo field)
    {
        if (!field.IsInitOnly)
        {
            throw Refuse($"static field {field.DeclaringType?.Name}.{field.Name} can change: make it readonly or const, or pass it as a parameter");
        }

        TypeLayout layout = TypeLayout.Of(field.FieldType);
        Value[] leaves = new Value[layout.Leaves.Length];
        int next = 0;
        Flatten(field.GetValue(null), field, leaves, ref next);
        return layout.IsStruct ? new Aggregate(layout, leaves) : leaves[0];
    }

    private void Flatten(object? value, FieldInfo source, Value[] leaves, ref int next)
    {
        if (value is Enum)
        {
            value = System.Convert.ChangeType(value, Enum.GetUnderlyingType(value.GetType()), System.Globalization.CultureInfo.InvariantCulture);
        }

        switch (value)
        {
            case bool v:
                leaves[next++] = Known.Of(v);
                return;
            case sbyte or byte or short or ushort or int:
                leaves[next++] = Known.Of(System.Convert.ToInt32(value, System.Globalization.CultureInfo.InvariantCulture));
                return;
            case char v:
                leaves[next++] = Known.Of((int)v);
                return;
            case uint v:
                leaves[next++] = Known.Of((int)v);
                return;
            case long v:
                leaves[next++] = Known.Of(v);
                return;
            case ulong v:
                leaves[next++] = Known.Of((long)v);
                return;
            case nint v:
                leaves[next++] = Known.Of((long)v);
                return;
            case float v:
                leaves[next++] = Known.Of(v);
                return;
            case double v:
                leaves[next++] = Known.Of(v);
                return;
            case ValueType when TypeLayout.Of(value.GetType()).Element is null:
                foreach (FieldInfo field in value.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).OrderBy(f => f.MetadataToken))
                    Flatten(field.GetValue(value), source, leaves, ref next);

                return;
            default:
                throw Refuse($"static field {source.DeclaringType?.Name}.{source.Name} holds a {value?.GetType().Name ?? "null"}; kernels can read numbers and structs of numbers");
        }
    }
}
