using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests.Elementwise;

/// <summary>Test bodies for copies, conversions and fills: the same bits as the CPU's.</summary>
internal static unsafe class CopyChecks
{
    private static readonly DType[] s_types = Enum.GetValues<DType>();

    /// <summary>Every pair of types, contiguous.</summary>
    public static void Cast(Accelerator accelerator, DType from, DType to) => ElementwiseChecks.ForAll((count, offset, seed) =>
        Compare(accelerator, from, to, [count], [0], offset, seed), 3);

    /// <summary>Any permutation of any shape, of one type or two.</summary>
    public static void Strided(Accelerator accelerator, int cases)
    {
        Gen<(int[] Shape, int[] Order, int Type, int Offset, int Seed)> gen =
            from rank in Gen.Choose(1, 6)
            from shape in Gen.Elements(1, 2, 3, 4, 5, 8, 9).ArrayOf(rank)
            from order in Gen.Shuffle(Enumerable.Range(0, rank))
            from type in Gen.Choose(0, 99)
            from offset in Gen.Elements(0, 0, 1, 4)
            from seed in Gen.Choose(1, 1000000)
            select (shape, order.ToArray(), type, offset, seed);
        Prop.ForAll(gen.ToArbitrary(), c =>
        {
            DType from = s_types[c.Type % s_types.Length], to = c.Type < 60 ? from : s_types[c.Seed % s_types.Length];
            Compare(accelerator, from, to, c.Shape, c.Order, c.Offset, c.Seed);
        }).Holds(cases);
    }

    /// <summary>Shapes that go through tiles, by word size.</summary>
    public static void Transposed(Accelerator accelerator, DType type)
    {
        Compare(accelerator, type, type, [33, 70], [1, 0], 0, 1);
        Compare(accelerator, type, type, [2, 31, 3, 40], [0, 3, 2, 1], 1, 2);
        Compare(accelerator, type, type, [64, 32], [1, 0], 0, 3);
    }

    /// <summary>A row and a column repeated.</summary>
    public static void Broadcast(Accelerator accelerator)
    {
        Shape shape = new(6, 40);
        foreach ((long down, long across) in new[] { (0L, 1L), (1L, 0L), (0L, 0L) })
        {
            Strides strides = default;
            strides[0] = down;
            strides[1] = across;
            Run(accelerator, DType.Float32, DType.Float32, shape, strides, Strides.Contiguous(shape), 40, 240, 0, 5);
        }
    }

    public static void Fill(Accelerator accelerator, DType type) => ElementwiseChecks.ForAll((count, offset, seed) =>
    {
        double value = type is DType.Bool ? seed % 2 : type.IsFloat() ? -1.75 : 7;
        using DeviceArray y = new(accelerator, type, count, offset);
        Shape shape = new(count);
        Copy.Fill(accelerator, y.Address, type, Strides.Contiguous(shape), shape, value);
        Assert.All(y.Bytes().Chunk(type.Size()), element => Assert.Equal(Bits(type, value), element));

        // every other element of a part
        using DeviceArray z = new(accelerator, type, 60, offset);
        Shape part = new(5, 4);
        Strides steps = default;
        steps[0] = 12;
        steps[1] = 2;
        Copy.Fill(accelerator, z.Address, type, steps, part, value);
        byte[][] elements = [.. z.Bytes().Chunk(type.Size())];
        for (int i = 0; i < 60; i++)
        {
            bool inside = i % 12 < 8 && i % 2 == 0;
            Assert.Equal(inside ? Bits(type, value) : [.. Enumerable.Repeat((byte)0xFF, type.Size())], elements[i]);
        }
    }, 3);

    /// <summary>Bytes from any address on, and none beside them.</summary>
    public static void FillBytes(Accelerator accelerator) => ElementwiseChecks.ForAll((count, offset, seed) =>
    {
        byte value = (byte)seed;
        using DeviceArray y = new(accelerator, DType.UInt8, count + 8, offset);
        Copy.FillBytes(accelerator, y.Address + 4, count, value);
        byte[] expected = [.. Enumerable.Repeat((byte)0xFF, count + 8)];
        expected.AsSpan(4, count).Fill(value);
        Assert.Equal(expected, y.Bytes());
    }, 6);

