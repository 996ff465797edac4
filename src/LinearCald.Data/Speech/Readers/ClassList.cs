using System.Collections;

namespace LinearCald.Data.Speech.Readers;

/// <summary>Names of classes in the order of the outputs, which knows the place of each.</summary>
internal sealed class ClassList : IReadOnlyList<string>
{
    private readonly string[] _names;
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);

    /// <exception cref="CaldException">A name is there twice.</exception>
    public ClassList(IReadOnlyList<string> names)
    {
        _names = [.. names];
        foreach (string name in _names)
        {
            if (!_index.TryAdd(name, _index.Count))
            {
                throw new CaldException($"the class \"{name}\" is there twice among {_names.Length} classes; classes must be unique");
            }
        }
    }

    public int Count => _names.Length;

    public string this[int index] => _names[index];

    /// <summary>The place of a name; −1 when there is no such class.</summary>
    public int IndexOf(string name) => _index.GetValueOrDefault(name, -1);

    public IEnumerator<string> GetEnumerator() => ((IEnumerable<string>)_names).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _names.GetEnumerator();
}
