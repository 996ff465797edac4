namespace LinearCald.Gpu.Driver;

/// <summary>A timed event of the driver.</summary>
internal sealed class CudaTimeMark : TimeMark
{
    private readonly CudaStream _stream;
    private nint _event;

    public CudaTimeMark(CudaStream stream)
    {
        _stream = stream;
        stream.Check(stream.Driver.CreateEvent(timed: true, out _event), "making a time mark");
        stream.Check(stream.Driver.RecordEvent(_event, stream.Handle), "making a time mark");
    }

    public override double MillisecondsSince(TimeMark earlier)
    {
        if (earlier is not CudaTimeMark start || !ReferenceEquals(start._stream, _stream))
        {
            throw new CaldException($"{_stream.Name}: a time mark can be compared with marks of the same device only");
        }

        start.Wait();
        Wait();
        _stream.Check(_stream.Driver.ElapsedMilliseconds(start._event, _event, out float milliseconds), "reading a time mark");
        return milliseconds;
    }

    public override void Wait()
    {
        ObjectDisposedException.ThrowIf(_event == 0, this);
        _stream.MakeCurrent();
        _stream.RefuseCapture("waiting for a time mark");
        _stream.Check(_stream.Driver.WaitForEvent(_event), "waiting for a time mark");
    }

    protected override void Dispose(bool disposing)
    {
        if (_event != 0 && disposing && !_stream.IsLost)
        {
            _stream.MakeCurrent();
            _stream.Driver.DestroyEvent(_event);
        }

        _event = 0;
    }
}
