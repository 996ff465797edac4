using System.Runtime.CompilerServices;

namespace LinearCald.Gpu.Debug;

internal sealed unsafe partial class Lane
{
    public T Atomic<T>(View<T> view, long index, T value, T expected, AtomicKind kind)
        where T : unmanaged
    {
        T* element = Bounds.Check(view.Address, index, view.Length, "atomic update");
        T before = *element;
        *element = Update(before, value, expected, kind);
        return before;
    }

    public T Atomic<T>(Shared<T> shared, int index, T value, T expected, AtomicKind kind)
        where T : unmanaged
    {
        int address = Address<T>(shared.Offset, index, shared.Length, "atomic update");
        T before = group.Shared.BeginAtomic<T>(this, address);
        group.Shared.EndAtomic(this, address, Update(before, value, expected, kind));
        return before;
    }

    private static T Update<T>(T before, T value, T expected, AtomicKind kind)
        where T : unmanaged
    {
        switch (kind)
        {
            case AtomicKind.Exchange:
                RequireWord<T>();
                return value;
            case AtomicKind.CompareExchange:
                RequireWord<T>();
                bool equal = Unsafe.SizeOf<T>() == 4 ? Bits<T, uint>(before) == Bits<T, uint>(expected) : Bits<T, ulong>(before) == Bits<T, ulong>(expected);
                return equal ? value : before;
            case AtomicKind.Add when typeof(T) == typeof(float):
                return Bits<float, T>(Bits<T, float>(before) + Bits<T, float>(value));
            case AtomicKind.Add when typeof(T) == typeof(double):
                return Bits<double, T>(Bits<T, double>(before) + Bits<T, double>(value));
            default:
                return UpdateInteger(before, value, kind);
        }
    }

    private static T UpdateInteger<T>(T before, T value, AtomicKind kind)
        where T : unmanaged
    {
        if (typeof(T) == typeof(int))
        {
            return Bits<int, T>(Integer(Bits<T, int>(before), Bits<T, int>(value), kind));
        }

        if (typeof(T) == typeof(uint))
        {
            return Bits<uint, T>(Integer(Bits<T, uint>(before), Bits<T, uint>(value), kind));
        }

        if (typeof(T) == typeof(long))
        {
            return Bits<long, T>(Integer(Bits<T, long>(before), Bits<T, long>(value), kind));
        }

        if (typeof(T) == typeof(ulong))
        {
            return Bits<ulong, T>(Integer(Bits<T, ulong>(before), Bits<T, ulong>(value), kind));
        }

        throw new CaldException($"atomic {kind} of {typeof(T).Name}: int, uint, long and ulong have all, float and double only Add");
    }

    private static TInteger Integer<TInteger>(TInteger before, TInteger value, AtomicKind kind)
        where TInteger : System.Numerics.IBinaryInteger<TInteger> => kind switch
        {
            AtomicKind.Add => unchecked(before + value),
            AtomicKind.Min => TInteger.Min(before, value),
            _ => TInteger.Max(before, value),
        };

    private static void RequireWord<T>()
    {
        if (Unsafe.SizeOf<T>() is not (4 or 8))
        {
            throw new CaldException($"an atomic exchange of {typeof(T).Name}: the value must have 4 or 8 bytes");
        }
    }

    private static TTo Bits<TFrom, TTo>(TFrom value) => Unsafe.As<TFrom, TTo>(ref value);
}
