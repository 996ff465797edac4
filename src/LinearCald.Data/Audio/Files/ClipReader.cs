using LinearCald.Data.Audio.Resampling;

namespace LinearCald.Data.Audio.Files;

/// <summary>Takes a clip out of a decoder: the wanted part, in the wanted rate, with no more memory than the clip and one block.</summary>
internal static class ClipReader
{
    private const int BlockFrames = 1 << 14;

    /// <inheritdoc cref="AudioFile.Read(string, int, long, long)"/>
    public static AudioClip Read(AudioDecoder decoder, int sampleRate, long firstFrame, long frames)
    {
        if (sampleRate != AudioFile.OwnRate && sampleRate is < AudioLimits.LowestRate or > AudioLimits.HighestRate)
        {
            throw new CaldException($"{decoder.Name} cannot be read at {sampleRate} Hz; the rate must be {AudioLimits.LowestRate}–{AudioLimits.HighestRate} Hz, or {AudioFile.OwnRate} for the file's own");
        }

        if (firstFrame < 0 || frames is 0 or < -1)
        {
            throw new CaldException($"{decoder.Name}: {frames} sample frames from {firstFrame} on are no part of a file; give a start of at least 0 and at least 1 frame (or −1 for the rest)");
        }

        if (decoder.Frames is { } known)
        {
            CheckPart(decoder, known, firstFrame, frames);
        }

        if (firstFrame > 0 && decoder.Skip(firstFrame) is long skipped && skipped < firstFrame)
        {
            CheckPart(decoder, skipped, firstFrame, frames);
        }

        long? expected = frames >= 0 ? frames : decoder.Frames - firstFrame;
        int rate = sampleRate == AudioFile.OwnRate ? decoder.SampleRate : sampleRate;
        float[] samples = rate == decoder.SampleRate
            ? Copy(decoder, firstFrame, frames, expected)
            : Resample(decoder, rate, firstFrame, frames, expected);
        return new AudioClip(samples, rate);
    }

    /// <summary>Decodes everything and measures it.</summary>
    public static AudioReport Measure(AudioDecoder decoder)
    {
        float[] block = new float[BlockFrames];
        float lowest = float.PositiveInfinity, highest = float.NegativeInfinity;
        double sum = 0, squares = 0;
        long frames = 0, unsound = 0;
        while (decoder.Read(block) is int got and > 0)
        {
            foreach (float x in block.AsSpan(0, got))
            {
                if (!float.IsFinite(x))
                {
                    unsound++;
                    continue;
                }

                lowest = Math.Min(lowest, x);
                highest = Math.Max(highest, x);
                sum += x;
                squares += (double)x * x;
            }

            frames += got;
        }

        if (frames == 0)
        {
            throw Empty(decoder);
        }

        long sound = frames - unsound;
        AudioInfo info = new(decoder.SampleRate, decoder.Channels, frames, decoder.Format);
        return sound == 0 ? new AudioReport(info, 0, 0, 0, 0, unsound) : new AudioReport(info, lowest, highest, sum / sound, Math.Sqrt(squares / sound), unsound);
    }

    /// <summary>Decodes to the end and counts.</summary>
    public static long Count(AudioDecoder decoder)
    {
        long frames = decoder.Skip(long.MaxValue);
        return frames > 0 ? frames : throw Empty(decoder);
    }

    private static float[] Copy(AudioDecoder decoder, long firstFrame, long frames, long? expected)
    {
        SampleCollector collector = new(decoder.Name, expected, decoder.FramesAreCertain);
        long left = frames < 0 ? long.MaxValue : frames;
        while (left > 0)
        {
            Span<float> room = collector.Next((int)Math.Min(left, BlockFrames));
            int got = decoder.Read(room);
            if (got == 0)
            {
                break;
            }

            CheckSound(decoder, room[..got], firstFrame + collector.Count);
            collector.Advance(got);
            left -= got;
        }

        CheckEnd(decoder, collector.Count, firstFrame, frames);
        return collector.ToArray();
    }

    private static float[] Resample(AudioDecoder decoder, int rate, long firstFrame, long frames, long? expected)
    {
        ResamplingFilter filter = ResamplingFilter.For(decoder.SampleRate, rate);
        SampleCollector collector = new(decoder.Name, expected is { } inputs ? filter.OutputLength(inputs) : null, decoder.FramesAreCertain);
        StreamingResampler resampler = new(filter, collector);
        float[] block = new float[(int)Math.Min(BlockFrames, expected ?? BlockFrames)];
        long left = frames < 0 ? long.MaxValue : frames, read = 0;
        while (left > 0 && decoder.Read(block.AsSpan(0, (int)Math.Min(left, block.Length))) is int got and > 0)
        {
            CheckSound(decoder, block.AsSpan(0, got), firstFrame + read);
            resampler.Add(block.AsSpan(0, got));
            left -= got;
            read += got;
        }

        CheckEnd(decoder, read, firstFrame, frames);
        resampler.Finish();
        return collector.ToArray();
    }

    private static void CheckPart(AudioDecoder decoder, long known, long firstFrame, long frames)
    {
        if (known == 0)
        {
            throw Empty(decoder);
        }

        if (firstFrame >= known || frames > known - firstFrame)
        {
            string part = frames < 0 ? $"the part from sample frame {firstFrame} on" : $"the part of {frames} sample frames from {firstFrame} on";
            throw new CaldException($"{decoder.Name}: {part} goes beyond the end; the file has {known} frames ({(double)known / decoder.SampleRate:F2} s at {decoder.SampleRate} Hz)");
        }
    }

    private static void CheckEnd(AudioDecoder decoder, long read, long firstFrame, long frames)
    {
        if (read == 0 || read < frames)
        {
            CheckPart(decoder, firstFrame + read, firstFrame, frames);
        }
    }

    private static void CheckSound(AudioDecoder decoder, ReadOnlySpan<float> samples, long firstFrame)
    {
        if (decoder.MayBeUnsound && Waveform.FirstUnsound(samples) is int bad and >= 0)
        {
            throw decoder.Unsound(firstFrame + bad, samples[bad]);
        }
    }

    private static CaldException Empty(AudioDecoder decoder) => new($"{decoder.Name} holds no samples ({decoder.Format}); leave it out");
}
