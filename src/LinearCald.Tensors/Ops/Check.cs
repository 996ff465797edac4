namespace LinearCald.Tensors.Ops;

/// <summary>Argument checks shared by the operations; each failure names the operation, the shapes or types found, and what was expected.</summary>
internal static class Check
{
    public static void SameType(string operation, Tensor a, Tensor b)
    {
        if (a.Type != b.Type)
        {
            throw new CaldException($"{operation}: element types differ, {a.Type} {a.Shape} and {b.Type} {b.Shape}; convert one with To");
        }

        if (!ReferenceEquals(a.Device, b.Device))
        {
            throw new CaldException($"{operation}: tensors are on different devices, {a.Device} and {b.Device}");
        }
    }

    public static void SameShape(string operation, Tensor a, Tensor b)
    {
        SameType(operation, a, b);
        if (a.Shape != b.Shape)
        {
            throw new CaldException($"{operation}: shapes differ, {a.Shape} and {b.Shape}");
        }
    }

    public static void Float(string operation, Tensor x)
    {
        if (!x.Type.IsFloat())
        {
            throw new CaldException($"{operation}: needs floating-point elements, not {x.Type} {x.Shape}");
        }
    }

    public static void Rank(string operation, string name, Tensor x, int rank)
    {
        if (x.Shape.Rank != rank)
        {
            throw new CaldException($"{operation}: {name} must have {rank} dimensions, not {x.Shape}");
        }
    }

    public static void Vector(string operation, string name, Tensor? x, int length)
    {
        if (x is not null && (x.Shape.Rank != 1 || x.Shape[0] != length))
        {
            throw new CaldException($"{operation}: {name} must have shape [{length}], not {x.Shape}");
        }
    }

    /// <summary>A parameter for each of x's features: [last extent of x], of the type of x's statistics.</summary>
    public static void Parameter(string operation, string name, Tensor? parameter, Tensor x)
    {
        Vector(operation, name, parameter, x.Shape.Last);
        if (parameter is not null && parameter.Type != x.Type.Statistics())
        {
            throw new CaldException($"{operation}: {name} must be {x.Type.Statistics()} for x of {x.Type}, not {parameter.Type}; convert it with To");
        }
    }

    public static void Int32(string operation, string name, Tensor? x)
    {
        if (x is not null && x.Type != DType.Int32)
        {
            throw new CaldException($"{operation}: {name} must be Int32, not {x.Type}");
        }
    }

    public static void Probability(string operation, double p)
    {
        if (!(p >= 0 && p < 1))
        {
            throw new CaldException($"{operation}: dropout probability {p} is outside [0, 1)");
        }
    }
}
