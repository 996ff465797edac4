using System.Runtime.CompilerServices;

namespace LinearCald.Tensors;

/// <summary>Extents of a tensor, outermost first; at most <see cref="MaximumRank"/> of them. A scalar has rank 0 and count 1.</summary>
public readonly struct Shape : IEquatable<Shape>
{
    /// <summary>The highest rank a tensor may have.</summary>
    public const int MaximumRank = 6;

    private readonly Extents _extents;
    private readonly long _count;

    /// <exception cref="CaldException">More than <see cref="MaximumRank"/> extents, or a negative one.</exception>
    public Shape(params ReadOnlySpan<int> extents)
    {
        if (extents.Length > MaximumRank)
        {
            throw new CaldException($"shape: {extents.Length} dimensions given, at most {MaximumRank} are supported; merge dimensions with Reshape");
        }

        Rank = extents.Length;
        long count = 1;
        for (int i = 0; i < extents.Length; i++)
        {
            if (extents[i] < 0)
            {
                throw new CaldException($"shape: dimension {i} is {extents[i]}; extents cannot be negative");
            }

            _extents[i] = extents[i];
            count = checked(count * extents[i]);
        }

        _count = count;
    }

    /// <summary>Number of dimensions.</summary>
    public int Rank { get; }

    /// <summary>Number of elements: the product of the extents.</summary>
    public long Count => Rank == 0 ? 1 : _count;

    /// <summary>Extent of a dimension; negative indices count from the end.</summary>
    public int this[int dimension] => _extents[Resolve(dimension)];

    /// <summary>The last extent, 1 for a scalar.</summary>
    public int Last => Rank == 0 ? 1 : _extents[Rank - 1];

    /// <summary>Product of all extents but the last: the number of rows.</summary>
    public long Rows
    {
        get
        {
            long rows = 1;
            for (int i = 0; i < Rank - 1; i++)
            {
                rows *= _extents[i];
            }

            return rows;
        }
    }

    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>Turns a dimension that counts from the end into one that counts from the front.</summary>
    /// <exception cref="CaldException">No such dimension.</exception>
    public int Resolve(int dimension)
    {
        int resolved = dimension < 0 ? dimension + Rank : dimension;
        if ((uint)resolved >= (uint)Rank)
        {
            throw new CaldException($"shape {this} has no dimension {dimension}");
        }

        return resolved;
    }

    /// <summary>This shape with one extent replaced.</summary>
    public Shape With(int dimension, int extent)
    {
        Span<int> extents = stackalloc int[MaximumRank];
        CopyTo(extents);
        extents[Resolve(dimension)] = extent;
        return new Shape(extents[..Rank]);
    }

    /// <summary>Writes the extents to the front of <paramref name="destination"/>.</summary>
    public void CopyTo(Span<int> destination)
    {
        for (int i = 0; i < Rank; i++)
        {
            destination[i] = _extents[i];
        }
    }

    /// <summary>The extents as a new array.</summary>
    public int[] ToArray()
    {
        int[] extents = new int[Rank];
        CopyTo(extents);
        return extents;
    }

    public bool Equals(Shape other)
    {
        if (Rank != other.Rank)
        {
            return false;
        }

        for (int i = 0; i < Rank; i++)
        {
            if (_extents[i] != other._extents[i])
            {
                return false;
            }
        }

        return true;
    }

    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    public override int GetHashCode()
    {
        HashCode hash = default;
        for (int i = 0; i < Rank; i++)
        {
            hash.Add(_extents[i]);
        }

        return hash.ToHashCode();
    }

    public override string ToString() => "[" + string.Join(", ", ToArray()) + "]";

    [InlineArray(MaximumRank)]
    private struct Extents
    {
        private int _first;
    }
}

/// <summary>Distances, in elements, between neighbours along each dimension; 0 repeats one element (a broadcast).</summary>
public struct Strides
{
    private Steps _steps;

    /// <summary>The stride of a dimension counted from the front.</summary>
    public long this[int dimension]
    {
        readonly get => _steps[dimension];
        set => _steps[dimension] = value;
    }

    /// <summary>Row-major strides without gaps.</summary>
    public static Strides Contiguous(in Shape shape)
    {
        Strides strides = default;
        long step = 1;
        for (int i = shape.Rank - 1; i >= 0; i--)
        {
            strides[i] = step;
            step *= shape[i];
        }

        return strides;
    }

    [InlineArray(Shape.MaximumRank)]
    private struct Steps
    {
        private long _first;
    }
}
