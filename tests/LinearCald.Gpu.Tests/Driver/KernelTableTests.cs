using System.Runtime.InteropServices;
using LinearCald.Gpu.Driver;

namespace LinearCald.Gpu.Tests.Driver;

public class KernelTableTests
{
    private static readonly Kernel s_kernel = Kernel.Of(Run);

    private enum Kind : byte
    {
        Some = 3,
    }

    [Fact]
    public void Padding_in_a_constant_does_not_make_another_kernel()
    {
        Assert.Equal([(0, 1), (4, 5)], ValueBytes.Of(typeof(Inner)));
        Assert.Equal([(0, 2), (4, 1), (8, 5), (16, 8)], ValueBytes.Of(typeof(Traits)));

        KernelTable<string> table = new();
        byte[] one = new byte[s_kernel.PackedBytes];
        byte[] other = new byte[s_kernel.PackedBytes];
        Array.Fill(other, (byte)0xCD);
        Traits traits = new() { Wide = true, Kind = Kind.Some, Inner = new Inner { A = 1, B = 2, C = 3 }, Scale = 0.5 };
        Put(one, traits);
        Put(other, traits);
        table.Add(s_kernel, 32, one, "compiled");
        Assert.Equal("compiled", table.Find(s_kernel, 32, other));
        Put(other, traits with { Scale = 0.25 });
        Assert.Null(table.Find(s_kernel, 32, other));
        Assert.Null(table.Find(s_kernel, new Index3(16, 2), one));
        Assert.Null(table.Find(Kernel.Of(Run), 32, one));
    }

    private static void Put(byte[] arguments, Traits traits)
    {
        KernelParameter parameter = s_kernel.Parameters[1];
        Span<byte> place = arguments.AsSpan(parameter.Offset, parameter.Size);
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<Traits>(in traits));
        foreach ((int offset, int size) in ValueBytes.Of(typeof(Traits)))
        {
            bytes.Slice(offset, size).CopyTo(place[offset..]);
        }
    }

    private static void Run(View<int> x, [Constant] Traits traits) => x[0] = traits.Inner.B;

    private struct Inner
    {
        public byte A;
        public int B;
        public byte C;
    }

    private struct Traits
    {
        public bool Wide;
        public Kind Kind;
        public Inner Inner;
        public double Scale;
    }
}
