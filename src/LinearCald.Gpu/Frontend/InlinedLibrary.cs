using System.Reflection;

namespace LinearCald.Gpu.Frontend;

/// <summary>
/// Which members of the class library are compiled from their IL. That IL changes between runtimes, so only what has no reason to: generic arithmetic on
/// primitives, tuples, nullables. The rest has emitters or is refused.
/// </summary>
internal static class InlinedLibrary
{
    /// <summary>Whether a method is the class library's own.</summary>
    public static bool Contains(MethodBase method) => method.DeclaringType?.Assembly == typeof(object).Assembly;

    public static bool Allows(MethodBase method)
    {
        Type type = method.DeclaringType!;
        if (type.IsPrimitive)
        {
            // Operators and members of the generic math interfaces; text and hashing have no place here and fail by what they call.
            return true;
        }

        if (type.IsInterface)
        {
            return type.Namespace == "System.Numerics";
        }

        if (typeof(Exception).IsAssignableFrom(type))
        {
            // Guards: a comparison, and a throw that becomes a trap.
            return method.Name.StartsWith("ThrowIf", StringComparison.Ordinal);
        }

        return type == typeof(Math) || type == typeof(MathF)
            || (type.IsGenericType && (type.GetGenericTypeDefinition() == typeof(Nullable<>) || type.FullName!.StartsWith("System.ValueTuple`", StringComparison.Ordinal)));
    }
}
