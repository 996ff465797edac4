using LinearCald.Gpu.Debug;

namespace LinearCald.Gpu;

/// <summary>
/// Indivisible updates; each returns the value before. Float additions from several threads happen in no fixed order, so kernels that promise
/// the same bits from run to run use integers only.
/// </summary>
public static class Atomic
{
    /// <summary>Adds to an int, uint, long, float or double in device memory.</summary>
    [Intrinsic]
    public static T Add<T>(View<T> view, long index, T value)
        where T : unmanaged => Lane.Current.Atomic(view, index, value, default, AtomicKind.Add);

    /// <summary>Keeps the smaller integer.</summary>
    [Intrinsic]
    public static T Min<T>(View<T> view, long index, T value)
        where T : unmanaged => Lane.Current.Atomic(view, index, value, default, AtomicKind.Min);

    /// <summary>Keeps the larger integer.</summary>
    [Intrinsic]
    public static T Max<T>(View<T> view, long index, T value)
        where T : unmanaged => Lane.Current.Atomic(view, index, value, default, AtomicKind.Max);

    /// <summary>Replaces a 4- or 8-byte value.</summary>
    [Intrinsic]
    public static T Exchange<T>(View<T> view, long index, T value)
        where T : unmanaged => Lane.Current.Atomic(view, index, value, default, AtomicKind.Exchange);

    /// <summary>Replaces the value if it equals <paramref name="expected"/>.</summary>
    [Intrinsic]
    public static T CompareExchange<T>(View<T> view, long index, T expected, T value)
        where T : unmanaged => Lane.Current.Atomic(view, index, value, expected, AtomicKind.CompareExchange);

    /// <summary>Adds to an int, uint, long, float or double in shared memory.</summary>
    [Intrinsic]
    public static T Add<T>(Shared<T> shared, int index, T value)
        where T : unmanaged => Lane.Current.Atomic(shared, index, value, default, AtomicKind.Add);

    /// <summary>Keeps the smaller integer.</summary>
    [Intrinsic]
    public static T Min<T>(Shared<T> shared, int index, T value)
        where T : unmanaged => Lane.Current.Atomic(shared, index, value, default, AtomicKind.Min);

    /// <summary>Keeps the larger integer.</summary>
    [Intrinsic]
    public static T Max<T>(Shared<T> shared, int index, T value)
        where T : unmanaged => Lane.Current.Atomic(shared, index, value, default, AtomicKind.Max);

    /// <summary>Replaces a 4- or 8-byte value.</summary>
    [Intrinsic]
    public static T Exchange<T>(Shared<T> shared, int index, T value)
        where T : unmanaged => Lane.Current.Atomic(shared, index, value, default, AtomicKind.Exchange);

    /// <summary>Replaces the value if it equals <paramref name="expected"/>.</summary>
    [Intrinsic]
    public static T CompareExchange<T>(Shared<T> shared, int index, T expected, T value)
        where T : unmanaged => Lane.Current.Atomic(shared, index, value, expected, AtomicKind.CompareExchange);
}
