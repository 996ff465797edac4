using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>The plain twin of <see cref="AttentionKernel"/>: whole rows of probabilities, three loops, no blocks.</summary>
internal static unsafe class AttentionReference
{
    /// <summary>See <see cref="AttentionKernel.Forward{T}"/>.</summary>
    public static void Forward<T>(
        in AttentionShape shape, in AttentionOptions options, Rows<T> q, Rows<T> k, Rows<T> v, int* lengths, Rows<T> output, T* lse)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] scores = new T[shape.KeyLength];
        for (int bh = 0; bh < shape.Batch * shape.Heads; bh++)
        {
            (int b, int h) = Math.DivRem(bh, shape.Heads);
            nint column = (nint)h * shape.HeadSize;
            Rows<T> queries = q.From((nint)b * shape.QueryLength, column), outputs = output.From((nint)b * shape.QueryLength, column);
            Rows<T> keys = k.From((nint)b * shape.KeyLength, column), values = v.From((nint)b * shape.KeyLength, column);
            for (int i = 0; i < shape.QueryLength; i++)
            {
                int visible = Visible(in shape, in options, lengths, b, i);
                T logSum = Scores(in shape, in options, queries[i], keys, visible, scores);
                lse[((nint)bh * shape.QueryLength) + i] = logSum;
                for (int d = 0; d < shape.HeadSize; d++)
                {
                    T sum = T.Zero;
                    for (int j = 0; j < visible; j++)
                    {
                        sum += T.Exp(scores[j] - logSum) * Kept<T>(in shape, in options, bh, i, j) * values[j][d];
                    }

                    outputs[i][d] = sum;
                }
            }
        }
    }

    /// <summary>See <see cref="AttentionKernel.Backward{T}"/>.</summary>
    /// <remarks>
    /// With P the probabilities, M the dropout factors and g the gradient of the output: dV_j = Σ_i P_ij M_ij g_i;
    /// dS_ij = P_ij (M_ij g_i·v_j − g_i·o_i); dQ_i = scale Σ_j dS_ij k_j; dK_j = scale Σ_i dS_ij q_i.
    /// </remarks>
    public static void Backward<T>(
        in AttentionShape shape, in AttentionOptions options, Rows<T> q, Rows<T> k, Rows<T> v, int* lengths, Rows<T> output, T* lse,
        Rows<T> dOutput, Rows<T> dq, Rows<T> dk, Rows<T> dv)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T scale = T.CreateTruncating(options.Scale);
        T[] scores = new T[shape.KeyLength];
        for (int bh = 0; bh < shape.Batch * shape.Heads; bh++)
        {
            (int b, int h) = Math.DivRem(bh, shape.Heads);
            nint column = (nint)h * shape.HeadSize, firstQuery = (nint)b * shape.QueryLength, firstKey = (nint)b * shape.KeyLength;
            Rows<T> queries = q.From(firstQuery, column), outputs = output.From(firstQuery, column), gradients = dOutput.From(firstQuery, column);
            Rows<T> keys = k.From(firstKey, column), values = v.From(firstKey, column);
            Rows<T> gq = dq.From(firstQuery, column), gk = dk.From(firstKey, column), gv = dv.From(firstKey, column);
            gq.Clear(0, shape.QueryLength, shape.HeadSize);
            gk.Clear(0, shape.KeyLength, shape.HeadSize);
            gv.Clear(0, shape.KeyLength, shape.HeadSize);
            for (int i = 0; i < shape.QueryLength; i++)
            {
                T* g = gradients[i];
                T delta = Dot(g, outputs[i], shape.HeadSize);
                int visible = Visible(in shape, in options, lengths, b, i);
                Scores(in shape, in options, queries[i], keys, visible, scores);
                for (int j = 0; j < visible; j++)
                {
                    T p = T.Exp(scores[j] - lse[((nint)bh * shape.QueryLength) + i]);
                    T kept = Kept<T>(in shape, in options, bh, i, j);
                    T ds = p * ((kept * Dot(g, values[j], shape.HeadSize)) - delta) * scale;
                    for (int d = 0; d < shape.HeadSize; d++)
                    {
                        gq[i][d] += ds * keys[j][d];
                        gk[j][d] += ds * queries[i][d];
                        gv[j][d] += p * kept * g[d];
                    }
                }
            }
        }
    }

    private static int Visible(in AttentionShape shape, in AttentionOptions options, int* lengths, int b, int i)
    {
        int keys = lengths == null ? shape.KeyLength : lengths[b];
        return options.Causal ? Math.Clamp(i + 1 + shape.KeyLength - shape.QueryLength, 0, keys) : keys;
    }

    private static T Scores<T>(in AttentionShape shape, in AttentionOptions options, T* query, Rows<T> keys, int visible, T[] scores)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T largest = T.NegativeInfinity;
        for (int j = 0; j < visible; j++)
        {
            scores[j] = Dot(query, keys[j], shape.HeadSize) * T.CreateTruncating(options.Scale);
            largest = T.Max(largest, scores[j]);
        }

        T sum = T.Zero;
        for (int j = 0; j < visible; j++)
        {
            sum += T.Exp(scores[j] - largest);
        }

        return visible == 0 ? T.NegativeInfinity : largest + T.Log(sum);
    }

    private static T Kept<T>(in AttentionShape shape, in AttentionOptions options, int batchHead, int i, int j)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (options.Dropout == 0.0)
        {
            return T.One;
        }

        uint word = Philox.Word(options.Seed, options.Stream, shape.DropoutRow(batchHead, i) + (ulong)j);
        return word < AttentionDropout<T>.Threshold(options.Dropout) ? T.Zero : AttentionDropout<T>.Kept(options.Dropout);
    }

    private static T Dot<T>(T* x, T* y, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T sum = T.Zero;
        for (int d = 0; d < count; d++)
        {
            sum += x[d] * y[d];
        }

        return sum;
    }
}
