using LinearCald.Models.Language;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Models.Tests.Language;

/// <summary>
/// The smallest causal language model that hears of all tokens before: h ← ½ h + table[token], computed on the host. Hidden states behind a row's valid positions are NaN,
/// so that whoever looks at them is found out.
/// </summary>
internal sealed class RecurrentTableModel : CausalLanguageModel
{
    private readonly Parameter _table;

    public RecurrentTableModel(int vocabulary, int width, int? positions = null, ulong seed = 1)
    {
        BuildContext context = BuildContext.For(Device.Parse("cpu"), seed);
        _table = AddParameter("embed_in.weight", context, new Shape(vocabulary, width), (value, key) => value.FillNormal(0, 1, key));
        OutputWeight = AddParameter("embed_out.weight", context, new Shape(vocabulary, width), (value, key) => value.FillNormal(0, 1, key));
        MaximumPositions = positions;
    }

    public override string Architecture => nameof(RecurrentTableModel);

    public override int VocabularySize => OutputWeight.Value.Shape[0];

    public override int? MaximumPositions { get; }

    public override int Layers => 1;

    public override int HiddenSize => OutputWeight.Value.Shape[1];

    public override Parameter OutputWeight { get; }

    /// <summary>Rows of every pass so far.</summary>
    public List<int> BatchSizes { get; } = [];

    public override Tensor Encode(LanguageInput input, ForwardContext context, List<Tensor>? states = null, DecodingState? memory = null)
    {
        (int rows, int length) = (input.Ids.Shape[0], input.Ids.Shape[1]);
        BatchSizes.Add(rows);
        Memory? before = (Memory?)memory;
        if ((before?.Position ?? 0) + length > MaximumPositions)
        {
            throw new CaldException($"more than {MaximumPositions} positions");
        }

        int[] ids = input.Ids.ToArray<int>();
        int[] lengths = input.Lengths?.ToArray<int>() ?? [.. Enumerable.Repeat(length, rows)];
        float[] table = _table.Value.ToArray<float>();
        float[] hidden = new float[rows * length * HiddenSize];
        Array.Fill(hidden, float.NaN);
        for (int r = 0; r < rows; r++)
        {
            float[] h = before?.Rows[r] ?? new float[HiddenSize];
            for (int t = 0; t < lengths[r]; t++)
            {
                int id = ids[(r * length) + t];
                for (int j = 0; j < HiddenSize; j++)
                {
                    h[j] = (0.5f * h[j]) + table[(id * HiddenSize) + j];
                    hidden[(((r * length) + t) * HiddenSize) + j] = h[j];
                }
            }
        }

        before?.Advance(length);
        return Tensor.From(Device.Parse("cpu"), new Shape(rows, length, HiddenSize), hidden);
    }

    public override DecodingState NewDecodingState(int batch, int capacity) => new Memory(batch, HiddenSize);

    /// <summary>Log probabilities of the token after each of the given ones, in float64 and one at a time.</summary>
    public double[][] LogProbabilities(IEnumerable<int> tokens)
    {
        float[] table = _table.Value.ToArray<float>(), output = OutputWeight.Value.ToArray<float>();
        double[] h = new double[HiddenSize];
        List<double[]> all = [];
        foreach (int token in tokens)
        {
            for (int j = 0; j < h.Length; j++)
            {
                h[j] = (0.5 * h[j]) + table[(token * h.Length) + j];
            }

            double[] logits = [.. Enumerable.Range(0, VocabularySize).Select(v => Enumerable.Range(0, h.Length).Sum(j => h[j] * output[(v * h.Length) + j]))];
            double maximum = logits.Max(), sum = logits.Sum(l => Math.Exp(l - maximum));
            all.Add(Array.ConvertAll(logits, l => l - maximum - Math.Log(sum)));
        }

        return [.. all];
    }

    private sealed class Memory(int batch, int width) : DecodingState
    {
        public float[][] Rows { get; } = [.. Enumerable.Range(0, batch).Select(_ => new float[width])];

        public override int Batch => batch;

        public override long Bytes => 4L * batch * width;

        public void Advance(int tokens) => Position += tokens;

        public override void Reset()
        {
            Position = 0;
            Array.ForEach(Rows, row => Array.Clear(row));
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
