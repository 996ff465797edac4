using LinearCald.Testing.Ptx.Execution;
using Warp = LinearCald.Testing.Ptx.Execution.Warp;

namespace LinearCald.Testing.Ptx.Memory;

/// <summary>
/// A group's shared memory. Each granule (the narrowest access that the kernel has, at most 4 bytes) remembers its last writer and its last readers, so that
/// reads before writes, reads of copies in flight, and accesses of two threads with no barrier between them of which one writes are errors.
/// </summary>
internal sealed unsafe class SharedMemory
{
    private const int Nobody = -1;

    private readonly byte[] _bytes;
    private readonly Granule[] _granules;
    private readonly int _shift;
    private readonly Clocks _clocks;
    private readonly SharedLayout _layout;

    /// <param name="layout">Arrays.</param>
    /// <param name="granule">Bytes that are watched as one.</param>
    /// <param name="clocks">Of the group's threads.</param>
    /// <param name="spare">Of a group of the same launch that has ended: its arrays are taken over. They are large, and groups are many.</param>
    public SharedMemory(SharedLayout layout, int granule, Clocks clocks, SharedMemory? spare)
    {
        _layout = layout;
        _clocks = clocks;
        _shift = int.Log2(granule);
        _bytes = spare?._bytes ?? GC.AllocateArray<byte>(layout.Size, pinned: true);
        Array.Fill(_bytes, (byte)0xFF);
        _granules = spare?._granules ?? new Granule[(layout.Size >> _shift) + 1];
        Array.Fill(_granules, new Granule { Writer = Nobody, Reader = Nobody, OtherReader = Nobody });
    }

    public byte* At(ulong address) => (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _bytes[address]);

    /// <summary>Checks a read, and remembers it.</summary>
    /// <param name="isStrong">Atomic or volatile: no race with others of the kind.</param>
    public void Read(Warp warp, int lane, ulong address, int bytes, Instruction instruction, bool isStrong)
    {
        int thread = warp.FirstThread + lane;
        int now = _clocks.Now(thread);
        int end = (int)(address + (uint)bytes - 1) >> _shift;
        for (int i = (int)address >> _shift; i <= end; i++)
        {
            ref Granule granule = ref _granules[i];
            if (granule.Writer != thread)
            {
                CheckWriter(ref granule, warp, lane, i, instruction, isStrong, "reads");
            }

            if (granule.Reader != thread)
            {
                // Whoever is ordered after this read is ordered after what this thread knows: such readers may be forgotten.
                if (granule.Reader >= 0 && !_clocks.Knows(thread, granule.Reader, granule.ReaderTime))
                {
                    granule.OtherReader = granule.Reader;
                    granule.OtherTime = granule.ReaderTime;
                    granule.OtherInstruction = granule.ReaderInstruction;
                    granule.IsOtherStrong = granule.IsReaderStrong;
                }

                granule.Reader = thread;
            }

            granule.ReaderTime = now;
            granule.ReaderInstruction = instruction.Index;
            granule.IsReaderStrong = isStrong;
        }
    }

    /// <summary>Checks a write of bytes that lie at <paramref name="source"/>, and remembers it. Two threads may write the same bits.</summary>
    public void Write(Warp warp, int lane, ulong address, int bytes, byte* source, Instruction instruction, bool isStrong)
    {
        int thread = warp.FirstThread + lane;
        int now = _clocks.Now(thread);
        int size = 1 << _shift;
        int end = (int)(address + (uint)bytes - 1) >> _shift;
        for (int i = (int)address >> _shift; i <= end; i++)
        {
            ref Granule granule = ref _granules[i];
            if (granule.Writer != thread && granule.Writer != Nobody)
            {
                int offset = (i << _shift) - (int)address;
                bool isSame = source != null && granule.Writer >= 0 && new ReadOnlySpan<byte>(source + offset, size).SequenceEqual(new ReadOnlySpan<byte>(At((ulong)i << _shift), size));
                if (!isSame)
                {
                    CheckWriter(ref granule, warp, lane, i, instruction, isStrong, "writes");
                }
            }

            CheckReader(warp, lane, i, instruction, granule.Reader, granule.ReaderTime, granule.ReaderInstruction, isStrong && granule.IsReaderStrong);
            CheckReader(warp, lane, i, instruction, granule.OtherReader, granule.OtherTime, granule.OtherInstruction, isStrong && granule.IsOtherStrong);
            granule.Writer = thread;
            granule.WriterTime = now;
            granule.WriterInstruction = instruction.Index;
            granule.IsWriterStrong = isStrong;
            granule.Reader = Nobody;
            granule.OtherReader = Nobody;
        }
    }

