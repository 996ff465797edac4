using System.Numerics;
using static LinearCald.Gpu.Tests.Emulator.LanewiseProgram;

namespace LinearCald.Gpu.Tests.Emulator;

/// <summary>Integer instructions of the emulator against C# arithmetic on random operands.</summary>
public sealed class IntegerInstructionTests
{
    [Fact]
    public void Sums()
    {
        Agrees("add.s32 %d, %a, %b;", "s32 s32 s32", static (a, b, _) => (uint)((uint)a + (uint)b));
        Agrees("add.u64 %d, %a, %b;", "u64 u64 u64", static (a, b, _) => a + b);
        Agrees("sub.s16 %d, %a, %b;", "s16 s16 s16", static (a, b, _) => (ushort)((ushort)a - (ushort)b));
        Agrees("sub.s64 %d, %a, %b;", "s64 s64 s64", static (a, b, _) => a - b);
        Agrees("sad.s32 %d, %a, %b, %c;", "s32 s32 s32 s32", static (a, b, c) => (uint)(Math.Abs((long)(int)a - (int)b) + (int)c));
    }

    [Fact]
    public void Products()
    {
        Agrees("mul.lo.s32 %d, %a, %b;", "s32 s32 s32", static (a, b, _) => (uint)((int)a * (int)b));
        Agrees("mul.hi.s32 %d, %a, %b;", "s32 s32 s32", static (a, b, _) => (uint)((long)(int)a * (int)b >> 32));
        Agrees("mul.hi.u32 %d, %a, %b;", "u32 u32 u32", static (a, b, _) => (a * b) >> 32);
        Agrees("mul.hi.u64 %d, %a, %b;", "u64 u64 u64", static (a, b, _) => Math.BigMul(a, b, out ulong _));
        Agrees("mul.hi.s64 %d, %a, %b;", "s64 s64 s64", static (a, b, _) => (ulong)Math.BigMul((long)a, (long)b, out long _));
        Agrees("mul.wide.s32 %d, %a, %b;", "s32 s32 s64", static (a, b, _) => (ulong)((long)(int)a * (int)b));
        Agrees("mul.wide.u32 %d, %a, %b;", "u32 u32 u64", static (a, b, _) => a * b);
        Agrees("mul.wide.s16 %d, %a, %b;", "s16 s16 s32", static (a, b, _) => (uint)((short)a * (short)b));
        Agrees("mad.lo.s32 %d, %a, %b, %c;", "s32 s32 s32 s32", static (a, b, c) => (uint)((a * b) + c));
        Agrees("mad.lo.u64 %d, %a, %b, %c;", "u64 u64 u64 u64", static (a, b, c) => (a * b) + c);
        Agrees("mad.hi.u32 %d, %a, %b, %c;", "u32 u32 u32 u32", static (a, b, c) => (uint)(((a * b) >> 32) + c));
        Agrees("mad.wide.s32 %d, %a, %b, %c;", "s32 s32 s64 s64", static (a, b, c) => (ulong)((long)(int)a * (int)b) + c);
        Agrees("mad.wide.u32 %d, %a, %b, %c;", "u32 u32 u64 u64", static (a, b, c) => (a * b) + c);
    }

    [Fact]
    public void Quotients()
    {
        Agrees("div.s32 %d, %a, %b;", "s32 s32 s32", static (a, b, _) => (int)b == 0 ? 0xFFFFFFFF : (uint)((long)(int)a / (int)b));
        Agrees("div.u32 %d, %a, %b;", "u32 u32 u32", static (a, b, _) => b == 0 ? 0xFFFFFFFF : a / b);
        Agrees("rem.s32 %d, %a, %b;", "s32 s32 s32", static (a, b, _) => (int)b == 0 ? a : (uint)((long)(int)a % (int)b));
        Agrees("rem.u64 %d, %a, %b;", "u64 u64 u64", static (a, b, _) => b == 0 ? a : a % b);
        Agrees("div.s64 %d, %a, %b;", "s64 s64 s64", static (a, b, _) => b == 0 ? ulong.MaxValue : (ulong)((Int128)(long)a / (long)b));
        Assert.Equal(0x80000000UL, Once("div.s32 %d, %a, %b;", "s32 s32 s32", 0x80000000, 0xFFFFFFFF));
        Assert.Equal(0UL, Once("rem.s32 %d, %a, %b;", "s32 s32 s32", 0x80000000, 0xFFFFFFFF));
    }

    [Fact]
    public void ExtremesAndSigns()
    {
        Agrees("min.s32 %d, %a, %b;", "s32 s32 s32", static (a, b, _) => (uint)Math.Min((int)a, (int)b));
        Agrees("max.u32 %d, %a, %b;", "u32 u32 u32", static (a, b, _) => Math.Max(a, b));
        Agrees("max.s64 %d, %a, %b;", "s64 s64 s64", static (a, b, _) => (ulong)Math.Max((long)a, (long)b));
        Agrees("min.u16 %d, %a, %b;", "u16 u16 u16", static (a, b, _) => Math.Min(a, b));
        Agrees("neg.s32 %d, %a;", "s32 s32", static (a, _, _) => (uint)-(int)a);
        Agrees("neg.s64 %d, %a;", "s64 s64", static (a, _, _) => 0 - a);
        Agrees("abs.s32 %d, %a;", "s32 s32", static (a, _, _) => (uint)Math.Abs((long)(int)a));
        Agrees("abs.s64 %d, %a;", "s64 s64", static (a, _, _) => (long)a < 0 ? 0 - a : a);
    }

