using LinearCald.Testing.Ptx;

namespace LinearCald.Gpu.Tests.Emulator;

/// <summary>
/// A program, of one group unless said otherwise, over words: %in and %out are the addresses of the two buffers, %t the thread, %mine the thread's own place in the output. Registers
/// %r0 … %r31, %rd0 … %rd7, %f0 … %f15, %h0 … %h7, %p0 … %p7 are there to use.
/// </summary>
internal static class GroupProgram
{
    public static uint[] Run(string code, int threads, uint[]? input = null, int outputs = 0, EmulatorOptions? options = null, int dynamicBytes = 0, int groups = 1)
    {
        using EmulatorAccelerator device = new(options);
        using DeviceBuffer<uint> words = device.Allocate<uint>(input ?? [0]);
        using DeviceBuffer<uint> results = device.Allocate<uint>(outputs == 0 ? threads : outputs);
        byte[] parameters = [.. BitConverter.GetBytes((long)words.Address), .. BitConverter.GetBytes((long)results.Address)];
        device.RunPtx(Text(code, threads), "test", new LaunchShape(groups, threads), parameters, dynamicBytes);
        return results.ToArray();
    }

    /// <summary>The program must end in an error that says all of this.</summary>
    public static void Fails(string code, int threads, params string[] messages) => Fails(code, threads, null, messages);

    public static void Fails(string code, int threads, EmulatorOptions? options, params string[] messages)
    {
        CaldException e = Assert.Throws<CaldException>(() => Run(code, threads, new uint[threads], 0, options));
        foreach (string message in messages)
        {
            Assert.Contains(message, e.Message, StringComparison.Ordinal);
        }
    }

    public static string Text(string code, int threads) => $$"""
        .version 8.0
        .target sm_90a
        .address_size 64
        .extern .shared .align 16 .b8 dynamic[];
        .visible .entry test(.param .u64 in, .param .u64 out)
        .reqntid {{threads}}, 1, 1
        {
        .reg .b64 %in, %out, %mine, %rd<8>;
        .reg .b32 %t, %r<32>;
        .reg .b16 %h<8>;
        .reg .f32 %f<16>;
        .reg .pred %p<8>;
        .shared .align 16 .b8 s[4096];
        .shared .align 16 .b8 other[64];
        mov.u32 %t, %tid.x;
        ld.param.u64 %in, [in];
        ld.param.u64 %out, [out];
        mad.wide.u32 %mine, %t, 4, %out;
        {{code}}
        ret;
        }
        """;
}
