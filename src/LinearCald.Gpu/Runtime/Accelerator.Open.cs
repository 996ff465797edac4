using System.Globalization;
using LinearCald.Gpu.Driver;

namespace LinearCald.Gpu;

/// <content>Finding a device by name.</content>
public abstract partial class Accelerator
{
    /// <summary>Opens a device by the name that the command line uses.</summary>
    /// <param name="name"><c>cuda</c> (the first GPU), <c>cuda:N</c>, or <c>debug</c>.</param>
    /// <exception cref="CaldException">No such name, or no such device in this machine; in one sentence.</exception>
    public static Accelerator Open(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name == "debug")
        {
            return new DebugAccelerator();
        }

        return TryOrdinal(name, out int ordinal)
            ? new CudaAccelerator(ordinal)
            : throw new CaldException($"'{name}' names no GPU; give cuda, cuda:0, cuda:1 …, or debug");
    }

    /// <summary>The number of a GPU in <c>cuda</c> (0) or <c>cuda:N</c>.</summary>
    public static bool TryOrdinal(string name, out int ordinal)
    {
        const string Prefix = "cuda";
        ordinal = 0;
        return name == Prefix ||
            (name.Length <= Prefix.Length + 4 && name.StartsWith(Prefix + ":", StringComparison.Ordinal) &&
            int.TryParse(name.AsSpan(Prefix.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ordinal));
    }
}
