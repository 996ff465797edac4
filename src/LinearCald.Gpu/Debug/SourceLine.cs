using System.Diagnostics;
using System.Reflection;

namespace LinearCald.Gpu.Debug;

/// <summary>Where in a kernel's source something happened, as far as symbol files tell.</summary>
internal static class SourceLine
{
    private static readonly Assembly s_language = typeof(SourceLine).Assembly;

    /// <summary>The line where an exception left the author's code, such as <c>Softmax.cs:42</c>; empty if unknown.</summary>
    public static string Of(Exception exception) => Of(new StackTrace(exception, true));

    /// <summary>The author's line that is being run by this thread.</summary>
    public static string Current() => Of(new StackTrace(1, true));

    /// <summary>The author's method that called into the language, without reading symbol files.</summary>
    public static CallSite CallSite()
    {
        for (int i = 2; ; i++)
        {
            StackFrame frame = new(i, false);
            if (frame.GetMethod() is not { } method)
            {
                return default;
            }

            if (method.Module.Assembly != s_language)
            {
                return new CallSite(method, frame.GetILOffset());
            }
        }
    }

    private static string Of(StackTrace trace)
    {
        foreach (StackFrame frame in trace.GetFrames())
        {
            if (frame.GetMethod() is { DeclaringType: not null } method && method.Module.Assembly != s_language && frame.GetFileName() is { } file)
            {
                return $"{Path.GetFileName(file)}:{frame.GetFileLineNumber()}";
            }
        }

        return "";
    }
}

/// <summary>A call in the author's code.</summary>
/// <param name="Method">The calling method; null if unknown.</param>
/// <param name="Offset">The call's IL offset.</param>
internal readonly record struct CallSite(MethodBase? Method, int Offset)
{
    /// <summary>
    /// Whether two lanes certainly stand at different calls. Calls seen from different methods may be one call, inlined or not, since the runtime may
    /// replace a method by a faster version between two lanes.
    /// </summary>
    public bool Differs(CallSite other) => Method is not null && Method == other.Method && Offset >= 0 && other.Offset >= 0 && Offset != other.Offset;
}
