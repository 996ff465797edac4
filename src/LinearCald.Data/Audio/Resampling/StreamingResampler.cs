using LinearCald.Data.Audio.Files;

namespace LinearCald.Data.Audio.Resampling;

/// <summary>Resamples a signal that comes in blocks; keeps only the samples that outputs to come depend on. The result is that of the whole signal, bit for bit.</summary>
internal sealed class StreamingResampler(ResamplingFilter filter, SampleCollector output)
{
    private const int BlockOutputs = 1 << 14;

    private float[] _window = [];
    private int _used;
    private long _windowStart; // of _window[0] in the input
    private long _next; // output sample

    /// <summary>Takes the next input samples.</summary>
    public void Add(ReadOnlySpan<float> input)
    {
        int keep = (int)Math.Max(0, Math.Min(_used, filter.InputIndex(_next) - filter.HalfTaps + 1 - _windowStart));
        _window.AsSpan(keep, _used - keep).CopyTo(_window);
        _used -= keep;
        _windowStart += keep;
        if (_window.Length < _used + input.Length)
        {
            Array.Resize(ref _window, _used + input.Length + (2 * filter.HalfTaps));
        }

        input.CopyTo(_window.AsSpan(_used));
        _used += input.Length;

        // Ready are the outputs whose last tap, InputIndex + HalfTaps, has come.
        Produce(filter.OutputLength(Math.Max(0, _windowStart + _used - filter.HalfTaps)));
    }

    /// <summary>No more input: the rest, with zeros behind it.</summary>
    public void Finish() => Produce(filter.OutputLength(_windowStart + _used));

    private void Produce(long end)
    {
        while (_next < end)
        {
            Span<float> room = output.Next((int)Math.Min(end - _next, BlockOutputs));
            filter.Run(_window.AsSpan(0, _used), _windowStart, _next, room);
            output.Advance(room.Length);
            _next += room.Length;
        }
    }
}
