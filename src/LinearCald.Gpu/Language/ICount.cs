namespace LinearCald.Gpu;

/// <summary>A number as a type, for the length of <see cref="Registers{T, TCount}"/>. Kernels may define their own.</summary>
public interface ICount
{
    /// <summary>The number.</summary>
    static abstract int Value { get; }
}

/// <summary>2.</summary>
public readonly struct N2 : ICount
{
    /// <inheritdoc/>
    public static int Value => 2;
}

/// <summary>4.</summary>
public readonly struct N4 : ICount
{
    /// <inheritdoc/>
    public static int Value => 4;
}

/// <summary>8.</summary>
public readonly struct N8 : ICount
{
    /// <inheritdoc/>
    public static int Value => 8;
}

/// <summary>16.</summary>
public readonly struct N16 : ICount
{
    /// <inheritdoc/>
    public static int Value => 16;
}

/// <summary>32.</summary>
public readonly struct N32 : ICount
{
    /// <inheritdoc/>
    public static int Value => 32;
}

/// <summary>64.</summary>
public readonly struct N64 : ICount
{
    /// <inheritdoc/>
    public static int Value => 64;
}

/// <summary>128.</summary>
public readonly struct N128 : ICount
{
    /// <inheritdoc/>
    public static int Value => 128;
}

/// <summary>The product of two counts.</summary>
public readonly struct Times<TLeft, TRight> : ICount
    where TLeft : struct, ICount
    where TRight : struct, ICount
{
    /// <inheritdoc/>
    public static int Value => TLeft.Value * TRight.Value;
}
