using LinearCald.Testing.Ptx;
using static LinearCald.Gpu.Tests.Emulator.GroupProgram;

namespace LinearCald.Gpu.Tests.Emulator;

/// <summary>Transaction barriers, bulk copies and warpgroup products.</summary>
public sealed class HopperInstructionTests
{
    private const string BulkCopy = """
        .shared .align 8 .b64 full;
        .shared .align 128 .b8 tile[512];
        mov.u32 %r0, full;
        mov.u32 %r1, tile;
        setp.ne.u32 %p0, %t, 0;
        @%p0 bra READY;
        mbarrier.init.shared::cta.b64 [%r0], 1;
        fence.mbarrier_init.release.cluster;
        READY:
        bar.sync 0;
        @%p0 bra WAIT;
        mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r0], 512;
        cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r1], [%in], 256, [%r0];
        cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r1+256], [%in+256], 256, [%r0];
        WAIT:
        mbarrier.try_wait.parity.shared::cta.b64 %p1, [%r0], PARITY;
        @!%p1 bra WAIT;
        mad.lo.u32 %r2, %t, 4, %r1;
        ld.shared.u32 %r3, [%r2];
        st.global.u32 [%mine], %r3;
        """;

    [Theory]
    [InlineData(Schedule.Forward)]
    [InlineData(Schedule.Backward)]
    [InlineData(Schedule.Shuffled)]
    public void BulkCopiesArriveAtTheirBarrier(Schedule schedule)
    {
        uint[] words = [.. Enumerable.Range(0, 128).Select(static i => (uint)(i * i))];
        EmulatorOptions options = new() { Schedule = schedule, Seed = 4, InstructionBudget = 1_000_000 };
        Assert.Equal(words, Run(BulkCopy.Replace("PARITY", "0", StringComparison.Ordinal), 128, words, options: options));

        // Parity 1 is that of the phase before the first: the wait passes at once.
        CaldException e = Assert.Throws<CaldException>(() => Run(BulkCopy.Replace("PARITY", "1", StringComparison.Ordinal), 128, words, options: options));
        Assert.True(e.Message.Contains("in flight", StringComparison.Ordinal) || e.Message.Contains("never written", StringComparison.Ordinal), e.Message);
    }

    [Fact]
    public void ABarrierThatMissesBytesNeverOpens()
    {
        string code = BulkCopy.Replace("PARITY", "0", StringComparison.Ordinal).Replace("b64 _, [%r0], 512", "b64 _, [%r0], 528", StringComparison.Ordinal);
        CaldException e = Assert.Throws<CaldException>(() => Run(code, 128, new uint[128], options: new() { InstructionBudget = 200_000 }));
        Assert.Contains("warp instructions", e.Message, StringComparison.Ordinal);
    }

    /// <summary>64 × 64 times 64 × 8, both K-major with the 128-byte swizzle, four steps of 16 in one group.</summary>
    [Fact]
    public void SwizzledProducts()
    {
        Random random = new(7);
        float[] a = [.. Enumerable.Range(0, 64 * 64).Select(_ => random.Next(-8, 9) / 4f)];
        float[] b = [.. Enumerable.Range(0, 8 * 64).Select(_ => random.Next(-8, 9) / 4f)];
        ushort[] tiles = new ushort[72 * 64];
        for (int row = 0; row < 72; row++)
        {
            for (int k = 0; k < 64; k++)
            {
                float value = row < 64 ? a[(row * 64) + k] : b[((row - 64) * 64) + k];
                tiles[(row * 64) + (8 * ((k / 8) ^ (row & 7))) + (k % 8)] = ((BFloat16)value).Bits;
            }
        }

        float[] results = [.. Run(Product("wgmma.wait_group.sync.aligned 0;"), 128, Words(tiles), 512).Select(BitConverter.UInt32BitsToSingle)];
        for (int i = 0; i < 64; i++)
        {
            for (int j = 0; j < 8; j++)
            {
                Assert.Equal(Enumerable.Range(0, 64).Sum(k => a[(i * 64) + k] * b[(j * 64) + k]), results[(8 * i) + j]);
            }
        }

        CaldException e = Assert.Throws<CaldException>(() => Run(Product(""), 128, Words(tiles), 512));
        Assert.Contains("register %f0, which has no value", e.Message, StringComparison.Ordinal);
    }