    private static byte[] Bits(DType type, double value) => type switch
    {
        DType.Float64 => BitConverter.GetBytes(value),
        DType.Float32 => BitConverter.GetBytes((float)value),
        DType.BFloat16 => BitConverter.GetBytes(((BFloat16)(float)value).Bits),
        DType.Float16 => BitConverter.GetBytes((Half)value),
        DType.Int32 => BitConverter.GetBytes((int)value),
        DType.Int64 => BitConverter.GetBytes((long)value),
        _ => [(byte)value],
    };

    private static void Compare(Accelerator accelerator, DType from, DType to, int[] shape, int[] order, int offset, int seed)
    {
        // The source is contiguous in the given shape and read in another order of its dimensions.
        Strides contiguous = Strides.Contiguous(new Shape(shape));
        Shape permuted = new([.. order.Select(d => shape[d])]);
        Strides strides = default;
        for (int i = 0; i < order.Length; i++)
        {
            strides[i] = contiguous[order[i]];
        }

        int count = (int)permuted.Count;
        Run(accelerator, from, to, permuted, strides, Strides.Contiguous(permuted), count, count, offset, seed);

        // And the other way round: read in order, written in another.
        Run(accelerator, from, to, permuted, Strides.Contiguous(permuted), strides, count, count, offset, seed);
    }

    private static void Run(
        Accelerator accelerator, DType from, DType to, in Shape shape, in Strides xStrides, in Strides yStrides, int xCount, int yCount, int offset, int seed)
    {
        byte[] source = Source(from, xCount, seed), expected = new byte[yCount * to.Size()];
        fixed (byte* x = source, y = expected)
        {
            ElementCopy.Run(x, from, xStrides, y, to, yStrides, shape);
        }

        using DeviceArray xs = DeviceArray.Of<byte>(accelerator, DType.UInt8, source, offset * from.Size()), ys = new(accelerator, to, yCount, offset);
        Copy.Run(accelerator, xs.Address, from, xStrides, ys.Address, to, yStrides, shape);
        Assert.True(expected.AsSpan().SequenceEqual(ys.Bytes()), $"{from} → {to}, shape {shape}, offset {offset}, seed {seed}");
    }

    /// <summary>Numbers of all sizes, ties between neighbours of narrower types, and what lies outside of them.</summary>
    private static byte[] Source(DType type, int count, int seed)
    {
        Random random = new(seed);
        byte[] bytes = new byte[count * type.Size()];
        for (int i = 0; i < count; i++)
        {
            Span<byte> at = bytes.AsSpan(i * type.Size());
            double value = random.Next(6) switch
            {
                0 => random.Next(-300, 300),
                1 => random.Next(-300, 300) + 0.5,
                2 => (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-12, 12)),
                3 => (1 + (random.Next(1 << 12) / (double)(1 << 11))) * Math.Pow(2, random.Next(-26, 17)),
                4 => (1 + (random.Next(1 << 12) / (double)(1 << 11)) + Math.Pow(2, -40)) * Math.Pow(2, random.Next(-26, 17)),
                _ => random.Next(4) switch { 0 => 0.0, 1 => -0.0, 2 => 65519.999, _ => 65520.0 },
            };
            switch (type)
            {
                case DType.Float64: MemoryMarshal.Write(at, value); break;
                case DType.Float32: MemoryMarshal.Write(at, (float)value); break;
                case DType.BFloat16: MemoryMarshal.Write(at, (BFloat16)(float)value); break;
                case DType.Float16: MemoryMarshal.Write(at, (Half)value); break;
                case DType.Int32: MemoryMarshal.Write(at, random.Next(2) == 0 ? random.Next(-300, 300) : random.Next(int.MinValue, int.MaxValue)); break;
                case DType.Int64: MemoryMarshal.Write(at, random.Next(2) == 0 ? random.Next(-300, 300) : random.NextInt64(long.MinValue, long.MaxValue)); break;
                case DType.Bool: at[0] = (byte)random.Next(2); break;
                default: at[0] = (byte)random.Next(256); break;
            }
        }

        return bytes;
    }
}
