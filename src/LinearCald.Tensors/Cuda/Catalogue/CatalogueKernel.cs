using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Catalogue;

/// <summary>A kernel of the backend with one group size and one set of constants.</summary>
public sealed class CatalogueKernel
{
    private static readonly MethodInfo s_text = typeof(CatalogueKernel).GetMethod(nameof(Text), BindingFlags.Static | BindingFlags.NonPublic)!;
    private readonly Kernel _kernel;
    private readonly byte[] _arguments;

    internal CatalogueKernel(string name, Kernel kernel, Index3 group, byte[] arguments)
    {
        Name = name;
        Group = group;
        _kernel = kernel;
        _arguments = arguments;
    }

    /// <summary>What to call it by: the kernel's name, numbered where it has several variants.</summary>
    public string Name { get; }

    /// <summary>Threads of a group.</summary>
    public Index3 Group { get; }

    /// <summary>The C# method.</summary>
    public string Method => $"{_kernel.Method.DeclaringType?.Name}.{_kernel.Method.Name}";

    /// <summary>Its type arguments, such as the element format.</summary>
    public string Types => string.Join(", ", _kernel.Method.GetGenericArguments().Select(TypeName));

    /// <summary>Its compile-time arguments.</summary>
    public string Constants => string.Join(
        ", ", _kernel.Parameters.Where(p => p.IsConstant).Select(p => $"{p.Name} = {s_text.MakeGenericMethod(p.Type).Invoke(null, [_arguments, p.Offset])}"));

    /// <summary>What it becomes for a target.</summary>
    /// <exception cref="CaldException">The compiler refuses it, which is a defect of ours.</exception>
    public CompiledKernel Compile(PtxTarget target = PtxTarget.Sm80) => KernelCompiler.Compile(_kernel, Group, _arguments, target);

    private static string? Text<T>(byte[] arguments, int offset)
        where T : unmanaged => Convert.ToString(MemoryMarshal.Read<T>(arguments.AsSpan(offset)), CultureInfo.InvariantCulture);

    private static string TypeName(Type type) =>
        type.IsGenericType ? $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GetGenericArguments().Select(TypeName))}>" : type.Name;
}
