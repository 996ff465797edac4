using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Verification;

/// <summary>
/// The operators of a golden <c>ops</c> folder: <c>OP.ARGUMENT</c> and <c>OP.grad_out</c> in, <c>OP.out</c> and <c>OP.grad.ARGUMENT</c> expected.
/// </summary>
/// <remarks>
/// In mixed precision an operator's data have the type that they have in the models. The rounding of arguments is part of an error, and it is not bounded where gradients are small differences of
/// large sums (A of a scan) or values grow exponentially (softmax): 8 digits would fail there whatever the kernel does, which is why no model has them there.
/// </remarks>
internal static class OperatorCases
{
    private static readonly Dictionary<string, (Part Part, Func<Arguments, Tensor> Compute)> Operators = new()
    {
        ["gelu_erf"] = (Part.Products, a => a["x"].Apply(Activation.GeluErf)),
        ["gelu_tanh"] = (Part.Products, a => a["x"].Apply(Activation.GeluTanh)),
        ["silu"] = (Part.Products, a => a["x"].Apply(Activation.Silu)),
        ["softplus"] = (Part.Fine, a => a["x"].Apply(Activation.Softplus)),
        ["softmax"] = (Part.Losses, a => a["x"].Softmax()),
        ["log_softmax"] = (Part.Losses, a => a["x"].LogSoftmax()),
        ["layer_norm"] = (Part.Fine, a => a["x"].LayerNorm(a["w"], a["b"])),
        ["embedding"] = (Part.Losses, a => a["w"].Embedding(a.Integers("i"))),
        ["cross_entropy_ignore"] = (Part.Losses, a => a["x"].CrossEntropy(a.Integers("y")).Reshape(1)),
        ["kl_temperature_2"] = (Part.Losses, KlRows),
        ["sdpa_causal"] = (Part.Products, CausalAttention),
        ["selective_scan"] = (Part.Fine, SelectiveScan),
        ["conv1d_depthwise_causal"] = (Part.Fine, a => a["x"].Transpose(1, 2).CausalConv1d(a["w"], a["b"], Activation.Silu).Transpose(1, 2)),
        ["conv1d_strided"] = (Part.Fine, a => a["x"].Transpose(1, 2).Conv1d(a["w"], a["b"], stride: 5).Transpose(1, 2)),
        ["conv1d_grouped_same"] = (Part.Products, a => a["x"].Transpose(1, 2).Conv1d(a["w"], a["b"], padding: 8, groups: 4).Narrow(1, 0, a["x"].Shape[2]).Transpose(1, 2)),
        ["group_norm"] = (Part.Fine, a => a["x"].Transpose(1, 2).GroupNorm(8, a["w"], a["b"]).Transpose(1, 2)),
        ["rms_norm_gated"] = (Part.Fine, a => a["x"].GatedRmsNorm(a["z"], a["w"])),
        ["ssd"] = (Part.Fine, Ssd),
    };

    /// <summary>Where models have an operator, which decides what its data are in mixed precision.</summary>
    private enum Part
    {
        /// <summary>Among products and attention: the compute type.</summary>
        Products,

        /// <summary>In recurrent mixers, or among the convolutions over waves: <see cref="ForwardContext.FineType"/>.</summary>
        Fine,

        /// <summary>Ids, logits and what losses make of them, probabilities of attention: Float32 in every precision.</summary>
        Losses,
    }

