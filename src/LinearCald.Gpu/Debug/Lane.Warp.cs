using System.Runtime.CompilerServices;

namespace LinearCald.Gpu.Debug;

internal sealed partial class Lane
{
    private int _exchanges;

    public T Shuffle<T>(T value, int lane, ShuffleKind kind)
        where T : unmanaged
    {
        if (Unsafe.SizeOf<T>() is not (4 or 8))
        {
            throw new CaldException($"a shuffle of {typeof(T).Name}: values of 4 or 8 bytes can be exchanged");
        }

        int parity = Exchange(
            kind switch
            {
                ShuffleKind.Up => "Warp.ShuffleUp",
                ShuffleKind.Down => "Warp.ShuffleDown",
                ShuffleKind.Xor => "Warp.ShuffleXor",
                _ => "Warp.Shuffle",
            },
            value);
        return Brought<T>(parity, lane);
    }

    public uint Ballot(bool condition)
    {
        int parity = Exchange("a warp vote", condition);
        uint votes = 0;
        for (int i = 0; i < WarpRun.Size; i++)
        {
            votes |= Brought<bool>(parity, i) ? 1u << i : 0;
        }

        return votes;
    }

    public int Reduce(int value, Func<int, int, int> combine)
    {
        int parity = Exchange("a warp reduction", value);
        int result = Brought<int>(parity, 0);
        for (int i = 1; i < WarpRun.Size; i++)
        {
            result = combine(result, Brought<int>(parity, i));
        }

        return result;
    }

    /// <summary>Brings a value to the other lanes and waits until all have brought theirs. Returns the set in which they lie.</summary>
    private int Exchange<T>(string operation, T value)
        where T : unmanaged
    {
        int parity = _exchanges++ & 1;
        Unsafe.As<ulong, T>(ref WarpRun.Slot(parity, thread & 31)[0]) = value;
        Meet(operation);
        return parity;
    }

    private T Brought<T>(int parity, int lane)
        where T : unmanaged
    {
        if (lane >= WarpRun.Size)
        {
            throw new CaldException($"a warp operation reads lane {lane}, but the last warp of a group of {group.Count} threads has {WarpRun.Size} lanes");
        }

        return Unsafe.As<ulong, T>(ref WarpRun.Slot(parity, lane)[0]);
    }
}
