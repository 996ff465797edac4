using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// How the rows of a matrix are shared out: one warp a row up to 1,024 columns, above that one group a row; the whole row in registers up to 16,384 columns,
/// above that tile by tile.
/// </summary>
/// <param name="Count">Elements a thread holds.</param>
/// <param name="Threads">Threads of a group.</param>
/// <param name="IsGroup">Whether a group is one team.</param>
internal readonly record struct RowPlan(int Count, int Threads, bool IsGroup)
{
    /// <summary>Elements that a thread of a group may hold in a kernel that holds one row.</summary>
    public const int OneRow = 32;

    /// <summary>The same for kernels that hold several.</summary>
    public const int SeveralRows = 16;

    private const int WarpColumns = 1024;
    private const int WarpTeamThreads = 256;
    private const int MostThreads = 512;

    /// <summary>Columns of a tile.</summary>
    public int Span => (IsGroup ? Threads : Warp.Size) * Count;

    /// <summary>Rows that a group works on at a time.</summary>
    public int Teams => IsGroup ? 1 : Threads / Warp.Size;

    /// <summary>The plan for a width.</summary>
    /// <param name="lanes">Elements of a vector.</param>
    /// <param name="mostCount"><see cref="OneRow"/> or <see cref="SeveralRows"/>.</param>
    public static RowPlan For(long columns, int lanes, int mostCount = OneRow)
    {
        if (columns <= WarpColumns)
        {
            int count = lanes;
            while (Warp.Size * count < columns)
            {
                count *= 2;
            }

            return new RowPlan(count, WarpTeamThreads, false);
        }

        int threads = 128;
        while (threads < MostThreads && threads * 16L < columns)
        {
            threads *= 2;
        }

        return new RowPlan(threads * 16L < columns && mostCount >= OneRow ? OneRow : SeveralRows, threads, true);
    }

    /// <summary>How the rows can be read, if all of the addresses are aligned as <paramref name="aligned"/> says.</summary>
    public RowAccess Access(long columns, int lanes, bool aligned) =>
        !aligned || columns % lanes != 0 ? RowAccess.Scalar : columns == Span ? RowAccess.Full : RowAccess.Vector;

    /// <summary>Whether a row takes several tiles.</summary>
    public bool IsWide(long columns) => columns > Span;

    /// <summary>A group, or a warp, for every row.</summary>
    public LaunchShape Shape(long rows) => new(checked((int)((rows + Teams - 1) / Teams)), Threads);

    /// <summary>Calls the launch with the element type, team and count as types and the plan for the width; not at all for an empty matrix.</summary>
    /// <param name="mostCount">As for <see cref="For"/>.</param>
    /// <exception cref="CaldException">No such kernel, or more rows or columns than a kernel counts.</exception>
    public static void Dispatch<TLaunch>(DType type, string operation, in TLaunch launch, long rows, long columns, int mostCount)
        where TLaunch : struct, IRowLaunch =>
        RowMatrix.Dispatch(type, operation, new FormatStage<TLaunch>(launch, columns, mostCount), rows, columns);

    /// <summary>Calls the launch with this plan's team and count as types.</summary>
    public void Dispatch<TWord, TFormat, TLaunch>(in TLaunch launch)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TLaunch : struct, IRowLaunch
    {
        switch (IsGroup, Count)
        {
            case (false, 4): launch.Run<TWord, TFormat, WarpTeam, N4>(this); break;
            case (false, 8): launch.Run<TWord, TFormat, WarpTeam, N8>(this); break;
            case (false, 16): launch.Run<TWord, TFormat, WarpTeam, N16>(this); break;
            case (false, 32): launch.Run<TWord, TFormat, WarpTeam, N32>(this); break;
            case (true, 16): launch.Run<TWord, TFormat, GroupTeam, N16>(this); break;
            default: launch.Run<TWord, TFormat, GroupTeam, N32>(this); break;
        }
    }

    private readonly record struct FormatStage<TLaunch>(TLaunch Launch, long Columns, int MostCount) : IFormatLaunch
        where TLaunch : struct, IRowLaunch
    {
        public void Run<TWord, TFormat>()
            where TWord : unmanaged
            where TFormat : struct, IElementFormat<TWord> =>
            For(Columns, TFormat.Lanes, MostCount).Dispatch<TWord, TFormat, TLaunch>(Launch);
    }
}

/// <summary>A launch of a kernel that is generic over element format, team and count.</summary>
internal interface IRowLaunch
{
    void Run<TWord, TFormat, TTeam, TCount>(in RowPlan plan)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
        where TTeam : struct, IRowTeam
        where TCount : struct, ICount;
}
