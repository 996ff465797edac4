using LinearCald.Testing.Ptx;
using static LinearCald.Gpu.Tests.Emulator.GroupProgram;

namespace LinearCald.Gpu.Tests.Emulator;

/// <summary>Instructions that the lanes of a warp do together.</summary>
public sealed class WarpInstructionTests
{
    private static readonly uint[] s_values = [.. Enumerable.Range(0, 32).Select(static i => (uint)((i * 37) - 500))];

    [Theory]
    [InlineData("bfly", 5, 31)]
    [InlineData("up", 3, 0)]
    [InlineData("down", 7, 31)]
    [InlineData("idx", 9, 31)]
    [InlineData("idx", 40, 31)]
    [InlineData("down", 3, 0x181F)]
    [InlineData("up", 3, 0x1800)]
    [InlineData("bfly", 12, 0x181F)]
    [InlineData("idx", 10, 0x181F)]
    public void Shuffles(string mode, int amount, int clamp)
    {
        uint[] results = Run($"""
            mad.wide.u32 %rd0, %t, 4, %in;
            ld.global.u32 %r0, [%rd0];
            shfl.sync.{mode}.b32 %r1|%p0, %r0, {amount}, {clamp}, -1;
            selp.u32 %r2, 1, 0, %p0;
            mad.wide.u32 %rd1, %t, 4, %mine;
            st.global.v2.u32 [%rd1], %pair;
            """.Replace("%pair", "{%r1, %r2}", StringComparison.Ordinal), 32, s_values, 64);
        int width = (clamp & 0x1F00) == 0 ? 32 : 8;
        for (int lane = 0; lane < 32; lane++)
        {
            int start = lane / width * width;
            int source = mode switch
            {
                "up" => lane - amount,
                "down" => lane + amount,
                "bfly" => lane ^ amount,
                _ => start + (amount % width),
            };
            bool isInside = mode == "up" ? source >= start : source < start + width;
            Assert.Equal((s_values[isInside ? source : lane], isInside ? 1u : 0), (results[2 * lane], results[(2 * lane) + 1]));
        }
    }

    [Fact]
    public void VotesMatchesAndReductions()
    {
        uint[] results = Run("""
            mad.wide.u32 %rd0, %t, 4, %in;
            ld.global.u32 %r0, [%rd0];
            setp.gt.s32 %p0, %r0, 0;
            vote.sync.ballot.b32 %r1, %p0, -1;
            vote.sync.ballot.b32 %r2, !%p0, -1;
            vote.sync.any.pred %p1, %p0, -1;
            vote.sync.all.pred %p2, %p0, -1;
            selp.u32 %r3, 1, 0, %p1;
            @%p2 add.u32 %r3, %r3, 2;
            redux.sync.add.s32 %r4, %r0, -1;
            redux.sync.min.s32 %r5, %r0, -1;
            redux.sync.max.u32 %r6, %r0, -1;
            shr.u32 %r8, %t, 2;
            match.any.sync.b32 %r7, %r8, -1;
            mad.wide.u32 %rd1, %t, 28, %mine;
            st.global.u32 [%rd1], %r1;
            st.global.u32 [%rd1+4], %r2;
            st.global.u32 [%rd1+8], %r3;
            st.global.u32 [%rd1+12], %r4;
            st.global.u32 [%rd1+16], %r5;
            st.global.u32 [%rd1+20], %r6;
            st.global.u32 [%rd1+24], %r7;
            """, 32, s_values, 256);
        uint ballot = 0;
        for (int i = 0; i < 32; i++)
        {
            ballot |= (int)s_values[i] > 0 ? 1u << i : 0;
        }

        for (int lane = 0; lane < 32; lane++)
        {
            uint[] expected =
            [
                ballot, ~ballot, 1, (uint)s_values.Sum(static v => (int)v), (uint)s_values.Min(static v => (int)v), s_values.Max(), 0xFu << (lane / 4 * 4),
            ];
            Assert.Equal(expected, results.AsSpan(lane * 8, 7).ToArray());
        }
    }

