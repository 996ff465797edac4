using static LinearCald.Gpu.Tests.Emulator.LanewiseProgram;

namespace LinearCald.Gpu.Tests.Emulator;

/// <summary>cvt of the emulator against C# conversions.</summary>
public sealed class ConversionTests
{
    [Fact]
    public void BetweenIntegers()
    {
        Agrees("cvt.s64.s32 %d, %a;", "s32 s64", static (a, _, _) => (ulong)(int)a);
        Agrees("cvt.u64.u32 %d, %a;", "u32 u64", static (a, _, _) => a);
        Agrees("cvt.u32.u64 %d, %a;", "u64 u32", static (a, _, _) => (uint)a);
        Agrees("cvt.s32.s8 %d, %a;", "b32 s32", static (a, _, _) => (uint)(sbyte)a);
        Agrees("cvt.s32.s16 %d, %a;", "b32 s32", static (a, _, _) => (uint)(short)a);
        Agrees("cvt.u32.u8 %d, %a;", "b32 u32", static (a, _, _) => (byte)a);
        Agrees("cvt.s8.s32 %d, %a;", "s32 b32", static (a, _, _) => (uint)(sbyte)a);
        Agrees("cvt.u16.u32 %d, %a;", "u32 b32", static (a, _, _) => (ushort)a);
        Agrees("cvt.sat.s8.s32 %d, %a;", "s32 b32", static (a, _, _) => (uint)Math.Clamp((int)a, -128, 127));
        Agrees("cvt.sat.u8.s32 %d, %a;", "s32 b32", static (a, _, _) => (uint)Math.Clamp((int)a, 0, 255));
        Agrees("cvt.sat.u32.s64 %d, %a;", "s64 u32", static (a, _, _) => (uint)Math.Clamp((long)a, 0, uint.MaxValue));
    }

    [Fact]
    public void FloatsToIntegersSaturate()
    {
        Agrees("cvt.rzi.s32.f32 %d, %a;", "f32 s32", static (a, _, _) => (uint)Clamp(Math.Truncate(F(a)), int.MinValue, int.MaxValue));
        Agrees("cvt.rzi.u32.f32 %d, %a;", "f32 u32", static (a, _, _) => (uint)Clamp(Math.Truncate(F(a)), 0, uint.MaxValue));
        Agrees("cvt.rni.s32.f32 %d, %a;", "f32 s32", static (a, _, _) => (uint)Clamp(Math.Round((double)F(a)), int.MinValue, int.MaxValue));
        Agrees("cvt.rmi.s32.f32 %d, %a;", "f32 s32", static (a, _, _) => (uint)Clamp(Math.Floor(F(a)), int.MinValue, int.MaxValue));
        Agrees("cvt.rpi.s32.f32 %d, %a;", "f32 s32", static (a, _, _) => (uint)Clamp(Math.Ceiling(F(a)), int.MinValue, int.MaxValue));
        Agrees("cvt.rzi.s32.f64 %d, %a;", "f64 s32", static (a, _, _) => double.IsNaN(D(a)) ? 0x80000000 : (uint)Clamp(Math.Truncate(D(a)), int.MinValue, int.MaxValue));
        Agrees("cvt.rzi.s64.f32 %d, %a;", "f32 s64", static (a, _, _) => float.IsNaN(F(a)) ? 1UL << 63 : (ulong)(long)F(a));
        Assert.Equal(0x7FFFFFFFFFFFFFFFUL, Once("cvt.rzi.s64.f64 %d, %a;", "f64 s64", BitConverter.DoubleToUInt64Bits(9.3e18)));
        Assert.Equal(0xFFFFFFFFFFFFFFFFUL, Once("cvt.rzi.u64.f32 %d, %a;", "f32 u64", 0x7F7FFFFF));
        Assert.Equal(0UL, Once("cvt.rzi.s32.f32 %d, %a;", "f32 s32", 0x7FC00000));
        Assert.Equal(0x7FFFFFFFUL, Once("cvt.rzi.s32.f32 %d, %a;", "f32 s32", 0x4F000000));
    }

    [Fact]
    public void IntegersToFloats()
    {
        Agrees("cvt.rn.f32.s32 %d, %a;", "s32 f32", static (a, _, _) => Bits((int)a));
        Agrees("cvt.rn.f32.u32 %d, %a;", "u32 f32", static (a, _, _) => Bits((uint)a));
        Agrees("cvt.rn.f64.s32 %d, %a;", "s32 f64", static (a, _, _) => BitConverter.DoubleToUInt64Bits((int)a));
        Agrees("cvt.rn.f64.s64 %d, %a;", "s64 f64", static (a, _, _) => BitConverter.DoubleToUInt64Bits((long)a));
        Agrees("cvt.rz.f32.u32 %d, %a;", "u32 f32", static (a, _, _) => Bits((float)(Drop((uint)a))));
        Agrees("cvt.rn.f16.s32 %d, %a;", "s32 f16", static (a, _, _) => BitConverter.HalfToUInt16Bits((Half)(int)a));

        // 2^63 + 2^39 lies midway between floats and 2^63 + 2^39 + 1 above it: two roundings would lose the 1.
        Assert.Equal(0x5F000000UL, Once("cvt.rn.f32.u64 %d, %a;", "u64 f32", (1UL << 63) + (1UL << 39)));
        Assert.Equal(0x5F000001UL, Once("cvt.rn.f32.u64 %d, %a;", "u64 f32", (1UL << 63) + (1UL << 39) + 1));
    }

