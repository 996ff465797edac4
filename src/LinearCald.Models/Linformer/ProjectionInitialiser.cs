using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Models.Linformer;

/// <summary>Starts of a Linformer projection [positions, rank].</summary>
internal static class ProjectionInitialiser
{
    public static Initialiser For(LinformerConfig config) => config.Start == ProjectionStart.Normal
        ? Initialisers.Normal(1)
        : (parameter, key) =>
        {
            parameter.FillNormal(0, 1, key);
            double[] values = Read(parameter);
            Pool(values, config);
            Write(parameter, values);
        };

    /// <summary>
    /// Position p goes to slot ⌊p / run⌋ mod rank with run = ⌈length / rank⌉. The mixer divides by √n for n valid positions, so an entry of √length / run
    /// makes each slot the mean of its run on a text of that length.
    /// </summary>
    private static void Pool(double[] values, LinformerConfig config)
    {
        int length = config.StartLength > 0 ? Math.Min(config.StartLength, config.Positions) : config.Positions;
        int run = (length + config.Rank - 1) / config.Rank;
        double entry = Math.Sqrt(length) / run;
        for (int p = 0; p < config.Positions; p++)
        {
            int slot = p / run % config.Rank;
            for (int j = 0; j < config.Rank; j++)
            {
                ref double value = ref values[((long)p * config.Rank) + j];
                value = (value * config.Noise * entry) + (j == slot ? entry : 0);
            }
        }
    }

    private static double[] Read(Tensor parameter) => parameter.Type == DType.Float64
        ? parameter.ToArray<double>()
        : Array.ConvertAll(parameter.ToArray<float>(), v => (double)v);

    private static void Write(Tensor parameter, double[] values)
    {
        if (parameter.Type == DType.Float64)
        {
            parameter.Set<double>(values);
        }
        else
        {
            parameter.Set<float>(Array.ConvertAll(values, v => (float)v));
        }
    }
}
