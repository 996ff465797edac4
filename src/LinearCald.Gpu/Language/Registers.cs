using System.Runtime.CompilerServices;

namespace LinearCald.Gpu;

/// <summary>
/// An array of a thread's registers. Every index must be known to the compiler: a constant, or the counter of a loop with constant bounds (which
/// then unrolls). A value like any other: assignment copies it. Elements start undefined.
/// </summary>
/// <typeparam name="T">A primitive or a struct of primitives.</typeparam>
/// <typeparam name="TCount">Its length, at most 256.</typeparam>
public struct Registers<T, TCount>
    where T : unmanaged
    where TCount : struct, ICount
{
    private Storage _storage;

    /// <summary>Number of elements.</summary>
    public static int Length => TCount.Value;

    /// <summary>Element <paramref name="index"/>.</summary>
    public T this[int index]
    {
        [Intrinsic]
        readonly get
        {
            Check(index);
            return _storage[index];
        }

        [Intrinsic]
        set
        {
            Check(index);
            _storage[index] = value;
        }
    }

    /// <summary>Sets every element.</summary>
    public void Fill(T value)
    {
        for (int i = 0; i < TCount.Value; i++)
        {
            Loop.Unroll();
            this[i] = value;
        }
    }

    private static void Check(int index)
    {
        if ((uint)index >= (uint)TCount.Value || TCount.Value > Storage.Capacity)
        {
            throw new CaldException($"register {index} of {TCount.Value} was addressed (at most {Storage.Capacity} can be had)");
        }
    }

    [InlineArray(Capacity)]
    private struct Storage
    {
        public const int Capacity = 256;
        private T _first;
    }
}
