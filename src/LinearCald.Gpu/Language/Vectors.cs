namespace LinearCald.Gpu;

/// <summary>Two floats, read and written as one 8-byte access.</summary>
public struct Float2(float x, float y)
{
    /// <summary>Element 0.</summary>
    public float X = x;

    /// <summary>Element 1.</summary>
    public float Y = y;
}

/// <summary>Four floats, read and written as one 16-byte access.</summary>
public struct Float4(float x, float y, float z, float w)
{
    /// <summary>Element 0.</summary>
    public float X = x;

    /// <summary>Element 1.</summary>
    public float Y = y;

    /// <summary>Element 2.</summary>
    public float Z = z;

    /// <summary>Element 3.</summary>
    public float W = w;
}

/// <summary>Two doubles, read and written as one 16-byte access.</summary>
public struct Double2(double x, double y)
{
    /// <summary>Element 0.</summary>
    public double X = x;

    /// <summary>Element 1.</summary>
    public double Y = y;
}

/// <summary>Two 32-bit integers, read and written as one 8-byte access.</summary>
public struct Int2(int x, int y)
{
    /// <summary>Element 0.</summary>
    public int X = x;

    /// <summary>Element 1.</summary>
    public int Y = y;
}

/// <summary>Four 32-bit integers, read and written as one 16-byte access.</summary>
public struct Int4(int x, int y, int z, int w)
{
    /// <summary>Element 0.</summary>
    public int X = x;

    /// <summary>Element 1.</summary>
    public int Y = y;

    /// <summary>Element 2.</summary>
    public int Z = z;

    /// <summary>Element 3.</summary>
    public int W = w;
}

/// <summary>Two 32-bit words: 8 bytes of anything.</summary>
public struct UInt2(uint x, uint y)
{
    /// <summary>Element 0.</summary>
    public uint X = x;

    /// <summary>Element 1.</summary>
    public uint Y = y;
}

/// <summary>Four 32-bit words: 16 bytes of anything, such as eight 16-bit floats or a matrix fragment.</summary>
public struct UInt4(uint x, uint y, uint z, uint w)
{
    /// <summary>Element 0.</summary>
    public uint X = x;

    /// <summary>Element 1.</summary>
    public uint Y = y;

    /// <summary>Element 2.</summary>
    public uint Z = z;

    /// <summary>Element 3.</summary>
    public uint W = w;
}
