using System.Reflection.Emit;

namespace LinearCald.Gpu.Frontend.Il;

/// <summary>
/// One instruction in its long form: <c>ldarg.0</c> reads as <c>ldarg</c> with operand 0, <c>br.s</c> as <c>br</c>, <c>ldc.i4.s</c> as <c>ldc.i4</c>.
/// Prefixes belong to the instruction that they precede, and <see cref="Offset"/> is that of the first prefix.
/// </summary>
/// <param name="Offset">First byte within the method's IL.</param>
/// <param name="OpCode">Never a short form, never a prefix.</param>
/// <param name="Operand">int (constants, local and argument numbers), long, float, double, string, MethodBase, FieldInfo, Type; for branches the
/// <see cref="IlBlock"/> that is jumped to, for <c>switch</c> an array of them; null where there is none (and for <c>calli</c>).</param>
/// <param name="Constrained">The type of a <c>constrained.</c> prefix.</param>
/// <param name="IsVolatile">Whether a <c>volatile.</c> prefix stood before it.</param>
internal readonly record struct IlInstruction(int Offset, OpCode OpCode, object? Operand, Type? Constrained = null, bool IsVolatile = false)
{
    public override string ToString() => $"IL_{Offset:x4} {OpCode.Name} {Operand}";
}
