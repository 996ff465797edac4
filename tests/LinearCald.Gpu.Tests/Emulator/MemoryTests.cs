using LinearCald.Testing.Ptx;
using static LinearCald.Gpu.Tests.Emulator.GroupProgram;

namespace LinearCald.Gpu.Tests.Emulator;

/// <summary>Accesses that a device would let pass, and widths, spaces, atomics and asynchronous copies.</summary>
public sealed class MemoryTests
{
    private static readonly uint[] s_words = [.. Enumerable.Range(0, 256).Select(static i => 0x9E3779B9u * (uint)(i + 1))];

    [Fact]
    public void OutOfBounds()
    {
        Fails("ld.global.u32 %r0, [%in+256];", 64, "thread (0, 0, 0)", "reads 4 bytes", "256 bytes into the nearest allocation, 256 bytes at", "ld.global.u32 %r0, [%in+256];");
        Fails("mad.wide.u32 %rd0, %t, 8, %out; st.global.u32 [%rd0], %t;", 64, "thread (32, 0, 0)", "writes 4 bytes");
        Fails("st.shared.u32 [s+4096], %t;", 32, "s[4096]", "out of bounds");
        Fails("mov.u32 %r0, s; st.shared.u32 [%r0+4096], %t;", 32, "s[4096] (an array of 4,096 bytes)");
        Fails("mov.u32 %r0, 12; ld.shared.u32 %r1, [%r0];", 32, "out of bounds");
        Fails("ld.param.u32 %r0, [in+8];", 32, "in[8]", "out of bounds");
    }

    [Fact]
    public void Misaligned()
    {
        Fails("ld.global.u32 %r0, [%in+2];", 32, "not a multiple of 4");
        Fails("ld.global.v4.u32 {%r0, %r1, %r2, %r3}, [%in+8];", 32, "not a multiple of 16");
        Fails("st.shared.b64 [s+4], %in;", 32, "not a multiple of 8");
    }

    [Fact]
    public void TwoGroupsWriteOnePlace()
    {
        const string own = "mov.u32 %r0, %ctaid.x; ";
        CaldException e = Assert.Throws<CaldException>(() => Run(own + "st.global.u32 [%out+4], %r0;", 1, outputs: 4, groups: 3));
        foreach (string part in (string[])["group (1, 0, 0)", "race: writes 0x", "4 bytes into the nearest allocation", "which group (0, 0, 0) wrote in this launch (line", "st.global.u32 [%out+4], %r0;"])
        {
            Assert.Contains(part, e.Message, StringComparison.Ordinal);
        }

        Assert.Equal([7u], Run("st.global.u32 [%out], 7;", 1, outputs: 1, groups: 3));
        Assert.Equal([2u], Run(own + "st.volatile.global.u32 [%out], %r0;", 1, outputs: 1, groups: 3));
        Assert.Equal([2u], Run("red.global.add.u32 [%out], 1;", 1, outputs: 1, groups: 3)); // from 0xFFFFFFFF
        Assert.Equal([0x10000u, 0x30002u], Run(own + "mad.wide.u32 %rd0, %r0, 2, %out; cvt.u16.u32 %h0, %r0; st.global.b16 [%rd0], %h0;", 1, outputs: 2, groups: 4));
    }

    [Fact]
    public void NeverWritten()
    {
        Fails("add.u32 %r0, %r1, 1;", 32, "reads register %r1, which has no value");
        Fails("setp.eq.u32 %p0, %t, 3; @%p0 mov.u32 %r1, 4; add.u32 %r0, %r1, 1;", 32, "thread (0, 0, 0)", "%r1");
        Fails("@%p3 mov.u32 %r1, 4;", 32, "%p3");
        Fails("ld.shared.u32 %r0, [s+8];", 32, "s[8]", "never written");
    }

