namespace LinearCald.Gpu;

/// <summary>Optional marks of a kernel method, for occupancy and for listings.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KernelAttribute : Attribute
{
    /// <summary>What <c>cald ptx</c> calls it; the method's name by default.</summary>
    public string? Name { get; init; }

    /// <summary>Groups that should fit on one multiprocessor together (<c>.minnctapersm</c>), which bounds the registers of a thread; 0 leaves it to the assembler.</summary>
    public int MinimumGroups { get; init; }

    /// <summary>Most registers of a thread (<c>.maxnreg</c>); 0 leaves it to the assembler.</summary>
    public int MaximumRegisters { get; init; }
}