    /// <summary>B stored with n contiguous (64 × 16, one box of the 128-byte swizzle), A from registers: the identity picks out rows of B.</summary>
    [Fact]
    public void TransposedOperandsAndRegisters()
    {
        ushort[] tile = new ushort[16 * 64];
        for (int k = 0; k < 16; k++)
        {
            for (int n = 0; n < 64; n++)
            {
                tile[(k * 64) + (8 * ((n / 8) ^ (k & 7))) + (n % 8)] = BitConverter.HalfToUInt16Bits((Half)((100 * k) + n));
            }
        }

        // Row r of A holds 1 at k = r mod 16: lane / 4 is the row in both halves, 2 (lane mod 4) the first of two k.
        string registers = string.Join(", ", Enumerable.Range(0, 32).Select(static i => $"%g{i}"));
        uint[] results = Run($$"""
            .shared .align 1024 .b8 tile[2048];
            .reg .f32 %g<32>;
            mov.u32 %r0, tile;
            mad.lo.u32 %r1, %t, 16, %r0;
            mad.wide.u32 %rd0, %t, 16, %in;
            ld.global.v4.b32 {%r2, %r3, %r4, %r5}, [%rd0];
            st.shared.v4.b32 [%r1], {%r2, %r3, %r4, %r5};
            fence.proxy.async.shared::cta;
            bar.sync 0;
            mov.u32 %r6, %laneid;
            shr.u32 %r7, %r6, 2;
            and.b32 %r8, %r6, 3;
            shr.u32 %r9, %r7, 1;
            and.b32 %r10, %r7, 1;
            setp.eq.u32 %p0, %r10, 1;
            selp.b32 %r11, 0x3C000000, 0x00003C00, %p0;
            setp.eq.u32 %p1, %r9, %r8;
            selp.b32 %r12, %r11, 0, %p1;
            mov.u32 %r13, 0;
            cvt.u64.u32 %rd1, %r0;
            shr.u64 %rd1, %rd1, 4;
            or.b64 %rd1, %rd1, 0x4000004002000000;
            wgmma.fence.sync.aligned;
            wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 { {{registers}} }, {%r12, %r13, %r13, %r12}, %rd1, 0, 1, 1, 1;
            wgmma.commit_group.sync.aligned;
            wgmma.wait_group.sync.aligned 0;
            // The first column pair and the last of each row.
            mad.wide.u32 %rd0, %t, 32, %out;
            st.global.v4.f32 [%rd0], {%g0, %g1, %g2, %g3};
            st.global.v4.f32 [%rd0+16], {%g28, %g29, %g30, %g31};
            """, 128, Words(tile), 1024);
        for (int thread = 0; thread < 128; thread++)
        {
            int row = thread % 32 / 4;
            int column = 2 * (thread % 4);
            float[] expected = [.. new[] { (0, 0), (0, 1), (8, 0), (8, 1), (0, 56), (0, 57), (8, 56), (8, 57) }.Select(p => (100f * (row + p.Item1)) + column + p.Item2)];
            Assert.Equal(expected, results.Skip(8 * thread).Take(8).Select(BitConverter.UInt32BitsToSingle));
        }
    }

    private static string Product(string wait)
    {
        string steps = string.Join('\n', Enumerable.Range(0, 4).Select(static i => $$"""
            wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%f0, %f1, %f2, %f3}, %rd1, %rd2, {{(i == 0 ? 0 : 1)}}, 1, 1, 0, 0;
            add.u64 %rd1, %rd1, 2;
            add.u64 %rd2, %rd2, 2;
            """));
        return $$"""
            .shared .align 1024 .b8 tiles[9216];
            mov.u32 %r0, tiles;
            mov.u32 %r1, %t;
            COPY:
            mad.wide.u32 %rd0, %r1, 16, %in;
            mad.lo.u32 %r2, %r1, 16, %r0;
            ld.global.v4.b32 {%r4, %r5, %r6, %r7}, [%rd0];
            st.shared.v4.b32 [%r2], {%r4, %r5, %r6, %r7};
            add.u32 %r1, %r1, 128;
            setp.lt.u32 %p0, %r1, 576;
            @%p0 bra COPY;
            fence.proxy.async.shared::cta;
            bar.sync 0;
            cvt.u64.u32 %rd1, %r0;
            shr.u64 %rd1, %rd1, 4;
            or.b64 %rd1, %rd1, 0x4000004000010000;
            add.u64 %rd2, %rd1, 512;
            wgmma.fence.sync.aligned;
            {{steps}}
            wgmma.commit_group.sync.aligned;
            {{wait}}
            // Row 16 warp + lane / 4, columns 2 (lane mod 4), +1.
            shr.u32 %r8, %t, 5;
            and.b32 %r9, %t, 31;
            shr.u32 %r10, %r9, 2;
            mad.lo.u32 %r10, %r8, 16, %r10;
            and.b32 %r11, %r9, 3;
            mul.lo.u32 %r10, %r10, 8;
            mad.lo.u32 %r10, %r11, 2, %r10;
            mad.wide.u32 %rd3, %r10, 4, %out;
            st.global.v2.f32 [%rd3], {%f0, %f1};
            st.global.v2.f32 [%rd3+256], {%f2, %f3};
            """;
    }

    private static uint[] Words(ushort[] halves)
    {
        uint[] words = new uint[halves.Length / 2];
        Buffer.BlockCopy(halves, 0, words, 0, halves.Length * 2);
        return words;
    }
}
