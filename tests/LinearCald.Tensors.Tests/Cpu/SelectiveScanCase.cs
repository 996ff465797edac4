using System.Numerics;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

/// <summary>One selective scan on guarded, poisoned buffers: inputs in wider rows, every optional part or none, by the kernel or by its reference.</summary>
internal sealed unsafe class SelectiveScanCase<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly List<IDisposable> _owned = [];
    private readonly SelectiveScanProblem<T> _problem;
    private readonly int _inner;

    /// <param name="parts">Bits: D, z, bias, softplus, sequences, lengths, initial state.</param>
    public SelectiveScanCase(int batch, int length, int channels, int states, int parts, int seed)
    {
        System.Random random = new(seed);
        _inner = batch * length;
        _problem = new SelectiveScanProblem<T>
        {
            Batch = batch,
            Length = length,
            Channels = channels,
            States = states,
            U = RowsOf(channels, random, 1, 0),
            Delta = RowsOf(channels, random, 1, (parts & 8) != 0 ? -1 : 0, absolute: (parts & 8) == 0),
            Z = (parts & 2) != 0 ? RowsOf(channels, random, 1, 0) : default,
            A = Own(KernelData.Normal<T>(channels * states, random.Next()), v => -T.Abs(v) - T.CreateTruncating(0.1)),
            B = RowsOf(states, random, 1, 0),
            C = RowsOf(states, random, 1, 0),
            D = (parts & 1) != 0 ? Own(KernelData.Normal<T>(channels, random.Next()), v => v) : null,
            DeltaBias = (parts & 4) != 0 ? Own(KernelData.Normal<T>(channels, random.Next(), 0.3), v => T.Abs(v)) : null,
            Softplus = (parts & 8) != 0,
            Sequences = (parts & 16) != 0 ? Integers(Sequence(batch, length, random)) : null,
            Lengths = (parts & 32) != 0 ? Integers([.. Enumerable.Range(0, batch).Select(_ => random.Next(length + 1))]) : null,
            InitialState = (parts & 64) != 0 ? Own(KernelData.Normal<T>(batch * channels * states, random.Next()), v => v) : null,
        };
        OutputGradient = KernelData.Normal<T>(_inner * channels, random.Next());
    }

    /// <summary>A small share of the terms that a value is the sum of, which are products of normal numbers.</summary>
    private const double Terms = 0.1;

    private T[] OutputGradient { get; }

    /// <summary>Compares the kernel with the reference: y, the final state, all gradients.</summary>
    public void Check(double budget)
    {
        string what = $"{typeof(T).Name} [{_problem.Batch}, {_problem.Length}, {_problem.Channels}] with {_problem.States} states";
        int state = _problem.Batch * _problem.Channels * _problem.States;
        foreach (bool saves in (ReadOnlySpan<bool>)[false, true])
        {
            using KernelBuffer<T> y = new(OutputGradient.Length), expected = new(OutputGradient.Length), last = new(state), expectedLast = new(state), entries = Entries();
            SelectiveScanKernel.Forward(_problem, y, last, saves ? entries.Pointer : null);
            SelectiveScanReference.Forward(_problem, expected, expectedLast);
            KernelData.Close<T>(y.Span, KernelData.ToDouble(expected.ToArray()), budget, what + " y");
            KernelData.Close<T>(last.Span, KernelData.ToDouble(expectedLast.ToArray()), budget, what + " state");
        }

        double[][] wanted = Gradients(reference: true), found = Gradients(reference: false);
        for (int i = 0; i < wanted.Length; i++)
        {
            KernelData.Close<double>(found[i], wanted[i], budget, $"{what} gradient {i}", Terms * Math.Sqrt((double)wanted[i].Length * _problem.Batch * _problem.Length)); // sums over positions that cancel: the size of their terms
        }
    }

    /// <summary>The gradients of u, Δ, z, A, B, C, D, bias and the initial state.</summary>
    public double[][] Gradients(bool reference)
    {
        int wide = _inner * _problem.Channels, narrow = _inner * _problem.States, state = _problem.Channels * _problem.States;
        using KernelBuffer<T> gy = new(OutputGradient), u = new(wide), delta = new(wide), z = new(wide), a = new(state), b = new(narrow), c = new(narrow),
            d = new(_problem.Channels), bias = new(_problem.Channels), initial = new(_problem.Batch * state), y = new(wide), entries = Entries();
        SelectiveScanGradient<T> gradient = new()
        {
            Y = gy,
            U = new(u, _problem.Channels),
            Delta = new(delta, _problem.Channels),
            Z = _problem.Z.Start is null ? default : new(z, _problem.Channels),
            A = a,
            B = b,
            C = c,
            D = _problem.D is null ? null : d.Pointer,
            DeltaBias = _problem.DeltaBias is null ? null : bias.Pointer,
            InitialState = _problem.InitialState is null ? null : initial.Pointer,
        };
        if (reference)
        {
            SelectiveScanReference.Backward(_problem, gradient);
        }
        else
        {
            SelectiveScanKernel.Forward(_problem, y, null, entries);
            SelectiveScanKernel.Backward(_problem, entries, gradient);
        }

        List<KernelBuffer<T>> written = [u, delta, a, b, c];
        written.AddRange(gradient.Z.Start is null ? [] : [z]);
        written.AddRange(gradient.D is null ? [] : [d]);
        written.AddRange(gradient.DeltaBias is null ? [] : [bias]);
        written.AddRange(gradient.InitialState is null ? [] : [initial]);
        return [.. written.Select(w => KernelData.ToDouble(w.ToArray()))];
    }

    public void Dispose() => _owned.ForEach(o => o.Dispose());

    /// <summary>A number for every position that changes now and then, and comes back.</summary>
    private static int[] Sequence(int batch, int length, System.Random random)
    {
        int[] sequences = new int[batch * length];
        int number = 0;
        for (int i = 0; i < sequences.Length; i++)
        {
            sequences[i] = number = random.Next(5) == 0 ? random.Next(3) : number;
        }

        return sequences;
    }

    private KernelBuffer<T> Entries() => new(SelectiveScanKernel.Chunks(_problem.Length) * _problem.Batch * _problem.Channels * _problem.States);

    private Rows<T> RowsOf(int width, System.Random random, double scale, double shift, bool absolute = false)
    {
        int pitch = width + random.Next(4);
        return new Rows<T>(Own(KernelData.Normal<T>(_inner * pitch, random.Next(), scale, shift), v => absolute ? T.Abs(v) : v), pitch);
    }

    private T* Own(T[] values, Func<T, T> map)
    {
        KernelBuffer<T> buffer = new([.. values.Select(map)]);
        _owned.Add(buffer);
        return buffer;
    }

    private int* Integers(int[] values)
    {
        KernelBuffer<int> buffer = new(values);
        _owned.Add(buffer);
        return buffer;
    }
}
