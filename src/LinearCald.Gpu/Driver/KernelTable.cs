using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LinearCald.Gpu.Driver;

/// <summary>
/// Finds the loaded function of a kernel by its group size and the bytes of its constant arguments. The way there allocates nothing: two dictionary
/// look-ups and a comparison.
/// </summary>
internal sealed class KernelTable<TFunction>
    where TFunction : class
{
    private readonly Dictionary<Kernel, Variants> _kernels = new(ReferenceEqualityComparer.Instance);

    /// <summary>Number of functions.</summary>
    public int Count { get; private set; }

    public TFunction? Find(Kernel kernel, Index3 group, ReadOnlySpan<byte> arguments)
    {
        if (!_kernels.TryGetValue(kernel, out Variants? variants) || !variants.ByHash.TryGetValue(variants.Hash(group, arguments), out Variant? variant))
        {
            return null;
        }

        while (variant is not null && !variants.Matches(variant, group, arguments))
        {
            variant = variant.Next;
        }

        return variant?.Function;
    }

    public void Add(Kernel kernel, Index3 group, ReadOnlySpan<byte> arguments, TFunction function)
    {
        ref Variants? variants = ref CollectionsMarshal.GetValueRefOrAddDefault(_kernels, kernel, out _);
        variants ??= new Variants(kernel);
        ref Variant? first = ref CollectionsMarshal.GetValueRefOrAddDefault(variants.ByHash, variants.Hash(group, arguments), out _);
        first = new Variant(group, variants.Constants(arguments), function, first);
        Count++;
    }

    public IEnumerable<TFunction> All()
    {
        foreach (Variants variants in _kernels.Values)
        {
            foreach (Variant first in variants.ByHash.Values)
            {
                for (Variant? variant = first; variant is not null; variant = variant.Next)
                {
                    yield return variant.Function;
                }
            }
        }
    }

    private sealed record Variant(Index3 Group, byte[] Constants, TFunction Function, Variant? Next);

    private sealed class Variants
    {
        private readonly (int Offset, int Size)[] _constants;

        // Padding inside a constant struct must not make two of one.
        public Variants(Kernel kernel) => _constants =
            [.. kernel.Parameters.Where(p => p.IsConstant).SelectMany(p => ValueBytes.Of(p.Type).Select(run => (p.Offset + run.Offset, run.Size)))];

        public Dictionary<ulong, Variant> ByHash { get; } = [];

        public ulong Hash(Index3 group, ReadOnlySpan<byte> arguments)
        {
            ulong hash = Mix(Mix(0x9E3779B97F4A7C15, (uint)group.X | ((ulong)(uint)group.Y << 32)), (uint)group.Z);
            foreach ((int offset, int size) in _constants)
            {
                ReadOnlySpan<byte> bytes = arguments.Slice(offset, size);
                while (bytes.Length >= sizeof(ulong))
                {
                    hash = Mix(hash, Unsafe.ReadUnaligned<ulong>(ref MemoryMarshal.GetReference(bytes)));
                    bytes = bytes[sizeof(ulong)..];
                }

                ulong rest = 0;
                for (int i = 0; i < bytes.Length; i++)
                {
                    rest |= (ulong)bytes[i] << (8 * i);
                }

                hash = Mix(hash, rest);
            }

            return hash;
        }

        public bool Matches(Variant variant, Index3 group, ReadOnlySpan<byte> arguments)
        {
            if (variant.Group != group)
            {
                return false;
            }

            ReadOnlySpan<byte> known = variant.Constants;
            foreach ((int offset, int size) in _constants)
            {
                if (!known[..size].SequenceEqual(arguments.Slice(offset, size)))
                {
                    return false;
                }

                known = known[size..];
            }

            return true;
        }

        public byte[] Constants(ReadOnlySpan<byte> arguments)
        {
            byte[] bytes = new byte[_constants.Sum(c => c.Size)];
            Span<byte> rest = bytes;
            foreach ((int offset, int size) in _constants)
            {
                arguments.Slice(offset, size).CopyTo(rest);
                rest = rest[size..];
            }

            return bytes;
        }

        private static ulong Mix(ulong hash, ulong word)
        {
            hash = (hash ^ word) * 0xFF51AFD7ED558CCD;
            return hash ^ (hash >> 32);
        }
    }
}
