using System.Globalization;
using System.Text;
using LinearCald.Gpu.Frontend;
using LinearCald.Gpu.Frontend.Il;
using LinearCald.Gpu.Passes;
using LinearCald.Gpu.Ptx;

namespace LinearCald.Gpu;

/// <summary>Compiles kernels to PTX. The same input gives the same text, byte for byte.</summary>
public static class KernelCompiler
{
    /// <summary>Shared memory that a group may have without asking for it at launch.</summary>
    private const int StaticShared = 48 * 1024;

    /// <summary>Compiles one kernel for one group size and one set of constants.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="group">Threads of a group.</param>
    /// <param name="arguments">Packed as in a launch; only the <see cref="ConstantAttribute"/> parameters are read.</param>
    /// <param name="target">The least target to write for.</param>
    /// <exception cref="CaldException">The kernel does what cannot be compiled: names the construct, the chain of calls with source lines, and a remedy.</exception>
    internal static CompiledKernel Compile(Kernel kernel, Index3 group, ReadOnlySpan<byte> arguments, PtxTarget target = PtxTarget.Sm80)
    {
        if (group.X < 1 || group.Y < 1 || group.Z < 1 || group.Z > 64 || group.Count > 1024)
        {
            throw new CaldException($"kernel {kernel.Name}: a group of {group} threads; a group has 1 to 1024, at most 64 along z");
        }

        string entry = Entry(kernel);
        string[] names = [.. kernel.Parameters.Select((p, i) => string.Create(CultureInfo.InvariantCulture, $"{entry}_{i}"))];
        Evaluator evaluator = new(kernel, group, target);
        evaluator.Run(arguments, names);
        FlowGraph graph = Improve(kernel, evaluator);
        string body = new PtxPrinter(evaluator.Code).Body(graph.Blocks, static s => s is Site site ? SourceLines.Describe(site.Frame.Method, site.Offset) : "");
        int shared = evaluator.Code.SharedBytes;
        return new CompiledKernel
        {
            Entry = entry,
            Ptx = Module(kernel, group, evaluator, entry, names, body),
            Target = evaluator.Target,
            Group = group,
            SharedBytes = shared,
            DynamicSharedBytes = shared > StaticShared ? shared : 0,
            Parameters = [.. kernel.Parameters.Where(p => !p.IsConstant)],
            Evaluated = evaluator.Evaluated,
        };
    }

    private static FlowGraph Improve(Kernel kernel, Evaluator evaluator)
    {
        Ir.CodeBuilder code = evaluator.Code;
        FlowGraph graph = FlowGraph.Of(code.Entry);
        BlockParameters.Simplify(graph, code.RegisterCount);
        DeadCode.Remove(graph, code.RegisterCount);
        if (Uniformity.FindDividedBarrier(graph, code.RegisterCount) is { Site: Site site })
        {
            throw new CaldException(
                $"kernel {kernel.Name}: a barrier of the group stands under a condition that differs between threads, so that not all of them reach it; move it out of the condition{Evaluator.Chain(site.Frame, site.Offset)}");
        }

        Coalescing.Run(graph, code);
        if (Accumulators.FindMisuse(graph, code.RegisterCount) is (string problem, Site place))
        {
            throw new CaldException($"kernel {kernel.Name}: {problem}{Evaluator.Chain(place.Frame, place.Offset)}");
        }

        Threading.Run(graph);
        return FlowGraph.Of(code.Entry);
    }

    /// <summary>The kernel's name as PTX allows it.</summary>
    private static string Entry(Kernel kernel)
    {
        StringBuilder name = new();
        foreach (char c in kernel.Name)
            name.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');

        return char.IsAsciiLetter(name[0]) ? name.ToString() : name.Insert(0, "kernel_").ToString();
    }

    private static string Module(Kernel kernel, Index3 group, Evaluator evaluator, string entry, string[] names, string body)
    {
        (string version, string name) = evaluator.Target switch
        {
            PtxTarget.Sm80 => ("7.4", "sm_80"),
            PtxTarget.Sm90 => ("8.0", "sm_90"),
            _ => ("8.0", "sm_90a"),
        };
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $".version {version}\n.target {name}\n.address_size 64\n\n");
        int shared = evaluator.Code.SharedBytes;
        if (shared > 0)
        {
            string symbol = $".align {evaluator.Code.SharedAlignment} .b8 {Evaluator.SharedSymbol}";
            text.Append(CultureInfo.InvariantCulture, $"{(shared > StaticShared ? $".extern .shared {symbol}[]" : $".shared {symbol}[{shared}]")};\n\n");
        }

        foreach (Ir.ConstantTable table in evaluator.Code.Tables)
        {
            text.Append(CultureInfo.InvariantCulture, $".const .align {Ir.ConstantTable.Alignment} .b8 {evaluator.Code.NameOf(table)}[{table.Bytes.Length}] = {{{string.Join(", ", table.Bytes)}}};\n\n");
        }

        IEnumerable<string> parameters = kernel.Parameters.Select((p, i) => (p, i)).Where(x => !x.p.IsConstant).Select(x => Declaration(x.p, names[x.i]));
        text.Append(CultureInfo.InvariantCulture, $".visible .entry {entry}(\n{string.Join(",\n", parameters)}\n)\n");
        text.Append(CultureInfo.InvariantCulture, $".reqntid {group.X}, {group.Y}, {group.Z}\n");
        if (kernel.Attribute.MinimumGroups > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $".minnctapersm {kernel.Attribute.MinimumGroups}\n");
        }

        if (kernel.Attribute.MaximumRegisters > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $".maxnreg {kernel.Attribute.MaximumRegisters}\n");
        }

        return text.Append("{\n").Append(body).Append("}\n").ToString();
    }

    private static string Declaration(KernelParameter parameter, string name)
    {
        TypeLayout layout = TypeLayout.Of(parameter.Type);
        return layout.IsStruct
            ? $"    .param .align {Math.Max(8, layout.Alignment)} .b8 {name}[{layout.Size}]"
            : $"    .param .b{layout.Size * 8} {name}";
    }
}
