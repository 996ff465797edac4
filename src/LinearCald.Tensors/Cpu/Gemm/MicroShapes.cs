namespace LinearCald.Tensors.Cpu;

/// <summary>Rows of a micro-tile, as a type: the kernel is compiled once for each, and the rows it lacks are dropped by the compiler.</summary>
internal interface ITileRows
{
    static abstract int Count { get; }
}

internal readonly struct Rows14 : ITileRows
{
    public static int Count => 14;
}

internal readonly struct Rows8 : ITileRows
{
    public static int Count => 8;
}

internal readonly struct Rows6 : ITileRows
{
    public static int Count => 6;
}

internal readonly struct Rows4 : ITileRows
{
    public static int Count => 4;
}

internal readonly struct Rows2 : ITileRows
{
    public static int Count => 2;
}

internal readonly struct Rows1 : ITileRows
{
    public static int Count => 1;
}

/// <summary>Whether a micro-tile is two vectors wide (the rule) or one (the last columns).</summary>
internal interface ITileWidth
{
    static abstract bool IsDouble { get; }
}

internal readonly struct SingleWidth : ITileWidth
{
    public static bool IsDouble => false;
}

internal readonly struct DoubleWidth : ITileWidth
{
    public static bool IsDouble => true;
}

/// <summary>How the kernel finds the elements of A of one k: side by side (packed panels, and a transposed A as it lies), or one stride apart (A as it lies).</summary>
internal interface IAccessA
{
    static abstract bool IsStrided { get; }
}

internal readonly struct AdjacentA : IAccessA
{
    public static bool IsStrided => false;
}

internal readonly struct StridedA : IAccessA
{
    public static bool IsStrided => true;
}
