using LinearCald.Testing.Ptx;
using static LinearCald.Gpu.Tests.Emulator.GroupProgram;

namespace LinearCald.Gpu.Tests.Emulator;

/// <summary>Barriers, races in shared memory, and deadlocks.</summary>
public sealed class BarrierTests
{
    private const string Addresses = """
        shl.b32 %r1, %t, 2;
        mov.u32 %r2, s;
        add.u32 %r3, %r2, %r1;
        xor.b32 %r4, %r1, 0x84;
        add.u32 %r4, %r2, %r4;
        """;

    [Theory]
    [InlineData(Schedule.Forward)]
    [InlineData(Schedule.Backward)]
    [InlineData(Schedule.Shuffled)]
    public void ABarrierOrdersWritesAndReads(Schedule schedule)
    {
        uint[] results = Run($"""
            {Addresses}
            st.shared.u32 [%r3], %t;
            bar.sync 0;
            ld.shared.u32 %r5, [%r4];
            st.global.u32 [%mine], %r5;
            """, 128, options: new() { Schedule = schedule, Seed = 1 });
        Assert.Equal([.. Enumerable.Range(0, 128).Select(static i => (uint)(i ^ 33))], results);
    }

    [Fact]
    public void AReadWithNoBarrierIsARaceInAnyOrder()
    {
        foreach (Schedule schedule in Enum.GetValues<Schedule>())
        {
            CaldException e = Assert.Throws<CaldException>(() => Run($"""
                {Addresses}
                st.shared.u32 [%r3], %t;
                ld.shared.u32 %r5, [%r4];
                bar.sync 0;
                """, 128, options: new() { Schedule = schedule }));
            Assert.True(e.Message.Contains("race: ", StringComparison.Ordinal) || e.Message.Contains("never written", StringComparison.Ordinal), e.Message);
        }
    }

    [Fact]
    public void AWriteAfterReadsOfOthersIsARace() => Fails($"""
        {Addresses}
        st.shared.u32 [%r3], %t;
        bar.sync 0;
        ld.shared.u32 %r5, [%r4];
        setp.lt.u32 %p0, %t, 32;
        @%p0 st.shared.u32 [%r3], %r5;
        """, 64, "race: writes s[", "read (line", "no barrier between");

    [Fact]
    public void ShufflesOrderNothing() => Fails("""
        shl.b32 %r1, %t, 2;
        mov.u32 %r2, s;
        add.u32 %r3, %r2, %r1;
        xor.b32 %r4, %r3, 4;
        st.shared.u32 [%r3], %t;
        shfl.sync.bfly.b32 %r5, %t, 1, 31, -1;
        ld.shared.u32 %r6, [%r4];
        """, 32, "race: reads s[");

    [Fact]
    public void AWarpBarrierOrdersItsLanesOnly()
    {
        const string Code = """
            shl.b32 %r1, %t, 2;
            mov.u32 %r2, s;
            add.u32 %r3, %r2, %r1;
            xor.b32 %r4, %r1, FLIP;
            add.u32 %r4, %r4, %r2;
            st.shared.u32 [%r3], %t;
            bar.warp.sync -1;
            ld.shared.u32 %r6, [%r4];
            st.global.u32 [%mine], %r6;
            """;
        Assert.Equal(1u, Run(Code.Replace("FLIP", "4", StringComparison.Ordinal), 64)[0]);
        Fails(Code.Replace("FLIP", "128", StringComparison.Ordinal), 64, new EmulatorOptions { Schedule = Schedule.Backward }, "s[");
        Fails("""
            setp.ge.u32 %p0, %t, 32;
            @%p0 st.shared.u32 [s], %t;
            bar.warp.sync -1;
            @!%p0 ld.shared.u32 %r6, [s];
            """, 64, new EmulatorOptions { Schedule = Schedule.Backward }, "race");
    }