    /// <summary>Two halves of a warp reduce by masks of their own, one after the other.</summary>
    [Fact]
    public void HalvesOfAWarpMeetOnTheirOwn()
    {
        const string Code = """
            setp.lt.u32 %p0, %t, 16;
            @%p0 bra LOW;
            redux.sync.add.u32 %r0, %t, 0xFFFF0000;
            bra JOIN;
            LOW:
            redux.sync.add.u32 %r0, %t, 0x0000FFFF;
            JOIN:
            bar.warp.sync -1;
            st.global.u32 [%mine], %r0;
            """;
        foreach (Schedule schedule in Enum.GetValues<Schedule>())
        {
            uint[] results = Run(Code, 32, options: new() { Schedule = schedule, Seed = 3 });
            Assert.Equal((120u, 376u), (results[3], results[30]));
        }
    }

    [Fact]
    public void AMissingLaneIsADeadlock() => Fails("""
        setp.eq.u32 %p0, %t, 7;
        @%p0 bra WAIT;
        shfl.sync.bfly.b32 %r0, %t, 1, 31, -1;
        WAIT: bar.sync 0;
        """, 32, "deadlock", "shfl.sync.bfly.b32", "lanes 0x00000080 at line", "bar.sync 0");

    [Fact]
    public void AShuffleFromALaneThatHasEndedHasNoValue() => Fails("""
        setp.ge.u32 %p0, %t, 16;
        @%p0 ret;
        shfl.sync.down.b32 %r0, %t, 8, 31, -1;
        st.global.u32 [%mine], %r0;
        """, 32, "thread (8, 0, 0)", "register %r0, which has no value");

    [Fact]
    public void ActiveMaskIsRefused() => Fails("activemask.b32 %r0;", 32, "activemask", "name the lanes by a mask");

    /// <summary>Each lane runs a loop of its own length; all meet again behind it.</summary>
    [Theory]
    [InlineData(Schedule.Forward)]
    [InlineData(Schedule.Backward)]
    [InlineData(Schedule.Shuffled)]
    public void LanesThatSplitMeetAgain(Schedule schedule)
    {
        uint[] results = Run("""
            mov.u32 %r0, 0;
            mov.u32 %r1, 0;
            LOOP:
            setp.ge.u32 %p0, %r0, %t;
            @%p0 bra DONE;
            and.b32 %r2, %r0, 1;
            setp.eq.u32 %p1, %r2, 0;
            @%p1 bra EVEN;
            add.u32 %r1, %r1, 100;
            bra NEXT;
            EVEN:
            add.u32 %r1, %r1, %r0;
            NEXT:
            add.u32 %r0, %r0, 1;
            bra LOOP;
            DONE:
            redux.sync.add.u32 %r3, %r1, -1;
            add.u32 %r1, %r1, %r3;
            st.global.u32 [%mine], %r1;
            """, 64, options: new() { Schedule = schedule, Seed = 11 });
        uint Own(int lane) => (uint)Enumerable.Range(0, lane).Sum(static i => i % 2 == 0 ? i : 100);
        for (int lane = 0; lane < 64; lane++)
        {
            uint sum = (uint)Enumerable.Range(lane / 32 * 32, 32).Sum(l => Own(l));
            Assert.Equal(Own(lane) + sum, results[lane]);
        }
    }

    [Fact]
    public void BranchesByTable()
    {
        uint[] results = Run("""
            TABLE: .branchtargets A, B, C;
            rem.u32 %r0, %t, 3;
            brx.idx %r0, TABLE;
            A: mov.u32 %r1, 10;
            bra END;
            B: mov.u32 %r1, 20;
            bra END;
            C: mov.u32 %r1, 30;
            END: st.global.u32 [%mine], %r1;
            """, 32);
        Assert.Equal([.. Enumerable.Range(0, 32).Select(static i => (uint)(i % 3 * 10) + 10)], results);
    }
}
