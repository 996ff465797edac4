using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Models.Mamba;

/// <summary>The starts of Mamba's own parameters (Gu and Dao 2023, section 3.6; the published implementation).</summary>
internal static class MambaInitialisers
{
    /// <summary>PyTorch's default of linear maps and convolutions: uniform in ± 1/√(inputs of one output).</summary>
    public static Initialiser FanIn(int inputs) => Initialisers.Uniform(1 / Math.Sqrt(inputs));

    /// <summary>dt_proj's weight keeps the variance of its input: ± scale / √rank, or that value everywhere.</summary>
    public static Initialiser TimeStepWeight(MambaConfig config)
    {
        double bound = config.TimeStepScale / Math.Sqrt(config.TimeStepRank);
        return config.TimeStepStart == TimeStepStart.Random ? Initialisers.Uniform(bound) : Initialisers.Constant(bound);
    }

    /// <summary>softplus⁻¹(Δ) = Δ + ln(1 − e^−Δ) of Δ log-uniform in [min, max] and at least floor.</summary>
    public static Initialiser TimeStepBias(double min, double max, double floor) => (parameter, key) =>
    {
        parameter.FillUniform(0, 1, key);
        Replace(parameter, (_, u) =>
        {
            double delta = Math.Max(Math.Exp((u * (Math.Log(max) - Math.Log(min))) + Math.Log(min)), floor);
            return delta + Math.Log(-double.ExpM1(-delta));
        });
    };

    /// <summary>ln(1 + i mod period): S4D-real's A = −1, −2, …, −N in every row of A_log [D, N], or one value a head.</summary>
    public static Initialiser LogRamp(int period) => (parameter, _) => Replace(parameter, (i, _) => Math.Log(1 + (i % period)));

    /// <summary>ln of values uniform in [low, high]: the published Mamba-2's A_log.</summary>
    public static Initialiser LogUniform(double low, double high) => (parameter, key) =>
    {
        parameter.FillUniform(low, high, key);
        Replace(parameter, (_, value) => Math.Log(value));
    };

    /// <summary>Sets each element to a function of its index and value.</summary>
    private static void Replace(Tensor parameter, Func<int, double, double> value)
    {
        if (parameter.Type == DType.Float64)
        {
            double[] values = parameter.ToArray<double>();
            parameter.Set<double>([.. values.Select((v, i) => value(i, v))]);
        }
        else
        {
            float[] values = parameter.ToArray<float>();
            parameter.Set<float>([.. values.Select((v, i) => (float)value(i, v))]);
        }
    }
}
