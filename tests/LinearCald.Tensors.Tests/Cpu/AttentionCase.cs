using System.Numerics;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

/// <summary>Inputs and outputs of one softmax attention call, forward and backward.</summary>
internal sealed unsafe class AttentionCase<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public readonly AttentionShape Shape;
    public readonly AttentionOptions Options;
    public readonly int[]? Lengths;
    public AttentionGrid<T> Q;
    public AttentionGrid<T> K;
    public AttentionGrid<T> V;
    public AttentionGrid<T> G;
    public readonly AttentionGrid<T> Output;
    public readonly AttentionGrid<T> Lse;
    public readonly AttentionGrid<T> Dq;
    public readonly AttentionGrid<T> Dk;
    public readonly AttentionGrid<T> Dv;

    public AttentionCase(AttentionShape shape, AttentionOptions options, int[]? lengths, int seed, int gap)
    {
        System.Random random = new(seed);
        Shape = shape;
        Options = options;
        Lengths = lengths;
        int queries = shape.Batch * shape.QueryLength, keys = shape.Batch * shape.KeyLength;
        Q = new AttentionGrid<T>(queries, shape.Width, gap).Fill(random, 2.0);
        K = new AttentionGrid<T>(keys, shape.Width, 2 * gap).Fill(random, 2.0);
        V = new AttentionGrid<T>(keys, shape.Width, gap).Fill(random);
        G = new AttentionGrid<T>(queries, shape.Width, gap).Fill(random);
        Output = new AttentionGrid<T>(queries, shape.Width, gap);
        Lse = new AttentionGrid<T>(1, shape.Batch * shape.Heads * shape.QueryLength, 0);
        Dq = new AttentionGrid<T>(queries, shape.Width, gap);
        Dk = new AttentionGrid<T>(keys, shape.Width, 2 * gap);
        Dv = new AttentionGrid<T>(keys, shape.Width, 0);
    }

    public IEnumerable<AttentionGrid<T>> Outputs => [Output, Lse, Dq, Dk, Dv];

    /// <summary>The same inputs in double, to be given to the reference.</summary>
    public AttentionCase<double> ToDouble() => new(Shape, Options, Lengths, 0, 3)
    {
        Q = Q.ToDouble(),
        K = K.ToDouble(),
        V = V.ToDouble(),
        G = G.ToDouble(),
    };

    public AttentionCase<T> Run(WorkerPool? pool = null)
    {
        fixed (int* lengths = Lengths)
        {
            AttentionKernel.Forward(in Shape, in Options, Q.Rows, K.Rows, V.Rows, lengths, Output.Rows, Lse.Start, pool);
            AttentionKernel.Backward(in Shape, in Options, Q.Rows, K.Rows, V.Rows, lengths, Output.Rows, Lse.Start, G.Rows, Dq.Rows, Dk.Rows, Dv.Rows, pool);
        }

        return this;
    }

    /// <summary>At a chosen register width.</summary>
    public AttentionCase<T> Run<TV>(WorkerPool pool)
        where TV : unmanaged, ISimd<TV, T>
    {
        fixed (int* lengths = Lengths)
        {
            AttentionKernel.Forward<T, TV>(in Shape, in Options, Q.Rows, K.Rows, V.Rows, lengths, Output.Rows, Lse.Start, pool);
            AttentionKernel.Backward<T, TV>(in Shape, in Options, Q.Rows, K.Rows, V.Rows, lengths, Output.Rows, Lse.Start, G.Rows, Dq.Rows, Dk.Rows, Dv.Rows, pool);
        }

        return this;
    }

    public AttentionCase<T> RunReference()
    {
        fixed (int* lengths = Lengths)
        {
            AttentionReference.Forward(in Shape, in Options, Q.Rows, K.Rows, V.Rows, lengths, Output.Rows, Lse.Start);
            AttentionReference.Backward(in Shape, in Options, Q.Rows, K.Rows, V.Rows, lengths, Output.Rows, Lse.Start, G.Rows, Dq.Rows, Dk.Rows, Dv.Rows);
        }

        return this;
    }

    /// <summary>The largest error of output, log-sums and gradients.</summary>
    public double Error(AttentionCase<double> reference) => Math.Max(
        Math.Max(AttentionGrid<T>.Error((Output, reference.Output)), AttentionGrid<T>.Error((Lse, reference.Lse))),
        AttentionGrid<T>.Error((Dq, reference.Dq), (Dk, reference.Dk), (Dv, reference.Dv)));

    public bool SameBits(AttentionCase<T> other) => Outputs.Zip(other.Outputs).All(pair => pair.First.SameBits(pair.Second));
}