    [Fact]
    public void Logic()
    {
        Agrees("and.b32 %d, %a, %b;", "b32 b32 b32", static (a, b, _) => a & b);
        Agrees("or.b64 %d, %a, %b;", "b64 b64 b64", static (a, b, _) => a | b);
        Agrees("xor.b16 %d, %a, %b;", "b16 b16 b16", static (a, b, _) => a ^ b);
        Agrees("not.b32 %d, %a;", "b32 b32", static (a, _, _) => (uint)~a);
        Agrees("not.pred %d, %a;", "pred pred", static (a, _, _) => 1 - a);
        Agrees("xor.pred %d, %a, %b;", "pred pred pred", static (a, b, _) => a ^ b);
        Agrees("lop3.b32 %d, %a, %b, %c, 0xE8;", "b32 b32 b32 b32", static (a, b, c) => (a & b) | (a & c) | (b & c));
        Agrees("lop3.b32 %d, %a, %b, %c, 0x96;", "b32 b32 b32 b32", static (a, b, c) => a ^ b ^ c);
        Agrees("lop3.b32 %d, %a, %b, %c, 0xCA;", "b32 b32 b32 b32", static (a, b, c) => (a & b) | (~a & c));
    }

    [Fact]
    public void ShiftsClampTheirAmount()
    {
        Agrees("shl.b32 %d, %a, %b;", "b32 u32 b32", static (a, b, _) => b > 31 ? 0 : (uint)(a << (int)b));
        Agrees("shl.b64 %d, %a, %b;", "b64 u32 b64", static (a, b, _) => b > 63 ? 0 : a << (int)b);
        Agrees("shr.u32 %d, %a, %b;", "u32 u32 u32", static (a, b, _) => b > 31 ? 0 : a >> (int)b);
        Agrees("shr.s32 %d, %a, %b;", "s32 u32 s32", static (a, b, _) => (uint)((int)a >> (int)Math.Min(b, 31)));
        Agrees("shr.s64 %d, %a, %b;", "s64 u32 s64", static (a, b, _) => (ulong)((long)a >> (int)Math.Min(b, 63)));
        Agrees("shr.b16 %d, %a, %b;", "b16 u32 b16", static (a, b, _) => b > 15 ? 0 : a >> (int)b);
        Agrees("shf.l.wrap.b32 %d, %a, %b, %c;", "b32 b32 u32 b32", static (a, b, c) => (uint)((((b << 32) | a) << (int)(c & 31)) >> 32));
        Agrees("shf.r.clamp.b32 %d, %a, %b, %c;", "b32 b32 u32 b32", static (a, b, c) => (uint)(((b << 32) | a) >> (int)Math.Min(c, 32)));
    }

    [Fact]
    public void Bits()
    {
        Agrees("popc.b32 %d, %a;", "b32 u32", static (a, _, _) => (ulong)BitOperations.PopCount(a));
        Agrees("popc.b64 %d, %a;", "b64 u32", static (a, _, _) => (ulong)BitOperations.PopCount(a));
        Agrees("clz.b32 %d, %a;", "b32 u32", static (a, _, _) => (ulong)BitOperations.LeadingZeroCount((uint)a));
        Agrees("clz.b64 %d, %a;", "b64 u32", static (a, _, _) => (ulong)BitOperations.LeadingZeroCount(a));
        Agrees("brev.b32 %d, %a;", "b32 b32", static (a, _, _) => Convert.ToUInt32(new string([.. Convert.ToString((uint)a, 2).PadLeft(32, '0').Reverse()]), 2));
        Agrees("bfind.u32 %d, %a;", "u32 u32", static (a, _, _) => a == 0 ? 0xFFFFFFFF : (ulong)BitOperations.Log2(a));
        Agrees("bfind.s32 %d, %a;", "s32 u32", static (a, _, _) => (int)a is 0 or -1 ? 0xFFFFFFFF : (ulong)BitOperations.Log2((int)a < 0 ? ~(uint)a : (uint)a));
        Agrees("bfind.shiftamt.u32 %d, %a;", "u32 u32", static (a, _, _) => a == 0 ? 0xFFFFFFFF : 31 - (ulong)BitOperations.Log2(a));
        Agrees("and.b32 %b, %b, 31; bfe.u32 %d, %a, %b, 7;", "u32 u32 u32", static (a, b, _) => (a >> (int)(b & 31)) & 0x7F);
        Agrees("bfe.s32 %d, %a, 5, 9;", "s32 s32", static (a, _, _) => (uint)((int)((uint)a << 18) >> 23));
        Agrees("bfe.s32 %d, %a, 28, 9;", "s32 s32", static (a, _, _) => (uint)((int)a >> 28));
        Agrees("bfi.b32 %d, %a, %b, 3, 11;", "b32 b32 b32", static (a, b, _) => (b & ~(0x7FFUL << 3)) | ((a & 0x7FF) << 3));
        Agrees("bfi.b64 %d, %a, %b, 60, 11;", "b64 b64 b64", static (a, b, _) => (b & ~(0xFUL << 60)) | (a << 60));
        Agrees("prmt.b32 %d, %a, %b, 0x0123;", "b32 b32 b32", static (a, _, _) => BinaryPrimitivesReverse(a));
        Agrees("prmt.b32 %d, %a, %b, 0x7632;", "b32 b32 b32", static (a, b, _) => (a >> 16) | (b & 0xFFFF0000));
        Agrees("prmt.b32 %d, %a, %b, 0x8888;", "b32 b32 b32", static (a, _, _) => (a & 0x80) != 0 ? 0xFFFFFFFF : 0);
    }

