using LinearCald.Tensors;

namespace LinearCald.Nn;

/// <summary>Sets the start of a parameter.</summary>
/// <param name="parameter">Every element must be written.</param>
/// <param name="key">Names the random numbers to use.</param>
public delegate void Initialiser(Tensor parameter, RandomKey key);

/// <summary>The usual starts.</summary>
public static class Initialisers
{
    public static Initialiser Constant(double value) => (parameter, _) => parameter.FillWith(value);

    /// <summary>Independent normal values around 0.</summary>
    public static Initialiser Normal(double deviation) => (parameter, key) => parameter.FillNormal(0, deviation, key);

    /// <summary>Independent values uniform in ±bound.</summary>
    public static Initialiser Uniform(double bound) => (parameter, key) => parameter.FillUniform(-bound, bound, key);
}
