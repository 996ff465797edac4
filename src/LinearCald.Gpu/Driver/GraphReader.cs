namespace LinearCald.Gpu.Driver;

/// <summary>Looks into a graph of the driver's: kinds of nodes, and whether they are in a row.</summary>
internal static unsafe class GraphReader
{
    // CUgraphNodeType of cuda.h.
    private const int Kernel = 0;
    private const int Copy = 1;
    private const int Fill = 2;

    /// <summary>Counts the nodes of a graph.</summary>
    public static GraphContents Read(CudaStream stream, nint graph)
    {
        const string doing = "recording a graph";
        nuint count = 0;
        stream.Check(stream.Driver.GraphNodes(graph, null, ref count), doing);
        nint[] nodes = new nint[(int)count];
        int kernels = 0, copies = 0, fills = 0;
        fixed (nint* p = nodes)
        {
            stream.Check(stream.Driver.GraphNodes(graph, p, ref count), doing);
        }

        foreach (nint node in nodes)
        {
            stream.Check(stream.Driver.GraphNodeKind(node, out int kind), doing);
            kernels += kind == Kernel ? 1 : 0;
            copies += kind == Copy ? 1 : 0;
            fills += kind == Fill ? 1 : 0;
        }

        return new GraphContents(kernels, copies, fills, nodes.Length - kernels - copies - fills, IsStraight(stream.Driver, graph, nodes.Length));
    }

    /// <summary>A graph has no cycle; with one edge less than nodes, and no node with two edges in or out, it is one line.</summary>
    private static bool? IsStraight(ICudaDriver driver, nint graph, int nodes)
    {
        nuint count = 0;
        if (driver.GraphEdges(graph, null, null, ref count) != CudaResult.Success)
        {
            return null; // edges that carry data are not told by this call
        }

        if ((int)count != Math.Max(0, nodes - 1))
        {
            return false;
        }

        nint[] from = new nint[(int)count];
        nint[] to = new nint[(int)count];
        fixed (nint* f = from, t = to)
        {
            if (count > 0 && driver.GraphEdges(graph, f, t, ref count) != CudaResult.Success)
            {
                return null;
            }
        }

        return from.Distinct().Count() == from.Length && to.Distinct().Count() == to.Length;
    }
}
