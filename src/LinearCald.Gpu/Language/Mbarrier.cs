using LinearCald.Gpu.Debug;

namespace LinearCald.Gpu;

/// <summary>
/// A barrier object in shared memory that counts arrivals and bytes of bulk copies (PTX ISA "mbarrier"; Hopper). A phase ends when all arrivals have come and
/// no announced byte is missing; then the next one begins with the same count. Phases are told apart by their parity, the first is 0: on a fresh barrier
/// a wait for parity 1 passes at once. No wait may be more than one phase behind.
/// </summary>
public readonly struct Mbarrier
{
    private const int Bytes = 8;

    private readonly int _address;

    private Mbarrier(int address) => _address = address;

    /// <summary>Its place in shared memory, in bytes.</summary>
    internal int Address => _address;

    /// <summary>Barriers in a row, not initialised: the first of them. Rules as for <see cref="Shared.Allocate"/>.</summary>
    public static Mbarrier Allocate(int count = 1) => new(Shared.Allocate<ulong>(count, Bytes).Offset);

    /// <summary>The barrier <paramref name="index"/> places further in its row.</summary>
    public Mbarrier At(int index) => new(_address + (index * Bytes));

    /// <summary>
    /// Begins phase 0. By one thread; then it calls <see cref="FenceInit"/>, and a barrier of the group lets the others use the barrier.
    /// </summary>
    /// <param name="arrivals">Arrivals that end a phase.</param>
    [Intrinsic]
    public void Init(int arrivals) => Lane.Current.InitMbarrier(_address, arrivals);

    /// <summary>Makes initialised barriers known to the copy engine (<c>fence.mbarrier_init</c>).</summary>
    [Intrinsic]
    public static void FenceInit() => Lane.Fence();

    /// <summary>Counts one arrival: what this thread did before is visible to those who wait for the phase.</summary>
    [Intrinsic]
    public void Arrive() => Lane.Current.ArriveAtMbarrier(_address, 0);

    /// <summary>Counts one arrival and announces bytes that copies will bring in this phase.</summary>
    [Intrinsic]
    public void ArriveExpect(int bytes) => Lane.Current.ArriveAtMbarrier(_address, bytes);

    /// <summary>Waits until the phase of the given parity (0 or 1) has ended; what its copies brought is then visible.</summary>
    public void Wait(int parity)
    {
        while (!TryWait(parity))
            Loop.Keep();
    }

    /// <summary>Whether the phase has ended, after some time at the latest.</summary>
    [Intrinsic]
    private bool TryWait(int parity) => Lane.Current.WaitForMbarrier(_address, parity);
}