    public static IEnumerable<CaseResult> Verify(Fixture fixture, Device device, Precision precision)
    {
        const string Suffix = ".out";
        foreach (string name in fixture.Expected.Entries.Select(e => e.Name).Where(n => n.EndsWith(Suffix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            string op = name[..^Suffix.Length];
            yield return Operators.TryGetValue(op, out (Part Part, Func<Arguments, Tensor> Compute) found)
                ? One(fixture, op, found.Compute, device, precision, TypeIn(found.Part, precision))
                : CaseResult.NotBuilt($"{fixture.Name}/{op}", device.Name, "this operator is not part of this version");
        }
    }

    private static DType? TypeIn(Part part, Precision precision)
    {
        ForwardContext context = new() { ComputeType = precision.ComputeType() };
        return part switch
        {
            Part.Products => context.ComputeType,
            Part.Fine => context.FineType,
            _ => null,
        };
    }

    private static CaseResult One(Fixture fixture, string op, Func<Arguments, Tensor> compute, Device device, Precision precision, DType? type)
    {
        using MemoryScope scope = MemoryScope.Begin();
        using Tape tape = Tape.Record();
        Arguments arguments = new(fixture, op, device, type);
        Tensor y = compute(arguments).To(DType.Float32);
        ErrorMeter meter = new();
        meter.Add(op + ".out", "out", Fixture.Values(y), fixture.ExpectedValues(op + ".out"));
        Tensor incoming = fixture.Float(op + ".grad_out", device);
        if (incoming.Shape != y.Shape)
        {
            throw new CaldException($"{fixture.Folder}: {op}.grad_out has the shape {incoming.Shape} and the operator's result {y.Shape}; the fixture is damaged");
        }

        tape.Backward(y, incoming);
        foreach ((string argument, Tensor value) in arguments.Floats)
        {
            string name = $"{op}.grad.{argument}";
            if (fixture.Expected.Find(name) is not null)
            {
                Tensor gradient = value.Gradient ?? throw new CaldException($"no gradient reached {name}");
                meter.Add(name, "grad", Fixture.Values(gradient), fixture.ExpectedValues(name));
            }
        }

        return meter.Result($"{fixture.Name}/{op}", device.Name, precision.OperatorBudget());
    }

    private static Tensor KlRows(Arguments a)
    {
        // Our operator sums over rows; the fixture has each row alone. Rows are joined again by their place in a zero vector.
        Tensor student = a["s"];
        Tensor teacher = a["t"];
        int rows = student.Shape[0];
        Tensor? joined = null;
        for (int i = 0; i < rows; i++)
        {
            float[] place = new float[rows];
            place[i] = 1;
            Tensor row = student.Narrow(0, i, 1).KlDivergence(teacher.Narrow(0, i, 1).Detach(), 2, 1);
            Tensor at = Tensor.From(student.Device, new Shape(rows), place).Multiply(row);
            joined = joined is null ? at : joined.Add(at);
        }

        return joined!;
    }

    private static Tensor CausalAttention(Arguments a)
    {
        Shape s = a["q"].Shape; // [batch, heads, length, features]
        Tensor y = Packed(a["q"]).Attention(Packed(a["k"]), Packed(a["v"]), null, new AttentionOptions(s[1], Causal: true, 1 / Math.Sqrt(s[3])));
        return y.Reshape(s[0], s[2], s[1], s[3]).Transpose(1, 2);
    }

    private static Tensor SelectiveScan(Arguments a) => a["u"].Transpose(1, 2).SelectiveScan(
        a["delta"].Transpose(1, 2), a["A"], a["B"].Transpose(1, 2), a["C"].Transpose(1, 2), a["D"], a["z"].Transpose(1, 2), null, new() { Softplus = true }).Transpose(1, 2);

    private static Tensor Ssd(Arguments a)
    {
        Shape x = a["x"].Shape, b = a["B"].Shape; // [batch, length, heads, features], [batch, length, groups, states]
        SsdOptions options = new() { Heads = x[2], Groups = b[2], Softplus = true, Chunk = 16 };
        Tensor Rows(string name, int features) => a[name].Reshape(x[0], x[1], features);
        return Rows("x", x[2] * x[3]).SsdScan(a["dt"], a["A"], Rows("B", b[2] * b[3]), Rows("C", b[2] * b[3]), a["D"], null, options).Reshape(x);
    }

    private static Tensor Packed(Tensor x) => x.Transpose(1, 2).Reshape(x.Shape[0], x.Shape[2], x.Shape[1] * x.Shape[3]);

    /// <summary>The arguments of one operator, uploaded on first use.</summary>
    private sealed class Arguments(Fixture fixture, string op, Device device, DType? type)
    {
        public Dictionary<string, Tensor> Floats { get; } = [];

        public Tensor this[string name]
        {
            get
            {
                if (!Floats.TryGetValue(name, out Tensor? value))
                {
                    value = fixture.Float($"{op}.{name}", device);
                    value.RequiresGradient = true;
                    Floats.Add(name, value);
                }

                // In mixed precision parameters stay float32.
                return type is { } compute && name is not ("w" or "b" or "A" or "D") ? value.To(compute) : value;
            }
        }

        public Tensor Integers(string name) => fixture.Integer($"{op}.{name}", device);
    }
}
