using System.Runtime.ExceptionServices;

namespace LinearCald.Data.Batching;

/// <summary>
/// Makes numbered items on worker threads ahead of their use and hands them out in order. At most so many are ready or in the making, so that memory is bounded;
/// an exception on a worker is thrown again where its item is taken. What is made depends on the number alone, not on threads or timing.
/// </summary>
/// <typeparam name="T">What is made: a batch, the batches of an update.</typeparam>
public sealed class Prefetcher<T> : IDisposable
{
    private readonly Func<long, T> _make;
    private readonly long _end;
    private readonly int _ready;
    private readonly Thread[] _workers;
    private readonly object _gate = new();
    private readonly Dictionary<long, Made> _made = [];
    private long _wanted; // the item that is taken next
    private long _next; // the item that a worker begins next
    private int _generation; // counts jumps; what was begun before one is thrown away
    private bool _stopped;

    /// <param name="make">Makes an item; called on several threads at once.</param>
    /// <param name="first">The item that is taken first.</param>
    /// <param name="end">No item from this number on is made.</param>
    /// <param name="ready">Items that may be ready or in the making.</param>
    /// <param name="threads">Workers; 0 = items are made when they are taken, on the caller's thread.</param>
    public Prefetcher(Func<long, T> make, long first = 0, long end = long.MaxValue, int ready = 8, int threads = 2)
    {
        ArgumentNullException.ThrowIfNull(make);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(ready, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        _make = make;
        _end = end;
        _ready = ready;
        _wanted = _next = first;
        _workers = new Thread[threads];
        for (int i = 0; i < threads; i++)
        {
            _workers[i] = new Thread(Work) { IsBackground = true, Name = $"prefetch {i}" };
            _workers[i].Start();
        }
    }

    /// <summary>The item of a number; waits until it is made. Numbers usually follow each other; after a jump, making begins anew there.</summary>
    /// <exception cref="Exception">What making it threw. The item may be asked for again, and others after it.</exception>
    public T Take(long number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(number, _end);
        if (_workers.Length == 0)
        {
            ObjectDisposedException.ThrowIf(_stopped, this);
            return _make(number);
        }

        Made made;
        lock (_gate)
        {
            if (number != _wanted)
            {
                _generation++;
                _made.Clear();
                _wanted = _next = number;
                Monitor.PulseAll(_gate);
            }

            while (!_made.Remove(number, out made))
            {
                ObjectDisposedException.ThrowIf(_stopped, this);
                Monitor.Wait(_gate);
            }

            _wanted = number + 1;
            Monitor.PulseAll(_gate);
        }

        made.Fault?.Throw();
        return made.Item!;
    }

    /// <summary>Ends the workers; returns when what they were making is done.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopped = true;
            _made.Clear();
            Monitor.PulseAll(_gate);
        }

        foreach (Thread worker in _workers)
        {
            worker.Join();
        }
    }

    private void Work()
    {
        while (Begin(out long number, out int generation))
        {
            Made made;
            try
            {
                made = new Made(_make(number), null);
            }
            catch (Exception fault)
            {
                made = new Made(default, ExceptionDispatchInfo.Capture(fault)); // for the one who takes the item
            }

            lock (_gate)
            {
                if (generation == _generation && !_stopped)
                {
                    _made.Add(number, made);
                    Monitor.PulseAll(_gate);
                }
            }
        }
    }

    private bool Begin(out long number, out int generation)
    {
        lock (_gate)
        {
            while (!_stopped && (_next >= _end || _next - _wanted >= _ready))
            {
                Monitor.Wait(_gate);
            }

            number = _next++;
            generation = _generation;
            return !_stopped;
        }
    }

    private readonly record struct Made(T? Item, ExceptionDispatchInfo? Fault);
}
