using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>How a row lies in memory; a constant to the compiler.</summary>
internal enum RowAccess
{
    /// <summary>Anyhow: one element at a time.</summary>
    Scalar,

    /// <summary>All rows start at a multiple of 16 bytes.</summary>
    Vector,

    /// <summary>As vectors, and a tile is exactly a row.</summary>
    Full,
}

/// <summary>
/// The part of a row that a team holds in registers at a time, <see cref="Span"/> columns. Vector v of a thread is the team's vector v · threads + rank, so that
/// neighbours read neighbouring 16 bytes; as scalars likewise. TCount elements a thread, a multiple of the format's lanes.
/// </summary>
internal static class RowTile<TWord, TFormat, TTeam, TCount>
    where TWord : unmanaged
    where TFormat : struct, IElementFormat<TWord>
    where TTeam : struct, IRowTeam
    where TCount : struct, ICount
{
    /// <summary>Columns of a tile.</summary>
    public static int Span => TTeam.Threads * TCount.Value;

    private static int Lanes => TFormat.Lanes;

    /// <summary>Tiles of a row: 1 unless wide, known to the compiler then.</summary>
    public static int Tiles(int columns, bool wide) => wide ? (columns + Span - 1) / Span : 1;

    /// <summary>Reads a tile that nobody reads again; what lies beyond the row becomes <paramref name="fill"/>.</summary>
    public static void Load(ReadOnlyView<TWord> row, int first, int columns, float fill, RowAccess access, ref Registers<float, TCount> x)
    {
        if (access == RowAccess.Scalar)
        {
            for (int i = 0; i < TCount.Value; i++)
            {
                // Beyond the row the last element is read instead: no branch stands between the loads.
                int column = Column(first, i);
                float value = TFormat.Widen(row.ReadStreaming(Math.Min(column, columns - 1)));
                x[i] = column < columns ? value : fill;
            }
        }
        else
        {
            ReadOnlyView<UInt4> vectors = row.As<UInt4>();
            for (int v = 0; v < TCount.Value / Lanes; v++)
            {
                int vector = Vector(first, v);
                UInt4 word = vectors.ReadStreaming(access == RowAccess.Full ? vector : Math.Min(vector, Vectors(columns) - 1));
                Unpack(word, v, access == RowAccess.Full || vector < Vectors(columns), fill, ref x);
            }
        }
    }

    /// <summary>The same where the row may be written by this kernel: every element by the thread that has read it.</summary>
    public static void Load(View<TWord> row, int first, int columns, float fill, RowAccess access, ref Registers<float, TCount> x)
    {
        if (access == RowAccess.Scalar)
        {
            for (int i = 0; i < TCount.Value; i++)
            {
                int column = Column(first, i);
                float value = TFormat.Widen(row.ReadStreaming(Math.Min(column, columns - 1)));
                x[i] = column < columns ? value : fill;
            }
        }
        else
        {
            View<UInt4> vectors = row.As<UInt4>();
            for (int v = 0; v < TCount.Value / Lanes; v++)
            {
                int vector = Vector(first, v);
                UInt4 word = vectors.ReadStreaming(access == RowAccess.Full ? vector : Math.Min(vector, Vectors(columns) - 1));
                Unpack(word, v, access == RowAccess.Full || vector < Vectors(columns), fill, ref x);
            }
        }
    }

    /// <summary>Reads the same columns of a float32 parameter that all rows share; 16-byte aligned unless the access is scalar.</summary>
    public static void LoadParameter(ReadOnlyView<float> parameter, int first, int columns, RowAccess access, ref Registers<float, TCount> x)
    {
        if (access == RowAccess.Scalar)
        {
            for (int i = 0; i < TCount.Value; i++)
            {
                x[i] = parameter[Math.Min(Column(first, i), columns - 1)];
            }
        }
        else
        {
            ReadOnlyView<Float4> quads = parameter.As<Float4>();
            for (int q = 0; q < TCount.Value / 4; q++)
            {
                int perVector = Lanes / 4;
                int vector = Vector(first, q / perVector);
                Float4 quad = quads[((access == RowAccess.Full ? vector : Math.Min(vector, Vectors(columns) - 1)) * perVector) + (q % perVector)];
                x[q * 4] = quad.X;
                x[(q * 4) + 1] = quad.Y;
                x[(q * 4) + 2] = quad.Z;
                x[(q * 4) + 3] = quad.W;
            }
        }
    }

    /// <summary>Writes what lies within the row.</summary>
    public static void Store(View<TWord> row, int first, int columns, bool active, RowAccess access, ref Registers<float, TCount> y)
    {
        if (access == RowAccess.Scalar)
        {
            for (int i = 0; i < TCount.Value; i++)
            {
                if (active && Column(first, i) < columns)
                {
                    row[Column(first, i)] = TFormat.Narrow(y[i]);
                }
            }
        }
        else
        {
            View<UInt4> vectors = row.As<UInt4>();
            for (int v = 0; v < TCount.Value / Lanes; v++)
            {
                int vector = Vector(first, v);
                if (active && (access == RowAccess.Full || vector < Vectors(columns)))
                {
                    Registers<float, N8> values = default;
                    for (int l = 0; l < Lanes; l++)
                    {
                        values[l] = y[(v * Lanes) + l];
                    }

                    vectors[vector] = TFormat.Pack(values);
                }
            }
        }
    }

    /// <summary>Writes what lies within the row as 16-bit elements where the tile's own are float32: 8 bytes where those are 16.</summary>
    public static void StoreRounded<TOut, TOutFormat>(View<TOut> row, int first, int columns, bool active, RowAccess access, ref Registers<float, TCount> y)
        where TOut : unmanaged
        where TOutFormat : struct, IElementFormat<TOut>
    {
        if (access == RowAccess.Scalar)
        {
            for (int i = 0; i < TCount.Value; i++)
            {
                if (active && Column(first, i) < columns)
                {
                    row[Column(first, i)] = TOutFormat.Narrow(y[i]);
                }
            }
        }
        else
        {
            View<UInt2> vectors = row.As<UInt2>();
            for (int v = 0; v < TCount.Value / Lanes; v++)
            {
                int vector = Vector(first, v);
                if (active && (access == RowAccess.Full || vector < Vectors(columns)))
                {
                    Registers<float, N8> values = default;
                    for (int l = 0; l < Lanes; l++)
                    {
                        values[l] = y[(v * Lanes) + l];
                    }

                    UInt4 packed = TOutFormat.Pack(values);
                    vectors[vector] = new UInt2(packed.X, packed.Y);
                }
            }
        }
    }

    /// <summary>Whether register i is an element of the row.</summary>
    public static bool Inside(int first, int i, int columns, RowAccess access)
    {
        if (access == RowAccess.Scalar)
        {
            return Column(first, i) < columns;
        }

        return access == RowAccess.Full || Vector(first, i / Lanes) < Vectors(columns);
    }

    /// <summary>The column of register i.</summary>
    public static int ColumnOf(int first, int i, RowAccess access) =>
        access == RowAccess.Scalar ? Column(first, i) : (Vector(first, i / Lanes) * Lanes) + (i % Lanes);

    // Unsigned, so that the division is a shift.
    private static int Vectors(int elements) => (int)((uint)elements / (uint)Lanes);

    private static int Column(int first, int i) => first + (i * TTeam.Threads) + TTeam.Rank;

    private static int Vector(int first, int v) => Vectors(first) + (v * TTeam.Threads) + TTeam.Rank;

    private static void Unpack(UInt4 word, int v, bool inside, float fill, ref Registers<float, TCount> x)
    {
        Registers<float, N8> values = TFormat.Unpack(word);
        for (int l = 0; l < Lanes; l++)
        {
            x[(v * Lanes) + l] = inside ? values[l] : fill;
        }
    }
}
