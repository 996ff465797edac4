using System.Globalization;

namespace LinearCald.Gpu;

/// <summary>
/// What a recording is made of. Submitting one costs the host the same whatever its length only if it is a straight line of kernels: each other node, and each
/// fork, makes the driver go through all nodes at every launch.
/// </summary>
/// <param name="Kernels">Launches.</param>
/// <param name="Copies">Copies by the driver.</param>
/// <param name="Fills">Fills by the driver.</param>
/// <param name="Others">Anything else: calls of the host, events, graphs inside.</param>
/// <param name="IsStraight">Whether each node waits for the one before it and nothing else; null where the driver does not tell.</param>
public readonly record struct GraphContents(int Kernels, int Copies, int Fills, int Others, bool? IsStraight)
{
    /// <summary>All of them.</summary>
    public int Nodes => Kernels + Copies + Fills + Others;

    /// <summary>In words: <c>1,204 kernels, 3 copies, straight</c>.</summary>
    public override string ToString()
    {
        string order = IsStraight switch { true => "straight", false => "forked", null => "order unknown" };
        (int Count, string Name)[] parts = [(Kernels, "kernels"), (Copies, "copies"), (Fills, "fills"), (Others, "others")];
        return string.Join(", ", parts.Where(p => p.Count > 0).Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Count:N0} {p.Name}")).Append(order));
    }
}
