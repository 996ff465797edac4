using System.Text;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Testing.Ptx;

namespace LinearCald.Gpu.Tests.Emulator;

/// <summary>
/// A program that loads %a, %b, %c of each thread, runs some instructions, and stores %d. Every operand has 8 bytes in memory; its register type comes from
/// its PTX type (<c>pred</c> operands are loaded as words and compared with 0).
/// </summary>
internal static class LanewiseProgram
{
    public const int Threads = 64;

    /// <summary>Operands as likely to be special as to be random.</summary>
    public static Gen<ulong> Words { get; } = Gen.Frequency(
        (3, Gen.Choose(int.MinValue, int.MaxValue).Two().Select(static p => ((ulong)(uint)p.Item1 << 32) | (uint)p.Item2)),
        (2, Gen.Elements<ulong>(
            0, 1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF, 0x7F800000, 0xFF800000, 0x7FC00000,
            0x00000001_00000000, 0x3F800000, 0xBF800000, 0x3FC00000, 0x40200000, 0x4F000000, 0x4EFFFFFF, 0x00800000, 0x007FFFFF, 0x7F7FFFFF, 0x7FFFFFFFFFFFFFFF,
            0x8000000000000000, ulong.MaxValue, 0x3FF0000000000000, 0xBFF0000000000000, 0x7FF0000000000000, 0x7FF8000000000000, 0x41E0000000000000, 0x43E0000000000000, 0x3C00, 0x7C00, 0x3F80)),
        (1, Gen.Choose(-40, 40).Select(static n => (ulong)(long)n)),
        (2, Gen.Choose(-1000, 1000).Select(static n => (ulong)BitConverter.SingleToUInt32Bits(n / 8f))),
        (2, Gen.Choose(-1000, 1000).Select(static n => BitConverter.DoubleToUInt64Bits(n / 8.0))));

    /// <summary>Runs the instructions on random operands and compares %d, cut to its type, with the expected bits.</summary>
    /// <param name="code">Instructions over %a, %b, %c, %d.</param>
    /// <param name="types">Types of the operands, then of %d: <c>"s32 s32 s64"</c>.</param>
    /// <param name="expected">From the operands (cut to their types) to the result.</param>
    /// <param name="options">Of the emulator.</param>
    public static void Agrees(string code, string types, Func<ulong, ulong, ulong, ulong> expected, EmulatorOptions? options = null) =>
        Holds(code, types, (a, b, c, d) => expected(a, b, c) == d ? null : $"0x{expected(a, b, c):x}", options);

    /// <summary>The same with a check of one's own, which returns what it expected where it is not satisfied.</summary>
    public static void Holds(string code, string types, Func<ulong, ulong, ulong, ulong, string?> check, EmulatorOptions? options = null)
    {
        using EmulatorAccelerator device = new(options);
        string[] list = types.Split(' ');
        string ptx = Text(code, list);
        Prop.ForAll(Words.ArrayOf(3 * Threads).ToArbitrary(), words =>
        {
            ulong[] cut = [.. words.Select((w, i) => w & Mask(i / Threads < list.Length - 1 ? list[i / Threads] : "b64"))];
            ulong[] results = Run(device, ptx, cut);
            for (int i = 0; i < Threads; i++)
            {
                ulong d = results[i] & Mask(list[^1]);
                string? wanted = check(cut[i], cut[Threads + i], cut[(2 * Threads) + i], d);
                if (wanted is not null)
                {
                    throw new InvalidOperationException($"{code} of 0x{cut[i]:x}, 0x{cut[Threads + i]:x}, 0x{cut[(2 * Threads) + i]:x} gave 0x{d:x}, expected {wanted}");
                }
            }
        }).Holds(30);
    }

    /// <summary>The result for one set of operands.</summary>
    public static ulong Once(string code, string types, ulong a = 0, ulong b = 0, ulong c = 0)
    {
        using EmulatorAccelerator device = new();
        string[] list = types.Split(' ');
        ulong[] words = new ulong[3 * Threads];
        words.AsSpan(0, Threads).Fill(a);
        words.AsSpan(Threads, Threads).Fill(b);
        words.AsSpan(2 * Threads).Fill(c);
        return Run(device, Text(code, list), words)[0] & Mask(list[^1]);
    }

    private static ulong[] Run(EmulatorAccelerator device, string ptx, ulong[] words)
    {
        using DeviceBuffer<ulong> operands = device.Allocate<ulong>(words);
        using DeviceBuffer<ulong> results = device.Allocate<ulong>(Threads);
        byte[] parameters = [.. BitConverter.GetBytes((long)operands.Address), .. BitConverter.GetBytes((long)results.Address)];
        device.RunPtx(ptx, "test", new LaunchShape(1, Threads), parameters);
        return results.ToArray();
    }

    private static ulong Mask(string type) => type switch
    {
        "pred" => 1,
        "bf16" => 0xFFFF,
        "f16x2" or "bf16x2" or "tf32" => 0xFFFFFFFF,
        _ => int.Parse(type.AsSpan(1), null) == 64 ? ulong.MaxValue : (1UL << int.Parse(type.AsSpan(1), null)) - 1,
    };

    private static string Register(string type) => type switch
    {
        "pred" => "pred",
        "f32" or "f64" => type,
        "f16x2" or "bf16x2" or "tf32" => "b32",
        "b8" or "u8" or "s8" or "f16" or "bf16" => "b16",
        _ => "b" + type[1..],
    };

    private static string Text(string code, string[] types)
    {
        StringBuilder text = new();
        text.Append(".version 8.0\n.target sm_90a\n.address_size 64\n.visible .entry test(.param .u64 in, .param .u64 out)\n.reqntid ")
            .Append(Threads).Append(", 1, 1\n{\n.reg .b64 %in, %out;\n.reg .b32 %t, %w;\n");
        string[] names = ["%a", "%b", "%c"];
        for (int i = 0; i < 3; i++)
        {
            text.Append(".reg .").Append(Register(i < types.Length - 1 ? types[i] : "b64")).Append(' ').Append(names[i]).Append(";\n");
        }

        text.Append(".reg .").Append(Register(types[^1])).Append(" %d;\n");
        text.Append("mov.u32 %t, %tid.x;\nld.param.u64 %in, [in];\nld.param.u64 %out, [out];\ncvta.to.global.u64 %in, %in;\ncvta.to.global.u64 %out, %out;\n");
        text.Append("mad.wide.u32 %in, %t, 8, %in;\nmad.wide.u32 %out, %t, 8, %out;\n");
        for (int i = 0; i < types.Length - 1; i++)
        {
            int offset = i * Threads * 8;
            text.Append(types[i] == "pred"
                ? $"ld.global.u32 %w, [%in+{offset}];\nsetp.ne.u32 {names[i]}, %w, 0;\n"
                : $"ld.global.b{BitsOf(Register(types[i]))} {names[i]}, [%in+{offset}];\n");
        }

        text.Append(code).Append('\n');
        text.Append(types[^1] == "pred" ? "selp.u32 %w, 1, 0, %d;\nst.global.u32 [%out], %w;\n" : $"st.global.b{BitsOf(Register(types[^1]))} [%out], %d;\n");
        return text.Append("ret;\n}\n").ToString();
    }

    private static string BitsOf(string register) => register[1..];
}
