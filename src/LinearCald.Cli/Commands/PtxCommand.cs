using System.CommandLine;
using System.Globalization;
using LinearCald.Distillation.Reporting;
using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Catalogue;

namespace LinearCald.Cli.Commands;

/// <summary>`cald ptx`: what the GPU backend's kernels become.</summary>
internal sealed class PtxCommand : CaldCommand
{
    private static readonly Argument<string?> Kernel = new("NAME")
    {
        Description = "A kernel as --list names it; without its number, the first variant",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<bool> List = new("--list") { Description = "List every kernel: name, method, type arguments, group size, constants" };

    private static readonly Option<PtxTarget?> Target = new("--target")
    {
        Description = "The least architecture to write for: sm_80, sm_90 or sm_90a (default: sm_80)",
        HelpName = "ARCH",
        CustomParser = result => result.Tokens[0].Value switch
        {
            "sm_80" => PtxTarget.Sm80,
            "sm_90" => PtxTarget.Sm90,
            "sm_90a" => PtxTarget.Sm90a,
            _ => CommonOptions.Refuse<PtxTarget?>(result, "sm_80, sm_90 or sm_90a"),
        },
    };

    public PtxCommand()
        : base("ptx", "Prints the PTX that a GPU kernel is compiled to. Needs no GPU.", "--list", "softmax --target sm_90a")
    {
        Add(Kernel);
        Add(List);
        Add(Target);
        Add(CommonOptions.Json);
    }

    public override int Execute(Session session)
    {
        TextWriter output = session.Terminal.Out;
        if (session.Arguments.GetValue(List))
        {
            foreach (CatalogueKernel kernel in KernelCatalogue.All)
                output.WriteLine(session.Json ? Row(kernel) : Line(kernel));
            return CommandLine.Done;
        }

        string name = session.Arguments.GetValue(Kernel) ?? throw new CaldException("cald ptx: name a kernel, or list all with --list");
        CompiledKernel compiled = KernelCatalogue.Find(name).Compile(session.Arguments.GetValue(Target) ?? PtxTarget.Sm80);
        output.Write(compiled.Ptx);
        return CommandLine.Done;
    }

    private static string Line(CatalogueKernel kernel) => string.Create(
        CultureInfo.InvariantCulture, $"{kernel.Name,-36} {kernel.Method}<{kernel.Types}>  group {kernel.Group}  {kernel.Constants}").TrimEnd();

    private static string Row(CatalogueKernel kernel) => new JsonLine().Add("name", kernel.Name).Add("method", kernel.Method).Add("types", kernel.Types)
        .Add("threads", kernel.Group.Count).Add("constants", kernel.Constants).ToString();
}
