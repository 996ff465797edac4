using System.Runtime.InteropServices;
using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Tests.Elementwise;

/// <summary>
/// Elements of any type in device memory, at any offset from a 256-byte boundary, between guards that must not change. Memory that was not given values holds
/// ones bits: NaN in every floating-point type.
/// </summary>
internal sealed class DeviceArray : IDisposable
{
    private const int Guard = 64;

    private readonly DeviceBuffer<byte> _memory;
    private readonly Accelerator _accelerator;
    private readonly int _start;
    private readonly int _bytes;

    /// <param name="type">Of the elements.</param>
    /// <param name="count">How many.</param>
    /// <param name="offset">Elements between a 256-byte boundary and the first.</param>
    public DeviceArray(Accelerator accelerator, DType type, int count, int offset = 0)
    {
        _accelerator = accelerator;
        Type = type;
        Count = count;
        _start = 256 + (offset * type.Size());
        _bytes = count * type.Size();
        _memory = accelerator.Allocate<byte>(_start + _bytes + Guard);
        accelerator.Fill(_memory.Address, _memory.Length, 0xFF);
    }

    public DType Type { get; }

    public int Count { get; }

    public nint Address => _memory.Address + _start;

    public static DeviceArray Of(Accelerator accelerator, DType type, ReadOnlySpan<double> values, int offset = 0)
    {
        DeviceArray array = new(accelerator, type, values.Length, offset);
        array.Write(values);
        return array;
    }

    public static DeviceArray Of<T>(Accelerator accelerator, DType type, ReadOnlySpan<T> values, int offset = 0)
        where T : unmanaged
    {
        DeviceArray array = new(accelerator, type, values.Length, offset);
        accelerator.CopyToDevice(MemoryMarshal.AsBytes(values), array.Address);
        return array;
    }

    /// <summary>Numbers as they are stored: rounded to the type.</summary>
    public static double[] Stored(DType type, IEnumerable<double> values) => [.. values.Select(v => type switch
    {
        DType.Float32 => (float)v,
        DType.BFloat16 => (float)(BFloat16)(float)v,
        DType.Float16 => (double)(Half)v,
        _ => v,
    })];

    public void Write(ReadOnlySpan<double> values)
    {
        byte[] bytes = new byte[values.Length * Type.Size()];
        for (int i = 0; i < values.Length; i++)
        {
            Span<byte> at = bytes.AsSpan(i * Type.Size());
            switch (Type)
            {
                case DType.Float64: MemoryMarshal.Write(at, values[i]); break;
                case DType.Float32: MemoryMarshal.Write(at, (float)values[i]); break;
                case DType.BFloat16: MemoryMarshal.Write(at, (BFloat16)(float)values[i]); break;
                case DType.Float16: MemoryMarshal.Write(at, (Half)values[i]); break;
                default: throw new NotSupportedException(Type.ToString());
            }
        }

        _accelerator.CopyToDevice(bytes, Address);
    }

    /// <summary>The bytes; fails if a guard was written to.</summary>
    public byte[] Bytes()
    {
        byte[] all = new byte[_memory.Length];
        _memory.CopyTo(all);
        Assert.Equal(-1, all.AsSpan(0, _start).IndexOfAnyExcept((byte)0xFF));
        Assert.Equal(-1, all.AsSpan(_start + _bytes).IndexOfAnyExcept((byte)0xFF));
        return all[_start..(_start + _bytes)];
    }

    public T[] ToArray<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Bytes()).ToArray();

    /// <summary>The numbers, of a floating-point type.</summary>
    public double[] Read() => Type switch
    {
        DType.Float64 => ToArray<double>(),
        DType.Float32 => [.. ToArray<float>().Select(v => (double)v)],
        DType.BFloat16 => [.. ToArray<BFloat16>().Select(v => (double)(float)v)],
        DType.Float16 => [.. ToArray<Half>().Select(v => (double)v)],
        _ => throw new NotSupportedException(Type.ToString()),
    };

    public void Dispose() => _memory.Dispose();
}