    [Fact]
    public void BetweenFloats()
    {
        Agrees("cvt.rn.f32.f64 %d, %a;", "f64 f32", static (a, _, _) => Bits((float)D(a)));
        Agrees("cvt.f64.f32 %d, %a;", "f32 f64", static (a, _, _) => float.IsNaN(F(a)) ? 0x7FFFFFFFFFFFFFFF : BitConverter.DoubleToUInt64Bits(F(a)));
        Agrees("cvt.rn.f16.f32 %d, %a;", "f32 f16", static (a, _, _) => float.IsNaN(F(a)) ? 0x7FFFUL : BitConverter.HalfToUInt16Bits((Half)F(a)));
        Agrees("cvt.f32.f16 %d, %a;", "f16 f32", static (a, _, _) => Bits((float)BitConverter.UInt16BitsToHalf((ushort)a)));
        Agrees("cvt.rn.bf16.f32 %d, %a;", "f32 bf16", static (a, _, _) => float.IsNaN(F(a)) ? 0x7FFFUL : ((BFloat16)F(a)).Bits);
        Agrees("cvt.f32.bf16 %d, %a;", "bf16 f32", static (a, _, _) => Bits(F(a << 16)));
        Agrees("cvt.rna.tf32.f32 %d, %a;", "f32 tf32", static (a, _, _) => float.IsNaN(F(a)) ? 0x7FFFFFFF : Packed.TensorFloat32(F(a)));
        Agrees("cvt.rzi.f32.f32 %d, %a;", "f32 f32", static (a, _, _) => Bits(MathF.Truncate(F(a))));
        Agrees("cvt.rni.f32.f32 %d, %a;", "f32 f32", static (a, _, _) => Bits(MathF.Round(F(a))));
        Agrees("cvt.rmi.f64.f64 %d, %a;", "f64 f64", static (a, _, _) => double.IsNaN(D(a)) ? 0x7FFFFFFFFFFFFFFF : BitConverter.DoubleToUInt64Bits(Math.Floor(D(a))));
        Agrees("cvt.ftz.f32.f32 %d, %a;", "f32 f32", static (a, _, _) => float.IsSubnormal(F(a)) ? a & 0x80000000 : Bits(F(a)));
        Agrees("cvt.sat.f32.f32 %d, %a;", "f32 f32", static (a, _, _) => F(a) > 0 ? Bits(MathF.Min(F(a), 1)) : 0);
    }

    [Fact]
    public void PairsPutTheFirstSourceIntoTheUpperHalf()
    {
        Agrees("cvt.rn.f16x2.f32 %d, %a, %b;", "f32 f32 f16x2", static (a, b, _) => Half(b) | (Half(a) << 16));
        Agrees("cvt.rn.bf16x2.f32 %d, %a, %b;", "f32 f32 bf16x2", static (a, b, _) => Brain(b) | (Brain(a) << 16));
        Agrees("cvt.rn.relu.bf16x2.f32 %d, %a, %b;", "f32 f32 bf16x2", static (a, b, _) => Clamped(b) | (Clamped(a) << 16));
    }

    private static ulong Half(ulong a) => float.IsNaN(F(a)) ? 0x7FFFUL : BitConverter.HalfToUInt16Bits((Half)F(a));

    private static ulong Brain(ulong a) => float.IsNaN(F(a)) ? 0x7FFFUL : ((BFloat16)F(a)).Bits;

    private static ulong Clamped(ulong a) => F(a) < 0 ? 0 : Brain(a);

    private static long Clamp(double value, long minimum, long maximum) => double.IsNaN(value) ? 0 : value < minimum ? minimum : value > maximum ? maximum : (long)value;

    private static uint Drop(uint value)
    {
        int extra = Math.Max(0, 8 - System.Numerics.BitOperations.LeadingZeroCount(value));
        return value >> extra << extra;
    }

    private static float F(ulong raw) => BitConverter.UInt32BitsToSingle((uint)raw);

    private static double D(ulong raw) => BitConverter.UInt64BitsToDouble(raw);

    private static ulong Bits(float value) => float.IsNaN(value) ? 0x7FFFFFFF : BitConverter.SingleToUInt32Bits(value);
}
