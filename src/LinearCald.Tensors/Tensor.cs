using System.Runtime.InteropServices;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;

namespace LinearCald.Tensors;

/// <summary>
/// A view (type, shape, strides, offset) of a device buffer. Operations are extension methods in <c>LinearCald.Tensors.Ops</c>; each records its
/// gradient rule when a <see cref="Tape"/> is open and an input needs a gradient. Memory belongs to the <see cref="MemoryScope"/> that was open when
/// the tensor was made.
/// </summary>
public sealed class Tensor : IDisposable
{
    private readonly Storage _storage;
    private readonly int _generation;
    private readonly Shape _shape;
    private readonly Strides _strides;
    private bool _requiresGradient;

    internal Tensor(Storage storage, DType type, in Shape shape, in Strides strides, long offset)
    {
        _storage = storage;
        _generation = storage.Generation;
        Type = type;
        _shape = shape;
        _strides = strides;
        Offset = offset;
        IsContiguous = ComputeContiguous();
    }

    /// <summary>Element type.</summary>
    public DType Type { get; }

    public ref readonly Shape Shape => ref _shape;

    public ref readonly Strides Strides => ref _strides;

    /// <summary>Number of elements.</summary>
    public long Count => _shape.Count;

    public Device Device => _storage.Device;

    /// <summary>True when the elements lie in row-major order without gaps.</summary>
    public bool IsContiguous { get; }

    /// <summary>
    /// On a tensor that no operation produced: whether backward passes should add up its gradient in <see cref="Gradient"/>. Only floating-point
    /// tensors can require one.
    /// </summary>
    public bool RequiresGradient
    {
        get => _requiresGradient;
        set
        {
            if (value && !Type.IsFloat())
            {
                throw new CaldException($"a {Type} tensor cannot require a gradient; only floating-point tensors can");
            }

            _requiresGradient = value;
        }
    }

    /// <summary>The gradient added up by the backward passes since the last <see cref="ClearGradient"/>; null when none reached this tensor.</summary>
    public Tensor? Gradient => HasGradient ? GradientBuffer : null;

    /// <summary>First element within the buffer.</summary>
    internal long Offset { get; }

    /// <summary>True when a gradient reaching this tensor goes anywhere.</summary>
    internal bool NeedsGradient => _requiresGradient || Producer is not null;

    internal TapeNode? Producer { get; set; }

    /// <summary>While a backward pass runs: what has arrived for this (produced) tensor so far.</summary>
    internal Tensor? GradientSlot { get; set; }

    /// <summary>Set while only parts of <see cref="GradientSlot"/> have been written.</summary>
    internal PartialGradient? PartialGradient { get; set; }

    internal Tensor? GradientBuffer { get; private set; }

    internal bool HasGradient { get; set; }

    /// <exception cref="CaldException">The memory has been given back: the scope was closed or a backward pass consumed it.</exception>
    internal Storage Storage
    {
        get
        {
            if (_storage.Generation != _generation)
            {
                throw new CaldException(
                    $"a {Type} tensor of shape {_shape} was used after its memory was released: its scope was closed or Backward consumed it; read it before, or Keep it");
            }

            return _storage;
        }
    }

    /// <summary>A tensor whose elements are not set yet.</summary>
    public static Tensor Empty(Device device, DType type, in Shape shape)
    {
        Tensor tensor = Allocate(device, type, shape);
        tensor._storage.Held = true;
        return tensor;
    }

    /// <summary>What an operation makes: a backward pass gives it back as soon as it is done with it.</summary>
    internal static Tensor Allocate(Device device, DType type, in Shape shape)
    {
        ArgumentNullException.ThrowIfNull(device);
        Storage storage = device.Allocate(Math.Max(1, shape.Count) * type.Size(), "a tensor");
        return new Tensor(storage, type, shape, Strides.Contiguous(shape), 0);
    }

    public static Tensor Zeros(Device device, DType type, in Shape shape) => Full(device, type, shape, 0);

    /// <summary>All elements equal to <paramref name="value"/>, rounded to the type.</summary>
    public static Tensor Full(Device device, DType type, in Shape shape, double value)
    {
        Tensor tensor = Empty(device, type, shape);
        device.Backend.Fill(tensor, value);
        return tensor;
    }

    /// <summary>A copy of host values in row-major order.</summary>
    /// <typeparam name="T">The host type that belongs to <paramref name="type"/>.</typeparam>
    /// <exception cref="CaldException">The number of values is not that of the shape, or the host type is another.</exception>
    public static Tensor From<T>(Device device, DType type, in Shape shape, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        CheckHostType<T>(type);
        if (values.Length != shape.Count)
        {
            throw new CaldException($"{values.Length} values were given for a tensor of shape {shape}, which has {shape.Count} elements");
        }

        Tensor tensor = Empty(device, type, shape);
        device.Upload(tensor._storage, 0, MemoryMarshal.AsBytes(values));
        return tensor;
    }

    /// <summary>A float32 tensor of host values.</summary>
    public static Tensor From(Device device, in Shape shape, ReadOnlySpan<float> values) => From(device, DType.Float32, shape, values);

    /// <summary>An int32 tensor of host values.</summary>
    public static Tensor From(Device device, in Shape shape, ReadOnlySpan<int> values) => From(device, DType.Int32, shape, values);

