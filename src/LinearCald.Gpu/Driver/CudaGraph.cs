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
            stream.Check(stream.Driver.GraphNodes(graph, out int nodes), "recording a graph");
            Nodes = nodes;
            stream.Check(stream.Driver.Instantiate(graph, out _executable), $"preparing a graph of {nodes:N0} nodes");
        }
        finally
        {
            stream.Driver.DestroyGraph(graph);
        }
    }

    public override int Nodes { get; }

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
