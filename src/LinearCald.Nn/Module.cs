using LinearCald.Tensors;

namespace LinearCald.Nn;

/// <summary>A part of a model: named parameters and named parts. Names joined by dots are HuggingFace's state-dict names.</summary>
public abstract class Module : IDisposable
{
    private readonly List<(string Name, Parameter Parameter)> _parameters = [];
    private readonly List<(string Name, Module Module)> _parts = [];

    /// <summary>All parameters with their full names, in order of construction. A shared parameter appears once, under the name it was made with.</summary>
    public IEnumerable<(string Name, Parameter Parameter)> NamedParameters()
    {
        foreach ((string name, Parameter parameter) in _parameters)
        {
            yield return (name, parameter);
        }

        foreach ((string prefix, Module part) in _parts)
        {
            foreach ((string name, Parameter parameter) in part.NamedParameters())
            {
                yield return (prefix + "." + name, parameter);
            }
        }
    }

    /// <summary>Number of trainable and frozen values.</summary>
    public long ParameterCount()
    {
        long count = 0;
        foreach ((_, Parameter parameter) in NamedParameters())
        {
            count += parameter.Value.Count;
        }

        return count;
    }

    /// <summary>Forgets all gradients.</summary>
    public void ClearGradients()
    {
        // Every step does this: no names are put together for it.
        foreach ((_, Parameter parameter) in _parameters)
        {
            parameter.Value.ClearGradient();
        }

        foreach ((_, Module part) in _parts)
        {
            part.ClearGradients();
        }
    }

    /// <summary>Gives the parameters' memory back.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives the parameters' memory back.</summary>
    protected virtual void Dispose(bool disposing)
    {
        foreach ((_, Parameter parameter) in NamedParameters())
        {
            parameter.Value.Dispose();
        }
    }

    /// <summary>Makes a parameter of this module.</summary>
    protected Parameter AddParameter(string name, BuildContext context, Shape shape, Initialiser initialiser)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(initialiser);
        Tensor value = Tensor.Persistent(() => Tensor.Empty(context.Device, context.Type, shape));
        initialiser(value, context.Random.Next());
        Parameter parameter = new(value);
        _parameters.Add((name, parameter));
        return parameter;
    }

    /// <summary>Adds a part under a name.</summary>
    protected T AddModule<T>(string name, T module)
        where T : Module
    {
        _parts.Add((name, module));
        return module;
    }
}