    /// <summary>An asynchronous copy into these bytes has started: until it ends they may not be touched.</summary>
    public void Pend(Warp warp, int lane, ulong address, int bytes, Instruction instruction)
    {
        Write(warp, lane, address, bytes, null, instruction, false);
        int end = (int)(address + (uint)bytes - 1) >> _shift;
        for (int i = (int)address >> _shift; i <= end; i++)
        {
            _granules[i].Writer = -2 - _granules[i].Writer;
        }

        new Span<byte>(At(address), bytes).Fill(0xFF);
    }

    /// <summary>The copy has ended, seen by the thread that started it.</summary>
    public void Land(Warp warp, int lane, ulong address, int bytes)
    {
        int thread = warp.FirstThread + lane;
        int end = (int)(address + (uint)bytes - 1) >> _shift;
        for (int i = (int)address >> _shift; i <= end; i++)
        {
            _granules[i].Writer = thread;
            _granules[i].WriterTime = _clocks.Now(thread);
        }
    }

    /// <summary>Writes by the copy engine; a barrier object tells the others when.</summary>
    public void LandFromEngine(int thread, int time, ulong address, int bytes)
    {
        int end = (int)(address + (uint)bytes - 1) >> _shift;
        for (int i = (int)address >> _shift; i <= end; i++)
        {
            _granules[i].Writer = thread;
            _granules[i].WriterTime = time;
        }
    }

    private void CheckWriter(ref Granule granule, Warp warp, int lane, int index, Instruction instruction, bool isStrong, string verb)
    {
        int writer = granule.Writer;
        if (writer == Nobody)
        {
            throw warp.Error(lane, instruction, $"reads {_layout.Name((ulong)index << _shift)}, which was never written");
        }

        if (writer < 0)
        {
            throw warp.Error(lane, instruction, $"{verb} {_layout.Name((ulong)index << _shift)} while a copy into it by {warp.Group.Thread(-2 - writer)} ({warp.Group.Describe(granule.WriterInstruction)}) is in flight: wait for the copy, then a barrier");
        }

        if (!(isStrong && granule.IsWriterStrong) && !_clocks.Knows(warp.FirstThread + lane, writer, granule.WriterTime))
        {
            throw warp.Error(lane, instruction, $"race: {verb} {_layout.Name((ulong)index << _shift)}, which {warp.Group.Thread(writer)} wrote ({warp.Group.Describe(granule.WriterInstruction)}) with no barrier between");
        }
    }

    private void CheckReader(Warp warp, int lane, int index, Instruction instruction, int reader, int time, int readerInstruction, bool areStrong)
    {
        if (reader != Nobody && !areStrong && !_clocks.Knows(warp.FirstThread + lane, reader, time))
        {
            throw warp.Error(lane, instruction, $"race: writes {_layout.Name((ulong)index << _shift)}, which {warp.Group.Thread(reader)} read ({warp.Group.Describe(readerInstruction)}) with no barrier between");
        }
    }

    private struct Granule
    {
        /// <summary>A thread, −1 for nobody, −2 − thread for a copy in flight.</summary>
        public int Writer;
        public int WriterTime;
        public int WriterInstruction;
        public int Reader;
        public int ReaderTime;
        public int ReaderInstruction;
        public int OtherReader;
        public int OtherTime;
        public int OtherInstruction;
        public bool IsWriterStrong;
        public bool IsReaderStrong;
        public bool IsOtherStrong;
    }
}
