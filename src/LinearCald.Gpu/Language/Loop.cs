namespace LinearCald.Gpu;

/// <summary>Notes to the compiler about the loop that encloses the call; no effect on what is computed.</summary>
public static class Loop
{
    /// <summary>Unroll this loop whatever its size; its trip count must be known.</summary>
    [Intrinsic]
    public static void Unroll()
    {
    }

    /// <summary>Keep this loop a loop even if its trip count is known and small.</summary>
    [Intrinsic]
    public static void Keep()
    {
    }
}
