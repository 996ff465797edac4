namespace LinearCald.Data.Language;

/// <summary>How an indexed data set stores an id; the numbers are the codes in its index.</summary>
public enum IndexedElementType : byte
{
    /// <summary>8 bits, unsigned.</summary>
    UInt8 = 1,

    /// <summary>8 bits, signed.</summary>
    Int8 = 2,

    /// <summary>16 bits, signed.</summary>
    Int16 = 3,

    /// <summary>32 bits, signed.</summary>
    Int32 = 4,

    /// <summary>64 bits, signed.</summary>
    Int64 = 5,

    /// <summary>Float32. Some writers have the two codes of floats the other way round; the offsets tell which it is.</summary>
    Float32 = 6,

    /// <summary>Float64.</summary>
    Float64 = 7,

    /// <summary>16 bits, unsigned: what vocabularies below 65,500 are written with.</summary>
    UInt16 = 8,
}
