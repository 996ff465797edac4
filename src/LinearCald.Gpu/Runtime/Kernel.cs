using System.Reflection;
using System.Runtime.CompilerServices;
using LinearCald.Gpu.Frontend;

namespace LinearCald.Gpu;

/// <summary>
/// A static C# method that an <see cref="Accelerator"/> can launch. Make one per method (and generic instance) and keep it: accelerators remember what they
/// compiled for it. Parameters are unmanaged values; those marked <see cref="ConstantAttribute"/> become part of the compiled code.
/// </summary>
public sealed class Kernel
{
    private Kernel(MethodInfo method)
    {
        Method = method;
        Attribute = method.GetCustomAttribute<KernelAttribute>() ?? new KernelAttribute();
        Name = Attribute.Name ?? method.Name;
        Parameters = KernelParameter.Of(method);
        PackedBytes = Parameters.Count == 0 ? 0 : Parameters[^1].Offset + Parameters[^1].Size;
    }

    /// <summary>The method.</summary>
    public MethodInfo Method { get; }

    /// <summary>What errors and listings call it.</summary>
    public string Name { get; }

    /// <summary>The method's marks, or the defaults.</summary>
    public KernelAttribute Attribute { get; }

    /// <summary>Bytes of the packed arguments of a launch.</summary>
    internal int PackedBytes { get; }

    /// <summary>The parameters and where each lies in the packed arguments of a launch.</summary>
    internal IReadOnlyList<KernelParameter> Parameters { get; }

    /// <summary>Wraps a method group: <c>Kernel.Of(VectorAdd)</c>.</summary>
    /// <exception cref="CaldException">Not a static void method, or a parameter that is not unmanaged.</exception>
    public static Kernel Of(Delegate method)
    {
        ArgumentNullException.ThrowIfNull(method);
        return Of(method.Method);
    }

    /// <summary>Wraps a method found by reflection; generic methods must be closed.</summary>
    /// <exception cref="CaldException">Not a static void method, or a parameter that is not unmanaged.</exception>
    public static Kernel Of(MethodInfo method)
    {
        ArgumentNullException.ThrowIfNull(method);
        if (!method.IsStatic || method.ReturnType != typeof(void) || method.ContainsGenericParameters)
        {
            throw new CaldException($"kernel {method.DeclaringType?.Name}.{method.Name}: a kernel is a static void method with all type arguments given (no lambda: those are instance methods)");
        }

        return new Kernel(method);
    }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>One parameter of a kernel.</summary>
/// <param name="Name">Its C# name.</param>
/// <param name="Type">Its unmanaged type.</param>
/// <param name="Offset">First byte within the packed arguments.</param>
/// <param name="Size">Bytes, as C# lays the type out.</param>
/// <param name="IsConstant">Whether its value is compiled in.</param>
internal sealed record KernelParameter(string Name, Type Type, int Offset, int Size, bool IsConstant)
{
    /// <summary>Where every argument starts: the strictest alignment that any parameter type needs; tensor maps need more only on the device.</summary>
    public const int Alignment = 16;

    public static IReadOnlyList<KernelParameter> Of(MethodInfo method)
    {
        List<KernelParameter> list = [];
        int offset = 0;
        foreach (ParameterInfo p in method.GetParameters())
        {
            if (!FieldOffsets.IsUnmanaged(p.ParameterType))
            {
                throw new CaldException(
                    $"kernel {method.DeclaringType?.Name}.{method.Name}: parameter '{p.Name}' of type {p.ParameterType.Name} is not unmanaged; pass View<T>, ReadOnlyView<T>, numbers, or structs of these");
            }

            bool isConstant = p.IsDefined(typeof(ConstantAttribute), false);
            if (Nests(p.ParameterType, typeof(TensorMap)) || (isConstant && p.ParameterType == typeof(TensorMap)))
            {
                throw new CaldException(
                    $"kernel {method.DeclaringType?.Name}.{method.Name}: parameter '{p.Name}' has a tensor map inside, or is a constant one; a tensor map is a parameter of its own");
            }

            int size = SizeOf(p.ParameterType);
            list.Add(new KernelParameter(p.Name ?? $"p{p.Position}", p.ParameterType, offset, size, isConstant));
            offset += (size + Alignment - 1) / Alignment * Alignment;
        }

        return list;
    }

    /// <summary>Bytes of an unmanaged type as C# lays it out (not as it would be marshalled).</summary>
    public static int SizeOf(Type type) =>
        (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;

    private static bool Nests(Type type, Type inner) =>
        !type.IsPrimitive && type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Any(f => f.FieldType == inner || (f.FieldType != type && f.FieldType.IsValueType && Nests(f.FieldType, inner)));
}
