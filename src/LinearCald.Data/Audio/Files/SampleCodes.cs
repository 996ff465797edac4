using System.Buffers.Binary;

namespace LinearCald.Data.Audio.Files;

/// <summary>Stored samples to floats and back.</summary>
internal static class SampleCodes
{
    /// <summary>One encoding.</summary>
    private interface ISampleCode
    {
        /// <summary>Bytes of a sample.</summary>
        static abstract int Bytes { get; }

        /// <summary>The sample at the start of <paramref name="raw"/>.</summary>
        static abstract float Decode(ReadOnlySpan<byte> raw);
    }

    /// <summary>Decodes frames and takes the mean of their channels.</summary>
    /// <param name="encoding">How samples are stored.</param>
    /// <param name="raw">[frames × channels × bytes].</param>
    /// <param name="channels">Samples of a frame.</param>
    /// <param name="mono">[frames].</param>
    public static void Mix(SampleEncoding encoding, ReadOnlySpan<byte> raw, int channels, Span<float> mono)
    {
        switch (encoding)
        {
            case SampleEncoding.Unsigned8: Mix<U8>(raw, channels, mono); break;
            case SampleEncoding.Signed16: Mix<S16>(raw, channels, mono); break;
            case SampleEncoding.Signed24: Mix<S24>(raw, channels, mono); break;
            case SampleEncoding.Signed32: Mix<S32>(raw, channels, mono); break;
            case SampleEncoding.Signed16BigEndian: Mix<S16Big>(raw, channels, mono); break;
            case SampleEncoding.Signed24BigEndian: Mix<S24Big>(raw, channels, mono); break;
            case SampleEncoding.Signed32BigEndian: Mix<S32Big>(raw, channels, mono); break;
            case SampleEncoding.Float32: Mix<F32>(raw, channels, mono); break;
            case SampleEncoding.Float64: Mix<F64>(raw, channels, mono); break;
            case SampleEncoding.ALaw: Mix<ALaw>(raw, channels, mono); break;
            default: Mix<MuLaw>(raw, channels, mono); break;
        }
    }

    /// <summary>Stores samples; integers are rounded and clipped.</summary>
    /// <param name="encoding">A little-endian encoding.</param>
    /// <param name="samples">Finite.</param>
    /// <param name="raw">At least [samples × bytes].</param>
    public static void Encode(SampleEncoding encoding, ReadOnlySpan<float> samples, Span<byte> raw)
    {
        int width = encoding.Bytes();
        for (int i = 0; i < samples.Length; i++)
        {
            Span<byte> at = raw.Slice(i * width, width);
            float x = samples[i];
            switch (encoding)
            {
                case SampleEncoding.Unsigned8: at[0] = (byte)(Step(x, 7) + 128); break;
                case SampleEncoding.Signed16: BinaryPrimitives.WriteInt16LittleEndian(at, (short)Step(x, 15)); break;
                case SampleEncoding.Signed24:
                    int value = Step(x, 23);
                    (at[0], at[1], at[2]) = ((byte)value, (byte)(value >> 8), (byte)(value >> 16));
                    break;
                case SampleEncoding.Signed32: BinaryPrimitives.WriteInt32LittleEndian(at, Step(x, 31)); break;
                case SampleEncoding.Float32: BinaryPrimitives.WriteSingleLittleEndian(at, x); break;
                case SampleEncoding.Float64: BinaryPrimitives.WriteDoubleLittleEndian(at, x); break;
                case SampleEncoding.ALaw: at[0] = Companding.ToALaw(Step(x, 15)); break;
                case SampleEncoding.MuLaw: at[0] = Companding.ToMuLaw(Step(x, 15)); break;
                default: throw new ArgumentOutOfRangeException(nameof(encoding), encoding, "big-endian samples are only read");
            }
        }
    }

    private static int Step(float x, int bits)
    {
        double scale = 1L << bits;
        return (int)Math.Clamp(Math.Round(x * scale), -scale, scale - 1);
    }

    private static void Mix<T>(ReadOnlySpan<byte> raw, int channels, Span<float> mono)
        where T : ISampleCode
    {
        if (channels == 1)
        {
            for (int i = 0; i < mono.Length; i++)
            {
                mono[i] = T.Decode(raw.Slice(i * T.Bytes, T.Bytes));
            }

            return;
        }

        for (int i = 0; i < mono.Length; i++)
        {
            double sum = 0;
            ReadOnlySpan<byte> frame = raw.Slice(i * channels * T.Bytes, channels * T.Bytes);
            for (int at = 0; at < frame.Length; at += T.Bytes)
            {
                sum += T.Decode(frame.Slice(at, T.Bytes));
            }

            mono[i] = (float)(sum / channels);
        }
    }

    private readonly struct U8 : ISampleCode
    {
        public static int Bytes => 1;

        public static float Decode(ReadOnlySpan<byte> raw) => (raw[0] - 128) / 128f;
    }

    private readonly struct S16 : ISampleCode
    {
        public static int Bytes => 2;

        public static float Decode(ReadOnlySpan<byte> raw) => BinaryPrimitives.ReadInt16LittleEndian(raw) / 32768f;
    }

    private readonly struct S16Big : ISampleCode
    {
        public static int Bytes => 2;

        public static float Decode(ReadOnlySpan<byte> raw) => BinaryPrimitives.ReadInt16BigEndian(raw) / 32768f;
    }

    private readonly struct S24 : ISampleCode
    {
        public static int Bytes => 3;

        public static float Decode(ReadOnlySpan<byte> raw) => (raw[0] | (raw[1] << 8) | ((sbyte)raw[2] << 16)) / 8388608f;
    }

    private readonly struct S24Big : ISampleCode
    {
        public static int Bytes => 3;

        public static float Decode(ReadOnlySpan<byte> raw) => (raw[2] | (raw[1] << 8) | ((sbyte)raw[0] << 16)) / 8388608f;
    }

    private readonly struct S32 : ISampleCode
    {
        public static int Bytes => 4;

        public static float Decode(ReadOnlySpan<byte> raw) => BinaryPrimitives.ReadInt32LittleEndian(raw) / 2147483648f;
    }

    private readonly struct S32Big : ISampleCode
    {
        public static int Bytes => 4;

        public static float Decode(ReadOnlySpan<byte> raw) => BinaryPrimitives.ReadInt32BigEndian(raw) / 2147483648f;
    }

    private readonly struct F32 : ISampleCode
    {
        public static int Bytes => 4;

        public static float Decode(ReadOnlySpan<byte> raw) => BinaryPrimitives.ReadSingleLittleEndian(raw);
    }

    private readonly struct F64 : ISampleCode
    {
        public static int Bytes => 8;

        public static float Decode(ReadOnlySpan<byte> raw) => (float)BinaryPrimitives.ReadDoubleLittleEndian(raw);
    }

    private readonly struct ALaw : ISampleCode
    {
        public static int Bytes => 1;

        public static float Decode(ReadOnlySpan<byte> raw) => Companding.ALaw[raw[0]];
    }

    private readonly struct MuLaw : ISampleCode
    {
        public static int Bytes => 1;

        public static float Decode(ReadOnlySpan<byte> raw) => Companding.MuLaw[raw[0]];
    }
}
