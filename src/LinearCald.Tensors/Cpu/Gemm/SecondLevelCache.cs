using System.Runtime.Intrinsics.X86;

namespace LinearCald.Tensors.Cpu;

/// <summary>The size of a core's second-level cache, as the processor reports it (CPUID leaf 4, with AMD 8000001Dh: "deterministic cache parameters").</summary>
internal static class SecondLevelCache
{
    private const int IntelLeaf = 4;
    private const int AmdLeaf = unchecked((int)0x8000001D);
    private const int FirstExtendedLeaf = unchecked((int)0x80000000);

    /// <summary>In bytes; a mebibyte where the processor does not say.</summary>
    public static int Bytes { get; } = Reported() is var bytes and > 0 ? bytes : 1 << 20;

    private static int Reported()
    {
        if (!X86Base.IsSupported)
        {
            return 0;
        }

        int intel = X86Base.CpuId(0, 0).Eax >= IntelLeaf ? Find(IntelLeaf) : 0;
        return intel > 0 || (uint)X86Base.CpuId(FirstExtendedLeaf, 0).Eax < unchecked((uint)AmdLeaf) ? intel : Find(AmdLeaf);
    }

    /// <summary>Of the caches that a leaf lists one by one, the first of level 2 that keeps data.</summary>
    private static int Find(int leaf)
    {
        const int MostCaches = 16;
        for (int i = 0; i < MostCaches; i++)
        {
            (int a, int b, int c, _) = X86Base.CpuId(leaf, i);
            int kind = a & 31;
            if (kind == 0)
            {
                break;
            }

            const int Instructions = 2;
            if (kind != Instructions && ((a >> 5) & 7) == 2)
            {
                long size = ((long)((uint)b >> 22) + 1) * (((b >> 12) & 0x3FF) + 1) * ((b & 0xFFF) + 1) * ((uint)c + 1L);
                return size is > 0 and < int.MaxValue ? (int)size : 0;
            }
        }

        return 0;
    }
}
