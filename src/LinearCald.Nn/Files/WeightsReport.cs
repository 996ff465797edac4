using LinearCald.Tensors.Cpu;

namespace LinearCald.Nn.Files;

/// <summary>
/// What a tensor in a file holds. The figures are over its finite elements and null when there are none, or when the type is not one of ours.
/// </summary>
/// <param name="Entry">Name, type and shape.</param>
/// <param name="Min">Smallest element.</param>
/// <param name="Max">Largest element.</param>
/// <param name="Mean">Arithmetic mean.</param>
/// <param name="Deviation">Standard deviation of the population (divided by n, not n − 1).</param>
/// <param name="NaNs">Elements that are not a number.</param>
/// <param name="Infinities">Elements that are infinite, of either sign.</param>
public sealed record TensorReport(SafetensorsEntry Entry, double? Min, double? Max, double? Mean, double? Deviation, long NaNs, long Infinities);

/// <summary>The contents of a safetensors file or a model folder, tensor by tensor: what <c>cald inspect</c> shows.</summary>
/// <param name="Path">The file or index read.</param>
/// <param name="Tensors">In ordinal order of their names.</param>
public sealed record WeightsReport(string Path, IReadOnlyList<TensorReport> Tensors)
{
    private const int PieceElements = 1 << 17;

    /// <summary>Elements of all tensors.</summary>
    public long Elements => Tensors.Sum(t => t.Entry.ElementCount);

    /// <summary>Bytes of all tensors.</summary>
    public long Bytes => Tensors.Sum(t => t.Entry.ByteLength);

    /// <summary>True when no tensor has a NaN or an infinity.</summary>
    public bool IsFinite => Tensors.All(t => t.NaNs == 0 && t.Infinities == 0);

    /// <summary>
    /// Reads everything once, in parallel, in pieces: memory use does not grow with the model. The figures do not depend on the number of threads.
    /// </summary>
    /// <param name="path">A model folder, a safetensors file or an index.</param>
    /// <exception cref="CaldException">Anything that <see cref="WeightsReader"/> refuses.</exception>
    public static WeightsReport Of(string path)
    {
        using WeightsReader reader = WeightsReader.Open(path);
        List<Piece> pieces = [];
        foreach (string name in reader.Names)
        {
            SafetensorsFile file = reader.FileOf(name);
            SafetensorsEntry entry = file.Entry(name);
            for (long first = 0; entry.Type is not null && first < entry.ElementCount; first += PieceElements)
                pieces.Add(new Piece(file, entry, first, (int)Math.Min(PieceElements, entry.ElementCount - first)));
        }

        Moments[] moments = new Moments[pieces.Count];
        WorkerPool.Shared.For(pieces.Count, new Measure(pieces, moments));

        List<TensorReport> tensors = [];
        int next = 0;
        foreach (string name in reader.Names)
        {
            SafetensorsEntry entry = reader.Entry(name);
            Moments all = Moments.None;
            for (; next < pieces.Count && ReferenceEquals(pieces[next].Entry, entry); next++)
                all.Add(moments[next]);
            tensors.Add(all.Report(entry));
        }

        return new WeightsReport(reader.Path, tensors);
    }

    private readonly record struct Piece(SafetensorsFile File, SafetensorsEntry Entry, long First, int Count);

    /// <summary>Measures one piece in blocks that stay in the first-level cache.</summary>
    private readonly struct Measure(List<Piece> pieces, Moments[] moments) : IParallelBody
    {
        private const int BlockElements = 2048;

        public void Execute(int index)
        {
            Piece piece = pieces[index];
            Span<double> buffer = stackalloc double[BlockElements];
            Moments sum = Moments.None;
            for (int at = 0; at < piece.Count; at += BlockElements)
            {
                Span<double> block = buffer[..Math.Min(BlockElements, piece.Count - at)];
                piece.File.ReadPart(piece.Entry, piece.First + at, block);
                sum.Add(Moments.Of(block));
            }

            moments[index] = sum;
        }
    }

    /// <summary>Count, extremes, mean and sum of squared deviations of the finite elements; two of them merge by Chan's formula.</summary>
    private struct Moments
    {
        private long _finite;
        private double _min;
        private double _max;
        private double _mean;
        private double _squares;
        private long _nans;
        private long _infinities;

        public static Moments None => new() { _min = double.PositiveInfinity, _max = double.NegativeInfinity };

        public static Moments Of(ReadOnlySpan<double> values)
        {
            Moments m = None;
            double sum = 0;
            foreach (double value in values)
            {
                if (double.IsFinite(value))
                {
                    m._finite++;
                    sum += value;
                    m._min = Math.Min(m._min, value);
                    m._max = Math.Max(m._max, value);
                }
                else if (double.IsNaN(value))
                {
                    m._nans++;
                }
                else
                {
                    m._infinities++;
                }
            }

            m._mean = m._finite == 0 ? 0 : sum / m._finite;
            foreach (double value in values)
            {
                double d = value - m._mean;
                m._squares += double.IsFinite(value) ? d * d : 0;
            }

            return m;
        }

        public void Add(in Moments other)
        {
            long total = _finite + other._finite;
            if (other._finite > 0)
            {
                double delta = other._mean - _mean;
                double share = (double)other._finite / total;
                _squares += other._squares + (delta * delta * _finite * share);
                _mean += delta * share;
                _min = Math.Min(_min, other._min);
                _max = Math.Max(_max, other._max);
            }

            _finite = total;
            _nans += other._nans;
            _infinities += other._infinities;
        }

        public readonly TensorReport Report(SafetensorsEntry entry) => _finite == 0
            ? new TensorReport(entry, null, null, null, null, _nans, _infinities)
            : new TensorReport(entry, _min, _max, _mean, Math.Sqrt(_squares / _finite), _nans, _infinities);
    }
}
