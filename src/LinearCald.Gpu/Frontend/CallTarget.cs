using System.Collections.Concurrent;
using System.Reflection;
using LinearCald.Gpu.Frontend.Intrinsics;

namespace LinearCald.Gpu.Frontend;

/// <summary>What a call comes to: an emitter, or a method to evaluate, or a reason why not.</summary>
internal sealed class CallTarget
{
    private static readonly ConcurrentDictionary<(MethodBase, Type?), CallTarget> s_targets = new();
    private MethodPlan? _plan;

    private CallTarget(MethodBase method)
    {
        method = Substitutes.For(method);
        Method = method;
        Emitter = IntrinsicTable.Find(method);
        ParameterCount = method.GetParameters().Length;
        HasThis = !method.IsStatic && !method.IsConstructor;
        Returns = method is MethodInfo info && info.ReturnType != typeof(void);
        if (Emitter is null)
        {
            Refusal = Reason(method);
        }
    }

    public MethodBase Method { get; }

    public Emitter? Emitter { get; }

    /// <summary>Why the method cannot be evaluated, or null.</summary>
    public string? Refusal { get; }

    public int ParameterCount { get; }

    public bool HasThis { get; }

    public bool Returns { get; }

    public MethodPlan Plan => _plan ??= MethodPlan.Of(Method);

    /// <summary>Resolves a callee; <paramref name="constrained"/> is the type that implements it, where the callee is an interface member.</summary>
    public static CallTarget Of(MethodBase callee, Type? constrained) =>
        s_targets.TryGetValue((callee, constrained), out CallTarget? target)
            ? target
            : s_targets.GetOrAdd((callee, constrained), new CallTarget(constrained is null || callee is not MethodInfo method ? callee : Implementation(method, constrained)));

    private static MethodInfo Implementation(MethodInfo method, Type type)
    {
        Type declaring = method.DeclaringType!;
        if (!declaring.IsInterface)
        {
            // object's virtual members on a struct: its own override, if it has one.
            return type.GetMethod(method.Name, BindingFlags.Instance | BindingFlags.Public, [.. method.GetParameters().Select(p => p.ParameterType)]) ?? method;
        }

        MethodInfo definition = method.IsGenericMethod ? method.GetGenericMethodDefinition() : method;
        InterfaceMapping map = type.GetInterfaceMap(declaring);
        int index = Array.FindIndex(map.InterfaceMethods, m => m == definition || (m.MetadataToken == definition.MetadataToken && m.Module == definition.Module));
        MethodInfo found = index >= 0 ? map.TargetMethods[index] : method;
        return method.IsGenericMethod && found.IsGenericMethodDefinition ? found.MakeGenericMethod(method.GetGenericArguments()) : found;
    }

    private static string? Reason(MethodBase method)
    {
        string name = $"{method.DeclaringType?.Name}.{method.Name}";
        if (method.IsDefined(typeof(IntrinsicAttribute), false))
        {
            return $"{name} has no instructions on this target yet";
        }

        if (method.IsAbstract || (method.IsVirtual && method.DeclaringType is { IsValueType: false, IsInterface: false }))
        {
            return $"a virtual call of {name}: kernels call static methods, methods of structs, and static abstract members of type parameters";
        }

        if (InlinedLibrary.Contains(method) && !InlinedLibrary.Allows(method))
        {
            return $"{name} of the class library is not available in kernels";
        }

        return method.GetMethodBody() is null ? $"{name} has no IL" : null;
    }
}
