namespace LinearCald.Gpu.Debug;

internal sealed unsafe partial class Lane
{
    private int _allocations;

    public Shared<T> AllocateShared<T>(int length, int alignment)
        where T : unmanaged =>
        new(group.Shared.Allocate(this, _allocations++, (long)length * sizeof(T), alignment), length);

    public T ReadShared<T>(int offset, int index, int length)
        where T : unmanaged => group.Shared.Read<T>(this, Address<T>(offset, index, length, "read"));

    public void WriteShared<T>(int offset, int index, int length, T value)
        where T : unmanaged => group.Shared.Write(this, Address<T>(offset, index, length, "write"), value);

    private int Address<T>(int offset, int index, int length, string access)
        where T : unmanaged
    {
        if (index < 0 || index >= length || offset < 0 || offset + ((long)length * sizeof(T)) > group.Shared.Allocated)
        {
            throw new CaldException($"{access} of element {index:N0} of a shared buffer of {length:N0} {typeof(T).Name} elements");
        }

        int address = offset + (index * sizeof(T));
        if (address % Bounds.AlignmentOf<T>() != 0)
        {
            throw new CaldException($"{access} of a {typeof(T).Name} in shared memory at byte {address}, which is not a multiple of {Bounds.AlignmentOf<T>()}");
        }

        return address;
    }
}
