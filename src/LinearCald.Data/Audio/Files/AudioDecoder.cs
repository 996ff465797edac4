namespace LinearCald.Data.Audio.Files;

/// <summary>Decodes a file from its start to its end, one channel. Owns its source.</summary>
internal abstract class AudioDecoder(AudioSource source) : IDisposable
{
    /// <summary>The bytes.</summary>
    protected AudioSource Source { get; } = source;

    /// <summary>What messages call the file.</summary>
    public string Name => Source.Name;

    /// <summary>In Hz.</summary>
    public abstract int SampleRate { get; }

    /// <summary>Of the file; they are mixed down.</summary>
    public abstract int Channels { get; }

    /// <summary>Sample frames of the whole file; null when the header does not tell.</summary>
    public abstract long? Frames { get; }

    /// <summary>Whether <see cref="Frames"/> is backed by bytes that are there, so that memory may be taken for it at once.</summary>
    public abstract bool FramesAreCertain { get; }

    /// <summary>Container and encoding in words.</summary>
    public abstract string Format { get; }

    /// <summary>Whether samples can be NaN, infinite or absurdly large; <see cref="Read"/> does not check.</summary>
    public virtual bool MayBeUnsound => false;

    /// <summary>Decodes the next sample frames; returns how many, 0 only at the end.</summary>
    /// <exception cref="CaldException">The file is damaged or cut short.</exception>
    public abstract int Read(Span<float> mono);

    /// <summary>Leaves sample frames out; returns how many, fewer only at the end.</summary>
    public virtual long Skip(long frames)
    {
        float[] discarded = new float[(int)Math.Min(frames, 4096)];
        long done = 0;
        while (done < frames && Read(discarded.AsSpan(0, (int)Math.Min(discarded.Length, frames - done))) is int got and > 0)
        {
            done += got;
        }

        return done;
    }

    /// <summary>The error for a sample that is not sound.</summary>
    public CaldException Unsound(long frame, float sample)
    {
        string problem = $"sample frame {frame} is {sample:G4}; samples must be finite (and below {Waveform.LargestSample:G1}), so repair or leave out this file";
        return ByteOf(frame) is { } position ? Source.Error(position, problem) : new CaldException($"{Name}: {problem}");
    }

    /// <summary>Where a sample frame lies in the file, when that is known.</summary>
    protected virtual long? ByteOf(long frame) => null;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        Source.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what a decoder holds beside its source.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}
