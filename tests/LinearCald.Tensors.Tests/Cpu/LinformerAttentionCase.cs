using System.Numerics;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

/// <summary>Inputs and outputs of one Linformer attention call, forward and backward.</summary>
internal sealed unsafe class LinformerAttentionCase<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public readonly LinformerShape Shape;
    public readonly AttentionOptions Options;
    public readonly int[]? Lengths;
    public readonly bool Shared;
    public readonly bool Accumulate;
    public AttentionGrid<T> Q;
    public AttentionGrid<T> K;
    public AttentionGrid<T> V;
    public AttentionGrid<T> G;
    public AttentionGrid<T> E;
    public AttentionGrid<T> F;
    public readonly AttentionGrid<T> Output;
    public readonly AttentionGrid<T> ProjectedK;
    public readonly AttentionGrid<T> ProjectedV;
    public readonly AttentionGrid<T> Lse;
    public readonly AttentionGrid<T> Dq;
    public readonly AttentionGrid<T> Dk;
    public readonly AttentionGrid<T> Dv;
    public readonly AttentionGrid<T> De;
    public readonly AttentionGrid<T> Df;

    /// <param name="shared">E and F are one buffer, and so are their gradients.</param>
    /// <param name="accumulate">The gradients of the projections are added to 1, 2, 3 …; otherwise the buffers start as NaN.</param>
    public LinformerAttentionCase(LinformerShape shape, AttentionOptions options, int[]? lengths, bool shared, bool accumulate, int seed, int gap)
    {
        System.Random random = new(seed);
        (Shape, Options, Lengths, Shared, Accumulate) = (shape, options, lengths, shared, accumulate);
        int rows = shape.Batch * shape.Length;
        Q = new AttentionGrid<T>(rows, shape.Width, gap).Fill(random, 2.0);
        K = new AttentionGrid<T>(rows, shape.Width, 2 * gap).Fill(random, 2.0);
        V = new AttentionGrid<T>(rows, shape.Width, gap).Fill(random);
        G = new AttentionGrid<T>(rows, shape.Width, gap).Fill(random);
        E = new AttentionGrid<T>(shape.Positions, shape.Rank, 0).Fill(random, 1.7);
        F = shared ? E : new AttentionGrid<T>(shape.Positions, shape.Rank, 0).Fill(random, 1.7);
        Output = new AttentionGrid<T>(rows, shape.Width, gap);
        ProjectedK = new AttentionGrid<T>(shape.Batch * shape.Rank, shape.Width, 0);
        ProjectedV = new AttentionGrid<T>(shape.Batch * shape.Rank, shape.Width, 0);
        Lse = new AttentionGrid<T>(1, shape.Batch * shape.Heads * shape.Length, 0);
        Dq = new AttentionGrid<T>(rows, shape.Width, gap);
        Dk = new AttentionGrid<T>(rows, shape.Width, 2 * gap);
        Dv = new AttentionGrid<T>(rows, shape.Width, 0);
        De = new AttentionGrid<T>(shape.Positions, shape.Rank, 0);
        Df = shared ? De : new AttentionGrid<T>(shape.Positions, shape.Rank, 0);
        for (int i = 0; accumulate && i < De.Count; i++)
        {
            De[i] = T.CreateTruncating(i % 10);
            Df[i] = T.CreateTruncating(i % 10);
        }
    }

    public IEnumerable<AttentionGrid<T>> Outputs => [Output, ProjectedK, ProjectedV, Lse, Dq, Dk, Dv, De, Df];

    /// <summary>The same inputs in double, to be given to the reference.</summary>
    public LinformerAttentionCase<double> ToDouble()
    {
        AttentionGrid<double> e = E.ToDouble(0);
        return new(Shape, Options, Lengths, Shared, Accumulate, 0, 3)
        {
            Q = Q.ToDouble(),
            K = K.ToDouble(),
            V = V.ToDouble(),
            G = G.ToDouble(),
            E = e,
            F = Shared ? e : F.ToDouble(0),
        };
    }

    public LinformerAttentionCase<T> Run(WorkerPool? pool = null)
    {
        fixed (int* lengths = Lengths)
        {
            LinformerAttentionKernel.Forward(
                in Shape, in Options, Q.Rows, K.Rows, V.Rows, E.Start, F.Start, lengths, Output.Rows, ProjectedK.Start, ProjectedV.Start, Lse.Start, pool);
            LinformerAttentionKernel.Backward(
                in Shape, in Options, Q.Rows, K.Rows, V.Rows, E.Start, F.Start, lengths, Output.Rows, ProjectedK.Start, ProjectedV.Start, Lse.Start,
                G.Rows, Dq.Rows, Dk.Rows, Dv.Rows, De.Start, Accumulate, Df.Start, Accumulate, pool);
        }

        return this;
    }

    public LinformerAttentionCase<T> RunReference()
    {
        fixed (int* lengths = Lengths)
        {
            LinformerAttentionReference.Forward(
                in Shape, in Options, Q.Rows, K.Rows, V.Rows, E.Start, F.Start, lengths, Output.Rows, ProjectedK.Start, ProjectedV.Start, Lse.Start);
            LinformerAttentionReference.Backward(
                in Shape, in Options, Q.Rows, K.Rows, V.Rows, E.Start, F.Start, lengths, Output.Rows, ProjectedK.Start, ProjectedV.Start, Lse.Start,
                G.Rows, Dq.Rows, Dk.Rows, Dv.Rows, De.Start, Accumulate, Df.Start, Accumulate);
        }

        return this;
    }

    /// <summary>The largest error of output, saved values and gradients.</summary>
    public double Error(LinformerAttentionCase<double> reference)
    {
        double worst = AttentionGrid<T>.Error((Dq, reference.Dq), (Dk, reference.Dk), (Dv, reference.Dv), (De, reference.De), (Df, reference.Df));
        worst = Math.Max(worst, AttentionGrid<T>.Error((ProjectedK, reference.ProjectedK), (ProjectedV, reference.ProjectedV)));
        worst = Math.Max(worst, AttentionGrid<T>.Error((Lse, reference.Lse)));
        return Math.Max(worst, AttentionGrid<T>.Error((Output, reference.Output)));
    }

    public bool SameBits(LinformerAttentionCase<T> other) => Outputs.Zip(other.Outputs).All(pair => pair.First.SameBits(pair.Second));
}
