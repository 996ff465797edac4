using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Reflection.Emit;

namespace LinearCald.Gpu.Frontend.Il;

/// <summary>Finds what can only end in an exception, so that it becomes a trap before anyone looks at the strings and objects in it.</summary>
internal static class ThrowPaths
{
    private static readonly ConcurrentDictionary<MethodBase, bool> s_neverReturns = new();

    /// <summary>Sets <see cref="IlBlock.OnlyThrows"/>. A loop without exit is not one that only throws.</summary>
    public static void Mark(IReadOnlyList<IlBlock> blocks)
    {
        foreach (IlBlock block in blocks)
            block.OnlyThrows = block.Instructions.Any(Throws);

        for (bool changed = true; changed;)
        {
            changed = false;
            foreach (IlBlock block in blocks.Where(b => !b.OnlyThrows && b.Successors.Count > 0 && b.Successors.All(s => s.OnlyThrows)))
                changed = block.OnlyThrows = true;
        }
    }

    /// <summary>Whether a method is marked as never returning, or is a plain throw helper: no <c>ret</c>, no loop.</summary>
    public static bool NeverReturns(MethodBase method) => s_neverReturns.GetOrAdd(method, static m =>
        !m.IsDefined(typeof(IntrinsicAttribute), false) && (m.IsDefined(typeof(DoesNotReturnAttribute), false) || IsThrowHelper(m)));

    private static bool Throws(IlInstruction instruction) =>
        instruction.OpCode == OpCodes.Throw
        || (instruction.OpCode.FlowControl == FlowControl.Call && instruction is { Constrained: null, Operand: MethodBase { IsAbstract: false } callee } && NeverReturns(callee));

    private static bool IsThrowHelper(MethodBase method)
    {
        MethodBody? body = method.GetMethodBody();
        if (body is null || body.ExceptionHandlingClauses.Count > 0)
        {
            return false;
        }

        byte[] il = body.GetILAsByteArray() ?? [];
        int position = 0;
        while (position < il.Length)
        {
            int start = position;
            OpCode code = IlOpCodes.Read(il, ref position);
            if (code == OpCodes.Ret || code == OpCodes.Jmp || Array.Exists(IlOpCodes.Targets(code, il, position), t => t <= start))
            {
                return false;
            }

            position += IlOpCodes.OperandSize(code, il, position);
        }

        return il.Length > 0;
    }
}
