using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LinearCald.Tensors;

/// <summary>
/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a bijection of 128-bit counters
/// under a 64-bit key. The number at an index is a pure function of (seed, stream, index), so that any part of a sequence can be made
/// by any thread, and made again in a backward pass instead of being stored.
/// </summary>
/// <remarks>
/// The key is the seed; the counter is (block, stream). The words of sixteen blocks form a group of 64 numbers, laid out as a 16-lane
/// register leaves them: number 64·g + 16·k + l of a stream is word k of block 16·g + l.
/// </remarks>
public static class Philox
{
    /// <summary>Numbers that are made together.</summary>
    internal const int GroupSize = 64;

    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>The four random words of one counter.</summary>
    public static (uint W0, uint W1, uint W2, uint W3) Block((uint C0, uint C1, uint C2, uint C3) counter, (uint K0, uint K1) key)
    {
        (uint c0, uint c1, uint c2, uint c3) = counter;
        (uint k0, uint k1) = key;
        for (int round = 0; round < Rounds; round++)
        {
            ulong p0 = (ulong)Multiplier0 * c0;
            ulong p1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        return (c0, c1, c2, c3);
    }

    /// <summary>The random word at <paramref name="index"/> of a stream, made alone.</summary>
    public static uint Word(ulong seed, ulong stream, ulong index)
    {
        ulong block = (index / GroupSize * 16) + (index % 16);
        (uint w0, uint w1, uint w2, uint w3) = Block(
            ((uint)block, (uint)(block >> 32), (uint)stream, (uint)(stream >> 32)),
            ((uint)seed, (uint)(seed >> 32)));
        return (index % GroupSize / 16) switch { 0 => w0, 1 => w1, 2 => w2, _ => w3 };
    }

    /// <summary>The 64 words of group <paramref name="group"/>: those at the indices 64·group … 64·group + 63.</summary>
    internal static unsafe void Group(ulong seed, ulong stream, ulong group, uint* words)
    {
        if (Avx512F.IsSupported && Vector512.IsHardwareAccelerated)
        {
            Group512(seed, stream, group * 16, words);
        }
        else if (Avx2.IsSupported)
        {
            Group256(seed, stream, group * 16, words);
            Group256(seed, stream, (group * 16) + 8, words + 8);
        }
        else
        {
            GroupReference(seed, stream, group, words);
        }
    }

    /// <summary>The plain twin of <see cref="Group"/>.</summary>
    internal static unsafe void GroupReference(ulong seed, ulong stream, ulong group, uint* words)
    {
        for (uint lane = 0; lane < 16; lane++)
        {
            ulong block = (group * 16) + lane;
            (words[lane], words[16 + lane], words[32 + lane], words[48 + lane]) = Block(
                ((uint)block, (uint)(block >> 32), (uint)stream, (uint)(stream >> 32)),
                ((uint)seed, (uint)(seed >> 32)));
        }
    }

    // Even and odd blocks sit in the lower halves of 64-bit lanes. A 32×32-bit product reads only those, so that what a product leaves
    // in the upper half may stay there; no masking is needed until the end.
    private static unsafe void Group512(ulong seed, ulong stream, ulong block, uint* words)
    {
        Vector512<ulong> m0 = Vector512.Create((ulong)Multiplier0), m1 = Vector512.Create((ulong)Multiplier1);
        Vector512<ulong> a0 = Vector512.Create(block) + Vector512.Create(0ul, 2, 4, 6, 8, 10, 12, 14), b0 = a0 + Vector512<ulong>.One;
        Vector512<ulong> a1 = Vector512.Create(block >> 32), b1 = a1, a2 = Vector512.Create(stream), b2 = a2;
        Vector512<ulong> a3 = Vector512.Create(stream >> 32), b3 = a3;
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            Vector512<ulong> key0 = Vector512.Create((ulong)k0), key1 = Vector512.Create((ulong)k1);
            Vector512<ulong> pa = Avx512F.Multiply(m0.AsUInt32(), a0.AsUInt32()), qa = Avx512F.Multiply(m1.AsUInt32(), a2.AsUInt32());
            Vector512<ulong> pb = Avx512F.Multiply(m0.AsUInt32(), b0.AsUInt32()), qb = Avx512F.Multiply(m1.AsUInt32(), b2.AsUInt32());
            a0 = (qa >>> 32) ^ a1 ^ key0;
            b0 = (qb >>> 32) ^ b1 ^ key0;
            a2 = (pa >>> 32) ^ a3 ^ key1;
            b2 = (pb >>> 32) ^ b3 ^ key1;
            (a1, b1, a3, b3) = (qa, qb, pa, pb);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        Interleave(a0, b0).Store(words);
        Interleave(a1, b1).Store(words + 16);
        Interleave(a2, b2).Store(words + 32);
        Interleave(a3, b3).Store(words + 48);
    }

    private static unsafe void Group256(ulong seed, ulong stream, ulong block, uint* words)
    {
        Vector256<ulong> m0 = Vector256.Create((ulong)Multiplier0), m1 = Vector256.Create((ulong)Multiplier1);
        Vector256<ulong> a0 = Vector256.Create(block) + Vector256.Create(0ul, 2, 4, 6), b0 = a0 + Vector256<ulong>.One;
        Vector256<ulong> a1 = Vector256.Create(block >> 32), b1 = a1, a2 = Vector256.Create(stream), b2 = a2;
        Vector256<ulong> a3 = Vector256.Create(stream >> 32), b3 = a3;
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            Vector256<ulong> key0 = Vector256.Create((ulong)k0), key1 = Vector256.Create((ulong)k1);
            Vector256<ulong> pa = Avx2.Multiply(m0.AsUInt32(), a0.AsUInt32()), qa = Avx2.Multiply(m1.AsUInt32(), a2.AsUInt32());
            Vector256<ulong> pb = Avx2.Multiply(m0.AsUInt32(), b0.AsUInt32()), qb = Avx2.Multiply(m1.AsUInt32(), b2.AsUInt32());
            a0 = (qa >>> 32) ^ a1 ^ key0;
            b0 = (qb >>> 32) ^ b1 ^ key0;
            a2 = (pa >>> 32) ^ a3 ^ key1;
            b2 = (pb >>> 32) ^ b3 ^ key1;
            (a1, b1, a3, b3) = (qa, qb, pa, pb);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        Interleave(a0, b0).Store(words);
        Interleave(a1, b1).Store(words + 16);
        Interleave(a2, b2).Store(words + 32);
        Interleave(a3, b3).Store(words + 48);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Interleave(Vector512<ulong> even, Vector512<ulong> odd) =>
        ((even & Vector512.Create(0xFFFFFFFFul)) | (odd << 32)).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Interleave(Vector256<ulong> even, Vector256<ulong> odd) =>
        ((even & Vector256.Create(0xFFFFFFFFul)) | (odd << 32)).AsUInt32();
}
