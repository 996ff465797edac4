using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace LinearCald.Gpu.Frontend.Il;

/// <summary>
/// Where IL came from, by the portable PDB inside or beside the assembly. Assemblies without a file of their own (single-file apps, assemblies loaded
/// from bytes) have no answer, nor have those whose PDB is missing.
/// </summary>
internal static class SourceLines
{
    private static readonly ConcurrentDictionary<Module, Lazy<MetadataReaderProvider?>> s_symbols = new();

    /// <summary>The file and line of an instruction, or null.</summary>
    public static (string File, int Line)? Find(MethodBase method, int ilOffset)
    {
        if (ReaderOf(method) is not { } reader || DebugRow(method, reader) is not { } row)
        {
            return null;
        }

        SequencePoint? found = null;
        foreach (SequencePoint point in reader.GetMethodDebugInformation(row).GetSequencePoints())
        {
            if (!point.IsHidden && (point.Offset <= ilOffset || found is null))
            {
                found = point;
            }
        }

        return found is { } p ? (reader.GetString(reader.GetDocument(p.Document).Name), p.StartLine) : null;
    }

    /// <summary>The C# name of a local variable at an instruction (slots are reused from one scope to another), or null.</summary>
    public static string? LocalName(MethodBase method, int local, int ilOffset)
    {
        if (ReaderOf(method) is not { } reader || DebugRow(method, reader) is not { } row)
        {
            return null;
        }

        string? name = null;
        foreach (LocalScopeHandle handle in reader.GetLocalScopes(row))
        {
            LocalScope scope = reader.GetLocalScope(handle);
            foreach (LocalVariableHandle variable in scope.GetLocalVariables())
            {
                LocalVariable v = reader.GetLocalVariable(variable);
                bool covers = ilOffset >= scope.StartOffset && ilOffset < scope.EndOffset;
                if (v.Index == local && !v.Attributes.HasFlag(LocalVariableAttributes.DebuggerHidden) && (covers || name is null))
                {
                    name = reader.GetString(v.Name);
                }
            }
        }

        return name;
    }

    /// <summary>For messages: <c>Softmax.Rows (Softmax.cs:42)</c>, or with the IL offset where no line is known.</summary>
    public static string Describe(MethodBase method, int ilOffset)
    {
        string place = Find(method, ilOffset) is (string file, int line)
            ? string.Create(CultureInfo.InvariantCulture, $"{file[(file.LastIndexOfAny(['/', '\\']) + 1)..]}:{line}")
            : $"IL_{ilOffset:x4}";
        return $"{NameOf(method)} ({place})";
    }

    /// <summary>For messages: type and method.</summary>
    public static string NameOf(MethodBase method) => method.DeclaringType is { } type ? $"{type.Name}.{method.Name}" : method.Name;

    private static MethodDebugInformationHandle? DebugRow(MethodBase method, MetadataReader reader)
    {
        // A method's debug information has its row number, which all instances of a generic share.
        MethodDefinitionHandle definition = (MethodDefinitionHandle)MetadataTokens.EntityHandle(method.MetadataToken);
        return MetadataTokens.GetRowNumber(definition) is var row && row > 0 && row <= reader.MethodDebugInformation.Count ? definition.ToDebugInformationHandle() : null;
    }

    private static MetadataReader? ReaderOf(MethodBase method) =>
        s_symbols.GetOrAdd(method.Module, static m => new Lazy<MetadataReaderProvider?>(() => Open(m))).Value?.GetMetadataReader();

    /// <summary>The provider is what must be kept: it owns the memory that its reader points into.</summary>
    private static MetadataReaderProvider? Open(Module module)
    {
        string path = module.Assembly.IsDynamic ? "" : module.Assembly.Location;
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using PEReader image = new(new MemoryStream(File.ReadAllBytes(path)));
            return image.TryOpenAssociatedPortablePdb(path, OpenPdb, out MetadataReaderProvider? provider, out _) ? provider : null;
        }
        catch (Exception e) when (e is IOException or BadImageFormatException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static MemoryStream? OpenPdb(string path) => File.Exists(path) ? new MemoryStream(File.ReadAllBytes(path)) : null;
}
