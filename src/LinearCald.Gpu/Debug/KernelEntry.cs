using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace LinearCald.Gpu.Debug;

/// <summary>Calls a kernel method with the arguments that lie packed at an address.</summary>
internal delegate void KernelEntry(nint arguments);

/// <summary>Makes <see cref="KernelEntry"/> delegates, one a kernel.</summary>
internal static class KernelEntries
{
    private static readonly ConditionalWeakTable<Kernel, KernelEntry> s_entries = [];

    public static KernelEntry Of(Kernel kernel) => s_entries.GetValue(kernel, Create);

    private static KernelEntry Create(Kernel kernel)
    {
        MethodInfo method = kernel.Method;
        DynamicMethod entry = new(kernel.Name, typeof(void), [typeof(nint)], method.Module, skipVisibility: true);
        ILGenerator il = entry.GetILGenerator();
        foreach (KernelParameter parameter in kernel.Parameters)
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldc_I4, parameter.Offset);
            il.Emit(OpCodes.Add);
            il.Emit(OpCodes.Ldobj, parameter.Type);
        }

        // By address, lest the method is inlined here: then the runtime could not tell the source line of an exception.
        il.Emit(OpCodes.Ldc_I8, (long)method.MethodHandle.GetFunctionPointer());
        il.Emit(OpCodes.Conv_I);
        il.EmitCalli(OpCodes.Calli, CallingConventions.Standard, typeof(void), [.. kernel.Parameters.Select(p => p.Type)], null);
        il.Emit(OpCodes.Ret);
        return entry.CreateDelegate<KernelEntry>();
    }
}
