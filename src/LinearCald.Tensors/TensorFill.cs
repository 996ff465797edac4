
namespace LinearCald.Tensors;

/// <summary>Overwrites whole tensors; not recorded.</summary>
public static class TensorFill
{
    public static void FillWith(this Tensor y, double value)
    {
        ArgumentNullException.ThrowIfNull(y);
        y.Device.Backend.Fill(y, value);
    }

    /// <summary>Independent normal numbers; the same key gives the same numbers.</summary>
    public static void FillNormal(this Tensor y, double mean, double deviation, RandomKey key)
    {
        ArgumentNullException.ThrowIfNull(y);
        y.Device.Backend.Normal(y, mean, deviation, key);
    }

    /// <summary>Independent numbers uniform in [low, high); the same key gives the same numbers.</summary>
    public static void FillUniform(this Tensor y, double low, double high, RandomKey key)
    {
        ArgumentNullException.ThrowIfNull(y);
        y.Device.Backend.Uniform(y, low, high, key);
    }
}
