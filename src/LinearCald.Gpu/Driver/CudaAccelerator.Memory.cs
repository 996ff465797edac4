namespace LinearCald.Gpu.Driver;

/// <content>Memory and copies.</content>
public sealed unsafe partial class CudaAccelerator
{
    /// <inheritdoc/>
    public override AcceleratorMemory Memory => _pool.Statistics;

    /// <inheritdoc/>
    public override void ResetPeak() => _pool.ResetPeak();

    /// <inheritdoc/>
    public override nint Allocate(long bytes, string purpose)
    {
        Enter();
        return _pool.Allocate(bytes, purpose);
    }

    /// <inheritdoc/>
    public override void Free(nint address)
    {
        // After a fault or disposal there is nothing to give back, and scopes that close must not hide the first error.
        if (!_disposed && !_stream.IsLost)
        {
            _pool.Free(address);
        }
    }

    /// <inheritdoc/>
    public override void Trim()
    {
        Enter();
        _stream.RefuseCapture("giving memory back");
        _pool.Trim();
    }

    /// <inheritdoc/>
    public override void CopyToDevice(ReadOnlySpan<byte> source, nint destination)
    {
        Enter();
        _stream.RefuseCapture("a copy from the host");
        _staging.Upload(source, destination);
    }

    /// <inheritdoc/>
    public override void CopyToHost(nint source, Span<byte> destination)
    {
        Enter();
        _stream.RefuseCapture("a copy to the host");
        _staging.Download(source, destination);
    }

    /// <inheritdoc/>
    public override void CopyOnDevice(nint source, nint destination, long bytes)
    {
        Enter();
        if (bytes > 0)
        {
            _stream.Check(_stream.Driver.CopyOnDevice(destination, source, (nuint)bytes, _stream.Handle), "copying on the device");
        }
    }

    /// <inheritdoc/>
    public override void Fill(nint address, long bytes, byte value)
    {
        Enter();
        if (bytes > 0)
        {
            _stream.Check(_stream.Driver.Fill(address, value, (nuint)bytes, _stream.Handle), "filling memory");
        }
    }

    /// <summary>Blocks of the driver.</summary>
    private sealed class Blocks(CudaStream stream) : IBlockSource
    {
        public bool TryAllocate(long bytes, out nint address)
        {
            using CudaStream.RelaxedCapture relaxed = stream.Relax();
            CudaResult result = stream.Driver.Allocate((nuint)bytes, out address);
            if (result is CudaResult.Success or CudaResult.OutOfMemory)
            {
                return result == CudaResult.Success;
            }

            throw stream.Failure(result, "allocating memory");
        }

        public void Free(nint address) => stream.Check(stream.Driver.Free(address), "freeing memory");

        public (long Free, long Total) Available() =>
            stream.Driver.MemoryInfo(out nuint free, out nuint total) == CudaResult.Success ? ((long)free, (long)total) : (0, 0);
    }
}
