using System.Collections.Concurrent;
using System.Reflection;

namespace LinearCald.Gpu.Frontend.Il;

/// <summary>A method's IL as a graph of basic blocks, read once per method and generic instance.</summary>
internal sealed class IlMethod
{
    private static readonly ConcurrentDictionary<MethodBase, IlMethod> s_methods = new();

    private IlMethod(MethodBase method)
    {
        Method = method;
        MethodBody body = (method.ContainsGenericParameters ? null : BodyOf(method))
            ?? throw new CaldException(
                $"{SourceLines.NameOf(method)} has no IL to compile: it is abstract, external, or its type arguments are open. In an app published ahead of time no method has any; publish kernels as IL.");
        if (body.ExceptionHandlingClauses is [var clause, ..])
        {
            throw new CaldException($"{SourceLines.Describe(method, clause.TryOffset)}: try, using and lock cannot run on a GPU, where nothing unwinds; check before the launch instead");
        }

        Locals = [.. body.LocalVariables.Select(l => l.LocalType)];
        Arguments = ArgumentsOf(method);
        List<IlInstruction> instructions = IlDecoder.Decode(method, body.GetILAsByteArray());
        Blocks = ControlFlow.Order(method, ControlFlow.Cut(method, instructions)[0]);
        ThrowPaths.Mark(Blocks);
        Liveness.Mark(Blocks, Locals.Count);
    }

    public MethodBase Method { get; }

    /// <summary>
    /// What the entry reaches, in an order in which only back edges go backwards and in which a loop's blocks stand together; the first is the entry.
    /// </summary>
    public IReadOnlyList<IlBlock> Blocks { get; }

    /// <summary>Types of the local variables.</summary>
    public IReadOnlyList<Type> Locals { get; }

    /// <summary>Types of the arguments, <c>this</c> first (a reference for structs).</summary>
    public IReadOnlyList<Type> Arguments { get; }

    /// <summary>Reads a method, or returns what was read before. May be called from any thread.</summary>
    /// <exception cref="CaldException">No IL, exception handling, or a loop with two starts.</exception>
    public static IlMethod Of(MethodBase method) => s_methods.GetOrAdd(method, static m => new IlMethod(m));

    public override string ToString() => SourceLines.NameOf(Method);

    private static MethodBody? BodyOf(MethodBase method)
    {
        try
        {
            return method.GetMethodBody();
        }
        catch (InvalidOperationException)
        {
            // What a method made by DynamicMethod answers.
            return null;
        }
    }

    private static Type[] ArgumentsOf(MethodBase method)
    {
        IEnumerable<Type> parameters = method.GetParameters().Select(p => p.ParameterType);
        if (method.IsStatic)
        {
            return [.. parameters];
        }

        Type self = method.DeclaringType!;
        return [self.IsValueType ? self.MakeByRefType() : self, .. parameters];
    }
}