    /// <summary>Warp 0 fills, warps 1 and 2 read and hand back; the producer does not wait at barrier 1.</summary>
    [Theory]
    [InlineData(Schedule.Forward)]
    [InlineData(Schedule.Backward)]
    [InlineData(Schedule.Shuffled)]
    public void NamedBarriersHandOver(Schedule schedule)
    {
        uint[] results = Run("""
            and.b32 %r1, %t, 31;
            shl.b32 %r1, %r1, 2;
            mov.u32 %r2, s;
            add.u32 %r3, %r2, %r1;
            mov.u32 %r5, 0;
            mov.u32 %r7, 0;
            setp.ge.u32 %p0, %t, 32;
            @%p0 bra CONSUME;
            PRODUCE:
            add.u32 %r6, %r5, %t;
            st.shared.u32 [%r3], %r6;
            bar.arrive 1, 96;
            bar.sync 2, 96;
            add.u32 %r5, %r5, 100;
            setp.lt.u32 %p1, %r5, 400;
            @%p1 bra PRODUCE;
            bra END;
            CONSUME:
            bar.sync 1, 96;
            ld.shared.u32 %r6, [%r3];
            add.u32 %r7, %r7, %r6;
            bar.arrive 2, 96;
            add.u32 %r5, %r5, 100;
            setp.lt.u32 %p1, %r5, 400;
            @%p1 bra CONSUME;
            END:
            st.global.u32 [%mine], %r7;
            """, 96, options: new() { Schedule = schedule, Seed = 9 });
        Assert.Equal([.. Enumerable.Range(0, 96).Select(static t => t < 32 ? 0u : (uint)(600 + (4 * (t % 32))))], results);
    }

    [Fact]
    public void BarriersReduce()
    {
        uint[] results = Run("""
            setp.lt.u32 %p0, %t, 40;
            bar.red.popc.u32 %r0, 0, %p0;
            bar.red.and.pred %p1, 0, %p0;
            bar.red.or.pred %p2, 0, !%p0;
            @%p1 add.u32 %r0, %r0, 1000;
            @%p2 add.u32 %r0, %r0, 2000;
            st.global.u32 [%mine], %r0;
            """, 96);
        Assert.All(results, static r => Assert.Equal(2040u, r));
    }

    [Fact]
    public void DeadlocksNameEveryWaitingLane()
    {
        Fails("""
            setp.lt.u32 %p0, %t, 32;
            @%p0 bra FIRST;
            bar.sync 1, 64;
            ret;
            FIRST: bar.sync 2, 64;
            """, 64, "deadlock", "warp 0 lanes 0xffffffff at line", "bar.sync 2, 64", "warp 1 lanes 0xffffffff", "bar.sync 1, 64");
        Fails("bar.sync 0, 48;", 64, "multiple of 32");
        Fails("bar.sync 16;", 64, "there is no barrier 16");
    }

    [Fact]
    public void EndedThreadsAreNotWaitedFor()
    {
        uint[] results = Run("""
            setp.ge.u32 %p0, %t, 32;
            @%p0 ret;
            bar.sync 0;
            st.global.u32 [%mine], 5;
            """.Replace("st.global.u32 [%mine], 5", "mov.u32 %r0, 5; st.global.u32 [%mine], %r0", StringComparison.Ordinal), 64);
        Assert.Equal((5u, uint.MaxValue), (results[0], results[63]));
    }

    [Fact]
    public void AtomicsDoNotRace()
    {
        uint[] results = Run("""
            setp.eq.u32 %p0, %t, 0;
            mov.u32 %r0, 7;
            @%p0 st.shared.u32 [s], %r0;
            bar.sync 0;
            atom.shared.add.u32 %r1, [s], %t;
            red.shared.max.u32 [s], 1;
            bar.sync 0;
            ld.shared.u32 %r2, [s];
            st.global.u32 [%mine], %r2;
            """, 64);
        Assert.All(results, static r => Assert.Equal(7u + (63 * 32), r));
    }

    [Fact]
    public void EndlessLoopsEnd() => Fails("L: bra L;", 32, new EmulatorOptions { InstructionBudget = 100_000 }, "100,000 warp instructions");
}
