using LinearCald.Gpu.Debug;

namespace LinearCald.Gpu;

/// <summary>
/// Copies from device to shared memory that run while the thread goes on (<c>cp.async</c>). A thread's copies since its last <see cref="Commit"/>
/// form a group; after <see cref="Wait"/> and a barrier the data may be read.
/// </summary>
public static class AsyncCopy
{
    /// <summary>Starts copying one element of 4, 8 or 16 bytes; 16 bypass the first-level cache.</summary>
    [Intrinsic]
    public static void Copy<T>(Shared<T> destination, int destinationIndex, ReadOnlyView<T> source, long sourceIndex)
        where T : unmanaged => Lane.Current.CopyAsync(destination, destinationIndex, source, sourceIndex, true);

    /// <summary>Starts copying one element, or clearing it where the condition is false; then nothing is read and the index may lie outside.</summary>
    [Intrinsic]
    public static void CopyOrClear<T>(Shared<T> destination, int destinationIndex, ReadOnlyView<T> source, long sourceIndex, bool condition)
        where T : unmanaged => Lane.Current.CopyAsync(destination, destinationIndex, source, sourceIndex, condition);

    /// <summary>Closes this thread's group of copies, which may be empty.</summary>
    [Intrinsic]
    public static void Commit() => Lane.Current.CommitCopies();

    /// <summary>Waits until at most <paramref name="groups"/> of this thread's newest groups are still running; known to the compiler.</summary>
    [Intrinsic]
    public static void Wait(int groups) => Lane.Current.WaitForCopies(groups);
}
