namespace LinearCald.Tensors.Memory;

/// <summary>
/// Owner of every tensor made on this thread while it is open. Closing it returns their memory to the pool, except what the tape still needs and
/// what was passed to <see cref="Keep"/>: those move to the enclosing scope. Tensors made outside any scope live until disposed of.
/// A training step runs in one scope, so that memory neither grows from step to step nor waits for the garbage collector.
/// </summary>
public sealed class MemoryScope : IDisposable
{
    [ThreadStatic]
    private static MemoryScope? t_current;

    [ThreadStatic]
    private static Stack<MemoryScope>? t_spare;

    private readonly List<(Storage Storage, int Generation)> _owned = [];
    private MemoryScope? _outer;

    private MemoryScope()
    {
    }

    /// <summary>Opens a scope on this thread. Close scopes in the reverse order of opening (<c>using</c>).</summary>
    public static MemoryScope Begin()
    {
        t_spare ??= new Stack<MemoryScope>();
        if (!t_spare.TryPop(out MemoryScope? scope))
        {
            scope = new MemoryScope();
        }

        scope._outer = t_current;
        t_current = scope;
        return scope;
    }

    /// <summary>Hands a tensor on to the enclosing scope (or, at the outermost, makes it live until disposed of) and returns it.</summary>
    public Tensor Keep(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        Storage storage = tensor.Storage;
        for (int i = _owned.Count - 1; i >= 0; i--)
        {
            if (ReferenceEquals(_owned[i].Storage, storage) && _owned[i].Generation == storage.Generation)
            {
                _owned.RemoveAt(i);
                HandOn(storage);
                break;
            }
        }

        return tensor;
    }

    public void Dispose()
    {
        if (!ReferenceEquals(t_current, this))
        {
            throw new InvalidOperationException("memory scopes must be closed in the reverse order of opening, on the thread that opened them");
        }

        t_current = _outer;
        foreach ((Storage storage, int generation) in _owned)
        {
            if (storage.Generation != generation)
            {
                continue;
            }

            if (storage.Pins > 0)
            {
                HandOn(storage);
            }
            else
            {
                storage.Release();
            }
        }

        _owned.Clear();
        _outer = null;
        t_spare!.Push(this);
    }

    internal static void Register(Storage storage)
    {
        if (t_current is { } scope)
        {
            storage.Scoped = true;
            scope._owned.Add((storage, storage.Generation));
        }
    }

    /// <summary>Runs <paramref name="make"/> outside every scope: what it allocates lives until disposed of (parameters, optimiser state).</summary>
    internal static Tensor Unscoped(Func<Tensor> make)
    {
        MemoryScope? current = t_current;
        t_current = null;
        try
        {
            return make();
        }
        finally
        {
            t_current = current;
        }
    }

    private void HandOn(Storage storage)
    {
        if (_outer is null)
        {
            storage.Scoped = false;
        }
        else
        {
            _outer._owned.Add((storage, storage.Generation));
        }
    }
}
