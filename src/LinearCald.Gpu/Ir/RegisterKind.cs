namespace LinearCald.Gpu.Ir;

/// <summary>Classes of PTX registers. Integers have no sign here; the operation carries it.</summary>
internal enum RegisterKind : byte
{
    Predicate,
    B16,
    B32,
    B64,
    F32,
    F64,
}
