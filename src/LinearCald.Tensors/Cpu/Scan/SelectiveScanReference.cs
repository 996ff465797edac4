using System.Numerics;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// The selective scan as its definition reads (Gu and Dao 2023, section 3.2 with the simplified discretisation of B), one number after another, and its gradient from all
/// states kept: what the kernels are checked against.
/// </summary>
internal static unsafe class SelectiveScanReference
{
    /// <summary>h_t = exp(Δ_t A) h_{t−1} + Δ_t B_t u_t, y_t = (C_t·h_t + D u_t)·silu(z_t) into y [B·L, D]; the last state into finalState [B, D, N] unless null.</summary>
    public static void Forward<T>(in SelectiveScanProblem<T> p, T* y, T* finalState)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int b = 0; b < p.Batch; b++)
        {
            for (int c = 0; c < p.Channels; c++)
            {
                T[][] h = States(p, b, c);
                for (int t = 0; t < p.Length; t++)
                {
                    nint row = ((nint)b * p.Length) + t;
                    y[(row * p.Channels) + c] = t < p.Valid(b) ? Ungated(p, row, c, h[t + 1]) * Gate(p, row, c) : T.Zero;
                }

                for (int n = 0; finalState is not null && n < p.States; n++)
                {
                    finalState[((((nint)b * p.Channels) + c) * p.States) + n] = h[p.Valid(b)][n];
                }
            }
        }
    }

    /// <summary>The gradient of <see cref="Forward"/>.</summary>
    public static void Backward<T>(in SelectiveScanProblem<T> p, in SelectiveScanGradient<T> g)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        nint rows = (nint)p.Batch * p.Length;
        g.U.Clear(0, rows, p.Channels);
        g.Delta.Clear(0, rows, p.Channels);
        if (g.Z.Start is not null)
        {
            g.Z.Clear(0, rows, p.Channels);
        }

        Clear(g.A, (nint)p.Channels * p.States);
        Clear(g.B, rows * p.States);
        Clear(g.C, rows * p.States);
        Clear(g.D, p.Channels);
        Clear(g.DeltaBias, p.Channels);
        for (int b = 0; b < p.Batch; b++)
        {
            for (int c = 0; c < p.Channels; c++)
            {
                Channel(p, g, b, c);
            }
        }
    }

    // With G_t = ∂loss/∂h_t = C_t ȳ_t + exp(Δ_{t+1} A) G_{t+1} and r_t = exp(Δ_t A) h_{t−1}:
    // dC_t = ȳ_t h_t, dB_t = G_t Δ_t u_t, du_t = D ȳ_t + Σ G_t B_t Δ_t, dΔ_t = Σ G_t (B_t u_t + A r_t), dA = Σ_t G_t Δ_t r_t, dD = Σ_t ȳ_t u_t, ȳ = dy·silu(z).
    private static void Channel<T>(in SelectiveScanProblem<T> p, in SelectiveScanGradient<T> g, int b, int c)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[][] h = States(p, b, c);
        T[] later = new T[p.States]; // exp(Δ_{t+1} A) G_{t+1}
        for (int t = p.Valid(b) - 1; t >= 0; t--)
        {
            nint row = ((nint)b * p.Length) + t;
            nint at = (row * p.Channels) + c;
            T u = p.U[row][c], delta = StepSize(p, row, c), dy = g.Y[at] * Gate(p, row, c);
            T du = p.D is null ? T.Zero : p.D[c] * dy, ddelta = T.Zero;
            for (int n = 0; n < p.States; n++)
            {
                T a = p.Restarts(b, t) ? T.Zero : T.Exp(delta * p.A[(c * p.States) + n]);
                T gradient = (p.C[row][n] * dy) + later[n], r = a * h[t][n];
                g.C[(row * p.States) + n] += dy * h[t + 1][n];
                g.B[(row * p.States) + n] += gradient * delta * u;
                g.A[(c * p.States) + n] += gradient * delta * r;
                du += gradient * p.B[row][n] * delta;
                ddelta += gradient * ((p.B[row][n] * u) + (p.A[(c * p.States) + n] * r));
                later[n] = a * gradient;
            }

            ddelta *= p.Softplus ? Sigmoid(p.Delta[row][c] + Bias(p, c)) : T.One;
            g.U[row][c] = du;
            g.Delta[row][c] = ddelta;
            if (g.D is not null)
            {
                g.D[c] += dy * u;
            }

            if (g.DeltaBias is not null)
            {
                g.DeltaBias[c] += ddelta;
            }

            if (g.Z.Start is not null)
            {
                T z = p.Z[row][c], s = Sigmoid(z);
                g.Z[row][c] = g.Y[at] * Ungated(p, row, c, h[t + 1]) * s * (T.One + (z * (T.One - s)));
            }
        }

        for (int n = 0; g.InitialState is not null && n < p.States; n++)
        {
            g.InitialState[((((nint)b * p.Channels) + c) * p.States) + n] = later[n];
        }
    }

    /// <summary>The state of one channel before the first position and after each that counts.</summary>
    private static T[][] States<T>(in SelectiveScanProblem<T> p, int b, int c)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[][] h = new T[p.Valid(b) + 1][];
        h[0] = new T[p.States];
        for (int n = 0; p.InitialState is not null && n < p.States; n++)
        {
            h[0][n] = p.InitialState[((((nint)b * p.Channels) + c) * p.States) + n];
        }

        for (int t = 0; t < p.Valid(b); t++)
        {
            nint row = ((nint)b * p.Length) + t;
            T delta = StepSize(p, row, c);
            h[t + 1] = new T[p.States];
            for (int n = 0; n < p.States; n++)
            {
                T before = p.Restarts(b, t) ? T.Zero : h[t][n];
                h[t + 1][n] = (T.Exp(delta * p.A[(c * p.States) + n]) * before) + (delta * p.B[row][n] * p.U[row][c]);
            }
        }

        return h;
    }

    private static T Ungated<T>(in SelectiveScanProblem<T> p, nint row, int c, T[] h)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T y = p.D is null ? T.Zero : p.D[c] * p.U[row][c];
        for (int n = 0; n < p.States; n++)
        {
            y += p.C[row][n] * h[n];
        }

        return y;
    }

    private static T Gate<T>(in SelectiveScanProblem<T> p, nint row, int c)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => p.Z.Start is null ? T.One : p.Z[row][c] * Sigmoid(p.Z[row][c]);

    private static T StepSize<T>(in SelectiveScanProblem<T> p, nint row, int c)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T x = p.Delta[row][c] + Bias(p, c);
        return p.Softplus ? T.Max(x, T.Zero) + T.LogP1(T.Exp(-T.Abs(x))) : x;
    }

    private static T Bias<T>(in SelectiveScanProblem<T> p, int c)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => p.DeltaBias is null ? T.Zero : p.DeltaBias[c];

    private static T Sigmoid<T>(T x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => T.One / (T.One + T.Exp(-x));

    private static void Clear<T>(T* x, nint count)
        where T : unmanaged
    {
        for (nint i = 0; x is not null && i < count; i++)
        {
            x[i] = default;
        }
    }
}