    [Fact]
    public void Comparisons()
    {
        Agrees("setp.lt.s32 %d, %a, %b;", "s32 s32 pred", static (a, b, _) => (int)a < (int)b ? 1UL : 0);
        Agrees("setp.lt.u32 %d, %a, %b;", "u32 u32 pred", static (a, b, _) => a < b ? 1UL : 0);
        Agrees("setp.hs.u64 %d, %a, %b;", "u64 u64 pred", static (a, b, _) => a >= b ? 1UL : 0);
        Agrees("setp.ge.s64 %d, %a, %b;", "s64 s64 pred", static (a, b, _) => (long)a >= (long)b ? 1UL : 0);
        Agrees("setp.ne.b16 %d, %a, %b;", "b16 b16 pred", static (a, b, _) => a != b ? 1UL : 0);
        Agrees("setp.le.and.s32 %d, %a, %b, !%c;", "s32 s32 pred pred", static (a, b, c) => (int)a <= (int)b && c == 0 ? 1UL : 0);
        Agrees("setp.gt.xor.u32 %d, %a, %b, %c;", "u32 u32 pred pred", static (a, b, c) => (a > b) != (c != 0) ? 1UL : 0);
        Agrees(".reg .pred %p; setp.eq.or.s32 %p|%d, %a, %b, %c;", "s32 s32 pred pred", static (a, b, c) => a != b || c != 0 ? 1UL : 0);
        Agrees("selp.b32 %d, %a, %b, %c;", "b32 b32 pred b32", static (a, b, c) => c != 0 ? a : b);
        Agrees("slct.u32.s32 %d, %a, %b, %c;", "u32 u32 s32 u32", static (a, b, c) => (int)c >= 0 ? a : b);
    }

    /// <summary>PTX allows them; the compiler of a driver decided one wrongly, so ours may not emit any.</summary>
    [Theory]
    [InlineData("setp.lt.u32 %p0, %r0, 0;")]
    [InlineData("setp.hs.u32 %p0, %r0, 0;")]
    [InlineData("setp.gt.u32 %p0, 0, %r0;")]
    [InlineData("setp.gt.u32 %p0, %r0, 4294967295;")]
    [InlineData("setp.le.u64 %p0, %rd0, -1;")]
    [InlineData("setp.ge.u64 %p0, -1, %rd0;")]
    public void UnsignedComparisonsDecidedByAConstant(string code) => GroupProgram.Fails(code, 32, "decided by its constant");

    [Fact]
    public void UnsignedComparisonsAtABound()
    {
        Agrees(".reg .pred %q; setp.gt.u32 %q, %a, 0; selp.b32 %d, 1, 0, %q;", "u32 u32", static (a, _, _) => a > 0 ? 1UL : 0);
        Agrees(".reg .pred %q; setp.lt.u32 %q, %a, -1; selp.b32 %d, 1, 0, %q;", "u32 u32", static (a, _, _) => a < uint.MaxValue ? 1UL : 0);
        Agrees(".reg .pred %q; setp.lt.s32 %q, %a, 0; selp.b32 %d, 1, 0, %q;", "s32 u32", static (a, _, _) => (int)a < 0 ? 1UL : 0);
    }

    [Fact]
    public void Moves()
    {
        Agrees(".reg .b16 %l, %h; mov.b32 {%l, %h}, %a; mov.b32 %d, {%h, %l};", "b32 b32", static (a, _, _) => (uint)BitOperations.RotateLeft((uint)a, 16));
        Agrees(".reg .b32 %h; mov.b64 {_, %h}, %a; mov.b64 %d, {%h, 7};", "b64 b64", static (a, _, _) => (a >> 32) | (7UL << 32));
        Agrees(".reg .b16 %w<4>; mov.b64 {%w0, %w1, %w2, %w3}, %a; mov.b64 %d, {%w3, %w2, %w1, %w0};", "b64 b64",
            static (a, _, _) => (a >> 48) | ((a >> 16) & 0xFFFF0000) | ((a << 16) & 0xFFFF00000000) | (a << 48));
    }

    private static ulong BinaryPrimitivesReverse(ulong a) => System.Buffers.Binary.BinaryPrimitives.ReverseEndianness((uint)a);
}