    [Fact]
    public void TextsAreChecked()
    {
        Fails("frobnicate.u32 %r0, %r1;", 32, "PTX line 19 `frobnicate.u32 %r0, %r1;`", "unknown instruction");
        Fails("mov.u32 %x0, 1;", 32, "%x0 is not declared");
        Fails("add.f32 %f0, %f1, %r1; add.s32 %f0, %f1, %f1;", 32, "register %f0 is .f32");
        Fails("add.u32 %r0, %rd0, 1;", 32, "register %rd0 is .b64");
        Fails("add.u32.u32 %r0, %r0, 1;", 32, "misplaced");
        Fails("add.u32 %r0, %r0, %r1, %r2;", 32, "an operand too many");
        Fails("add.u32 %r0, %r0;", 32, "too few operands");
        Fails("add.u32 %r0, %tid.x, 1;", 32, "by mov only");
        Fails("cvt.f32.s32 %f0, %r0;", 32, "says how it rounds");
        Fails("bra NOWHERE;", 32, "label NOWHERE");
        Fails("add.f32 %f0, %f1, 1;", 32, "cannot stand for");
        using EmulatorAccelerator device = new();
        CaldException e = Assert.Throws<CaldException>(() => device.RunPtx(".version 7.0\n.target sm_80\n.address_size 64\n.visible .entry k() { ret; }", "k", new LaunchShape(1, 32), []));
        Assert.Contains("line 4: entry 'k' has neither .reqntid", e.Message, StringComparison.Ordinal);
        e = Assert.Throws<CaldException>(() => device.RunPtx(Text("", 32), "test", new LaunchShape(1, 64), new byte[16]));
        Assert.Contains("for groups of 32", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Widths()
    {
        uint[] results = Run("""
            ld.global.v4.b32 {%r0, %r1, %r2, %r3}, [%in];
            st.shared.v4.b32 [s], {%r0, %r1, %r2, %r3};
            ld.shared.s8 %r4, [s+3];
            ld.shared.u16 %r5, [s+6];
            ld.shared.s16 %r6, [s+6];
            ld.shared.b64 %rd0, [s+8];
            st.global.u32 [%out], %r4;
            st.global.u32 [%out+4], %r5;
            st.global.u32 [%out+8], %r6;
            st.global.b8 [%out+12], %r5;
            st.global.b64 [%out+16], %rd0;
            """, 1, s_words, 6);
        Assert.Equal([(uint)(sbyte)(s_words[0] >> 24), s_words[1] >> 16, (uint)(short)(s_words[1] >> 16), 0xFFFFFF00 | (byte)(s_words[1] >> 16), s_words[2], s_words[3]], results);
    }

    [Fact]
    public void SpacesByGenericAddresses()
    {
        uint[] results = Run("""
            .local .align 4 .b8 mine[8];
            .const .align 4 .u32 table[2] = {11, 22};
            mov.u32 %r0, 33;
            st.local.u32 [mine+4], %r0;
            st.shared.u32 [other+8], %r0;
            mov.u64 %rd0, mine;
            cvta.local.u64 %rd0, %rd0;
            ld.u32 %r1, [%rd0+4];
            mov.u64 %rd1, other;
            cvta.shared.u64 %rd1, %rd1;
            st.u32 [%rd1], %r1;
            ld.shared.u32 %r2, [other];
            ld.const.u32 %r3, [table+4];
            ld.u32 %r4, [%in];
            add.u32 %r1, %r1, %r2;
            add.u32 %r1, %r1, %r3;
            add.u32 %r1, %r1, %r4;
            st.global.u32 [%mine], %r1;
            """, 1, [100]);
        Assert.Equal(33u + 33 + 22 + 100, results[0]);
    }

    [Fact]
    public void AtomicUpdates()
    {
        uint[] results = Run("""
            mov.u32 %r0, 0;
            setp.eq.u32 %p0, %t, 0;
            @%p0 st.global.v4.u32 [%out], {%r0, %r0, %r0, %r0};
            bar.sync 0;
            atom.global.add.u32 %r1, [%out], 2;
            cvt.rn.f32.u32 %f0, %t;
            red.global.add.f32 [%out+4], %f0;
            atom.global.cas.b32 %r2, [%out+8], 0, 9;
            atom.global.max.u32 %r2, [%out+12], %t;
            mad.wide.u32 %rd0, %t, 4, %out;
            st.global.u32 [%rd0+16], %r1;
            """, 32, null, 36);
        Assert.Equal([64u, BitConverter.SingleToUInt32Bits(496), 9u, 31u], results[..4]);
        Assert.Equal([.. Enumerable.Range(0, 32).Select(static i => (uint)(2 * i))], results[4..]);
    }

    [Fact]
    public void DynamicSharedMemoryHasTheSizeOfTheLaunch()
    {
        const string Code = "mov.u32 %r0, dynamic; mad.lo.u32 %r0, %t, 4, %r0; st.shared.u32 [%r0], %t; ld.shared.u32 %r1, [%r0]; st.global.u32 [%mine], %r1;";
        Assert.Equal(31u, Run(Code, 32, dynamicBytes: 128)[31]);
        CaldException e = Assert.Throws<CaldException>(() => Run(Code, 32, dynamicBytes: 124));
        Assert.Contains("thread (31, 0, 0)", e.Message, StringComparison.Ordinal);
    }

    private const string Copy = """
        mad.wide.u32 %rd0, %t, 16, %in;
        mov.u32 %r0, s;
        mad.lo.u32 %r1, %t, 16, %r0;
        cp.async.cg.shared.global [%r1], [%rd0], 16, SIZE;
        cp.async.commit_group;
        WAIT
        ld.shared.u32 %r2, [%r1+12];
        st.global.u32 [%mine], %r2;
        """;

    [Fact]
    public void CopiesArriveWhenWaitedFor()
    {
        Assert.Equal(s_words[7], CopyResult("16", "cp.async.wait_group 0;"));
        Assert.Equal(s_words[7], CopyResult("16", "cp.async.wait_all;"));
        Assert.Equal(0u, CopyResult("4", "cp.async.wait_group 0;"));
        CaldException e = Assert.Throws<CaldException>(() => CopyResult("16", ""));
        Assert.Contains("is in flight", e.Message, StringComparison.Ordinal);
        e = Assert.Throws<CaldException>(() => CopyResult("16", "cp.async.wait_group 1;"));
        Assert.Contains("is in flight", e.Message, StringComparison.Ordinal);
        e = Assert.Throws<CaldException>(() => CopyResult("16", "cp.async.wait_group 0; xor.b32 %r1, %r1, 16;"));
        Assert.Contains("no barrier between", e.Message, StringComparison.Ordinal);
    }

    private static uint CopyResult(string size, string wait) =>
        Run(Copy.Replace("SIZE", size, StringComparison.Ordinal).Replace("WAIT", wait, StringComparison.Ordinal), 32, s_words)[1];

    [Fact]
    public void SwappedOpcodesAreNoticed()
    {
        uint[] Result(string code) => Run($"ld.global.u32 %r0, [%in]; {code} st.global.u32 [%mine], %r1;", 1, [0x80000001]);
        Assert.NotEqual(Result("shr.u32 %r1, %r0, 1;"), Result("shr.s32 %r1, %r0, 1;"));
        Assert.NotEqual(Result("div.u32 %r1, %r0, 7;"), Result("div.s32 %r1, %r0, 7;"));
        Assert.NotEqual(Result("cvt.s32.s8 %r1, %r0; neg.s32 %r1, %r1; cvt.s32.s8 %r1, %r1;"), Result("cvt.u32.u8 %r1, %r0; neg.s32 %r1, %r1; cvt.u32.u8 %r1, %r1;"));
    }
}
