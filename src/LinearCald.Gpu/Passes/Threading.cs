using LinearCald.Gpu.Ir;

namespace LinearCald.Gpu.Passes;

/// <summary>Lets jumps to blocks that only jump on go to where those go.</summary>
internal static class Threading
{
    public static void Run(FlowGraph graph)
    {
        foreach (Block block in graph.Blocks)
        {
            if (block.Exit is Exit.Jump or Exit.Branch)
            {
                block.Target = End(block.Target!);
            }

            if (block.Exit == Exit.Branch)
            {
                block.Otherwise = End(block.Otherwise!);
                if (block.Target == block.Otherwise)
                {
                    block.Jump(block.Target!);
                }
            }
        }
    }

    private static Block End(Block block)
    {
        // An empty endless loop goes to itself: the limit keeps it.
        for (int i = 0; i < 64 && block is { Exit: Exit.Jump, Code.Count: 0 } && block.Target != block; i++)
            block = block.Target!;

        return block;
    }
}
