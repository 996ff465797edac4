using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Softmax attention that stays within documents: one call of the attention kernel a document, on its part of the tensors.</summary>
public static class DocumentAttentionOperation
{
    private const string Name = "DocumentAttention";

    /// <summary>q, k, v [B, L, H·d] → [B, L, H·d]: a position sees only positions of its own document, earlier ones and itself if causal.</summary>
    /// <exception cref="CaldException">Shapes do not fit each other or the documents.</exception>
    public static Tensor DocumentAttention(this Tensor q, Tensor k, Tensor v, DocumentSpans documents, AttentionOptions options)
    {
        ArgumentNullException.ThrowIfNull(q);
        ArgumentNullException.ThrowIfNull(k);
        ArgumentNullException.ThrowIfNull(v);
        ArgumentNullException.ThrowIfNull(documents);
        AttentionOperation.CheckInputs(Name, q, k, v, null, options);
        Check.SameShape(Name, q, k);
        if (q.Shape[0] != documents.Batch || q.Shape[1] != documents.Length)
        {
            throw new CaldException($"{Name}: the documents are those of a batch [{documents.Batch}, {documents.Length}], q is {q.Shape}");
        }

        q = q.Contiguous();
        k = k.Contiguous();
        v = v.Contiguous();
        Tensor y = Tensor.Allocate(q.Device, q.Type, q.Shape);
        bool record = Tape.Wants(q, k, v);
        Tensor? rest = AttentionOperation.RestOf(y, record);
        Tensor lse = Tensor.Allocate(q.Device, q.Type.Statistics(), new Shape(q.Shape[0], q.Shape[1], options.Heads));
        Backend backend = q.Device.Backend;
        for (int i = 0; i < documents.Spans.Count; i++)
        {
            DocumentSpan span = documents.Spans[i];
            backend.Attention(
                Part(q, span), Part(k, span), Part(v, span), null, options.Heads, options.Causal, options.Scale, options.Dropout, KeyOf(options, i), Part(y, span), Statistics(lse, span),
                PartOrNone(rest, span));
        }

        return record ? Tape.Attach(y, new Node(q, k, v, documents, options, y, rest, lse)) : y;
    }

    /// <summary>The span's rows of a contiguous [B, L, d], themselves contiguous.</summary>
    private static Tensor Part(Tensor x, DocumentSpan span)
    {
        Shape shape = new(span.Rows, span.Length, x.Shape[2]);
        return x.View(shape, Strides.Contiguous(shape), x.Offset + ((((long)span.Row * x.Shape[1]) + span.Start) * x.Shape[2]));
    }

    private static Tensor? PartOrNone(Tensor? x, DocumentSpan span) => x is null ? null : Part(x, span);

    /// <summary>Log-sums of a span's rows, [rows, heads, length] one span after another.</summary>
    private static Tensor Statistics(Tensor lse, DocumentSpan span)
    {
        Tensor part = Part(lse, span);
        Shape shape = new(span.Rows, lse.Shape[2], span.Length);
        return part.View(shape, Strides.Contiguous(shape), part.Offset);
    }

    /// <summary>A mask is a function of key and index within the call: each document has a key of its own.</summary>
    private static RandomKey KeyOf(AttentionOptions options, int document) => options.Key with { Seed = options.Key.Seed + ((ulong)document * 0x9E3779B97F4A7C15) };

    private sealed class Node : TapeNode
    {
        private readonly Tensor _q;
        private readonly Tensor _k;
        private readonly Tensor _v;
        private readonly DocumentSpans _documents;
        private readonly AttentionOptions _options;
        private readonly Tensor _y;
        private readonly Tensor? _rest;
        private readonly Tensor _lse;

        public Node(Tensor q, Tensor k, Tensor v, DocumentSpans documents, AttentionOptions options, Tensor y, Tensor? rest, Tensor lse)
        {
            _q = Save(q);
            _k = Save(k);
            _v = Save(v);
            _documents = documents;
            _options = options;
            _y = Save(y);
            _rest = SaveOptional(rest);
            _lse = Save(lse);
        }

        // the gradient of attention (see AttentionOperation), document by document; the documents cover every row of q, k and v once
        public override void Backward(Tensor gradient)
        {
            InputGradient gq = Gradients.ForAny(_q, strided: false);
            InputGradient gk = Gradients.ForAny(_k, strided: false);
            InputGradient gv = Gradients.ForAny(_v, strided: false);
            Backend backend = gradient.Device.Backend;
            for (int i = 0; i < _documents.Spans.Count; i++)
            {
                DocumentSpan span = _documents.Spans[i];
                backend.AttentionGradient(
                    Part(_q, span), Part(_k, span), Part(_v, span), null, _options.Heads, _options.Causal, _options.Scale, _options.Dropout, KeyOf(_options, i), Part(_y, span),
                    Statistics(_lse, span), Part(gradient, span), Part(gq.Buffer!, span), Part(gk.Buffer!, span), Part(gv.Buffer!, span),
                    PartOrNone(_rest, span));
            }

            gq.Done();
            gk.Done();
            gv.Done();
        }
    }
}
