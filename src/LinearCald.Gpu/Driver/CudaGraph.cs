namespace LinearCald.Gpu.Driver;

/// <summary>Work recorded on a stream.</summary>
internal sealed class CudaGraph : CapturedGraph
{
    private readonly CudaStream _stream;
    private readonly DeviceMemoryPool _pool;
    private nint _executable;

    /// <param name="stream">Where it was recorded and will run.</param>
    /// <param name="pool">Whose addresses it uses.</param>
    /// <param name="graph">The driver's graph; taken over.</param>
    public CudaGraph(CudaStream stream, DeviceMemoryPool pool, nint graph)
    {
        _stream = stream;
        _pool = pool;
        try
        {
            Contents = GraphReader.Read(stream, graph);
            stream.Check(stream.Driver.Instantiate(graph, out nint executable), $"preparing a graph of {Contents.Nodes:N0} nodes");
            CudaResult uploaded = stream.Driver.UploadGraph(executable, stream.Handle);
            if (uploaded != CudaResult.Success)
            {
                stream.Driver.DestroyExecutable(executable);
                throw stream.Failure(uploaded, $"sending a graph of {Contents.Nodes:N0} nodes to the device");
            }

            _executable = executable;
        }
        finally
        {
            stream.Driver.DestroyGraph(graph);
        }
    }

    public override GraphContents Contents { get; }

    public override void Launch()
    {
        ObjectDisposedException.ThrowIf(_executable == 0, this);
        _stream.MakeCurrent();
        _stream.RefuseCapture("replaying a graph");
        _stream.Launched("a replayed graph", default);
        _stream.Check(_stream.Driver.LaunchGraph(_executable, _stream.Handle), "replaying a graph");
    }

    protected override void Dispose(bool disposing)
    {
        if (_executable == 0 || !disposing)
        {
            return;
        }

        if (!_stream.IsLost)
        {
            // The driver keeps what a replay under way needs.
            _stream.MakeCurrent();
            _stream.Driver.DestroyExecutable(_executable);
        }

        _executable = 0;
        _pool.GraphDropped();
    }
}
