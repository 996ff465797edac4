using LinearCald.Models.Mamba;
using LinearCald.Nn;

namespace LinearCald.Models.GptNeoX;

/// <summary>A GPT-NeoX transformer becomes a student with Mamba mixers in the place of its attention.</summary>
public static class MambaConversion
{
    /// <summary>
    /// A student with the weights of a transformer: every parameter outside the attention is copied by name; the mixers are new.
    /// </summary>
    /// <param name="transformer">What is converted; stays as it is.</param>
    /// <param name="mamba">The mixer of the student: <see cref="MambaConfig.Reference"/>, or <see cref="MambaConfig.For"/> its width.</param>
    /// <param name="context">Gives the mixers their start.</param>
    /// <param name="change">Changes to the config, such as dropout.</param>
    /// <exception cref="CaldException">The model is itself a student.</exception>
    public static GptNeoXForCausalLM Convert(
        GptNeoXForCausalLM transformer, MambaConfig mamba, BuildContext context, Func<GptNeoXConfig, GptNeoXConfig>? change = null)
    {
        ArgumentNullException.ThrowIfNull(transformer);
        ArgumentNullException.ThrowIfNull(mamba);
        if (transformer.Config.Mamba is not null)
        {
            throw new CaldException("this model is already a Mamba student; convert a transformer");
        }

        GptNeoXConfig config = transformer.Config with { Mamba = mamba };
        GptNeoXForCausalLM student = new(context, change?.Invoke(config) ?? config);
        Dictionary<string, Parameter> source = transformer.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter);
        foreach ((string name, Parameter parameter) in student.NamedParameters())
        {
            if (!IsMixer(name))
            {
                parameter.Value.CopyFrom(source[name].Value);
            }
        }

        return student;
    }

    /// <summary>Whether a parameter belongs to a mixer: the only ones a conversion adds.</summary>
    public static bool IsMixer(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Contains("mamba", StringComparison.Ordinal);
    }

    /// <summary>Whether weight decay makes sense for a parameter: not for biases, norms, and what a scan takes as rates (A_log, D).</summary>
    public static bool IsDecayed(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        string[] parts = name.Split('.');
        bool norm = parts.Length > 1 && parts[^2].Contains("norm", StringComparison.Ordinal);
        return !norm && parts[^1] is not ("bias" or "dt_bias" or "A_log" or "D");
    }
}
