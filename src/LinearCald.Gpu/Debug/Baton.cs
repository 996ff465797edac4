namespace LinearCald.Gpu.Debug;

/// <summary>One thread waits, another lets it go on; a signal given early is kept. A monitor wakes its waiter in less time than a semaphore.</summary>
internal sealed class Baton
{
    private readonly object _gate = new();
    private bool _signalled;

    public void Signal()
    {
        lock (_gate)
        {
            _signalled = true;
            Monitor.Pulse(_gate);
        }
    }

    public void Wait() => Wait(Timeout.Infinite);

    /// <summary>False if no signal came in time.</summary>
    public bool Wait(int milliseconds)
    {
        lock (_gate)
        {
            while (!_signalled)
            {
                if (!Monitor.Wait(_gate, milliseconds))
                {
                    return false;
                }
            }

            _signalled = false;
            return true;
        }
    }
}