    /// <summary>Runs <paramref name="make"/> so that the result lives until it is disposed of, whatever scope is open: for parameters and optimiser state.</summary>
    public static Tensor Persistent(Func<Tensor> make) => MemoryScope.Unscoped(make);

    /// <summary>Copies the elements to the host in row-major order.</summary>
    public T[] ToArray<T>()
        where T : unmanaged
    {
        T[] values = new T[Count];
        CopyTo<T>(values);
        return values;
    }

    /// <summary>Copies the elements to the host in row-major order.</summary>
    public void CopyTo<T>(Span<T> destination)
        where T : unmanaged
    {
        CheckHostType<T>(Type);
        if (destination.Length != Count)
        {
            throw new CaldException($"a tensor of shape {_shape} has {Count} elements; the destination holds {destination.Length}");
        }

        if (IsContiguous)
        {
            Device.Synchronize();
            Device.Download(Storage, Offset * Type.Size(), MemoryMarshal.AsBytes(destination));
            return;
        }

        using MemoryScope scope = MemoryScope.Begin();
        Tensor packed = Empty(Device, Type, _shape);
        Device.Backend.Copy(this, packed);
        packed.CopyTo(destination);
    }

    /// <summary>Replaces the elements of a contiguous tensor by host values.</summary>
    public void Set<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        CheckHostType<T>(Type);
        if (values.Length != Count || !IsContiguous)
        {
            throw new CaldException($"Set: {values.Length} values for a {(IsContiguous ? "contiguous" : "strided")} tensor of shape {_shape}; the count must match and the tensor be contiguous");
        }

        Device.Upload(Storage, Offset * Type.Size(), MemoryMarshal.AsBytes(values));
    }

    /// <summary>The value of a one-element float tensor.</summary>
    public double Item()
    {
        if (Count != 1)
        {
            throw new CaldException($"Item needs a tensor of one element; this one has shape {_shape}");
        }

        return Type switch
        {
            DType.Float32 => ToArray<float>()[0],
            DType.Float64 => ToArray<double>()[0],
            DType.BFloat16 => (float)ToArray<BFloat16>()[0],
            DType.Float16 => (double)ToArray<Half>()[0],
            DType.Int32 => ToArray<int>()[0],
            DType.Int64 => ToArray<long>()[0],
            _ => ToArray<byte>()[0],
        };
    }

    /// <summary>Copies another tensor's elements into this one, converting the type. Not recorded.</summary>
    public void CopyFrom(Tensor source)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source.Shape != Shape)
        {
            throw new CaldException($"CopyFrom: shapes differ, {source.Shape} into {Shape}");
        }

        Device.Backend.Copy(source, this);
    }

    /// <summary>The same elements as a tensor that no gradient flows through.</summary>
    public Tensor Detach() => new(Storage, Type, _shape, _strides, Offset);

    /// <summary>Forgets the gradient; its buffer is kept and the next backward pass overwrites it.</summary>
    public void ClearGradient() => HasGradient = false;

    /// <summary>Replaces the gradient by given values, as if a backward pass had brought them.</summary>
    public void SetGradient(Tensor gradient)
    {
        LeafBuffer().CopyFrom(gradient);
        HasGradient = true;
    }

    /// <summary>Returns the memory to the pool. Only for tensors made outside every scope; others go with their scope.</summary>
    public void Dispose()
    {
        if (_storage.Generation == _generation && !_storage.Scoped && _storage.Pins == 0)
        {
            _storage.Release();
        }

        DropGradient();
    }

    public override string ToString() => $"{Type} {_shape} on {_storage.Device}";

    internal Tensor View(in Shape shape, in Strides strides, long offset) => new(Storage, Type, shape, strides, offset);

    /// <summary>Gives the gradient's buffer back.</summary>
    internal void DropGradient()
    {
        GradientBuffer?.Dispose();
        GradientBuffer = null;
        HasGradient = false;
    }

    /// <summary>The leaf's gradient buffer, made on first use.</summary>
    internal Tensor LeafBuffer()
    {
        if (GradientBuffer is null)
        {
            GradientBuffer = MemoryScope.Unscoped(() => Empty(Device, Type, Shape));
        }

        return GradientBuffer;
    }

    private static void CheckHostType<T>(DType type)
        where T : unmanaged
    {
        Type expected = type switch
        {
            DType.Float32 => typeof(float),
            DType.Float64 => typeof(double),
            DType.BFloat16 => typeof(BFloat16),
            DType.Float16 => typeof(Half),
            DType.Int32 => typeof(int),
            DType.Int64 => typeof(long),
            DType.UInt8 => typeof(byte),
            _ => typeof(bool),
        };
        if (typeof(T) != expected)
        {
            throw new CaldException($"a {type} tensor exchanges {expected.Name} values with the host, not {typeof(T).Name}; convert with To({type}) first");
        }
    }

    private bool ComputeContiguous()
    {
        long step = 1;
        for (int i = _shape.Rank - 1; i >= 0; i--)
        {
            if (_shape[i] != 1 && _strides[i] != step)
            {
                return _shape.Count == 0;
            }

            step *= _shape[i];
        }

        return true;
    }
}
