namespace LinearCald.Data.Tokenizers.Models;

/// <summary>Which neighbouring tokens may join, how early, and into what.</summary>
internal sealed class MergeTable
{
    private readonly Dictionary<long, (int Rank, int Id)> _merges;

    /// <param name="merges">Pairs of tokens, the most urgent first.</param>
    /// <param name="vocabulary">Must hold both tokens of each pair and the two joined.</param>
    /// <param name="where">File (and place in it) for messages.</param>
    public MergeTable(IReadOnlyList<(string Left, string Right)> merges, Vocabulary vocabulary, string where)
    {
        _merges = new Dictionary<long, (int, int)>(merges.Count);
        for (int rank = 0; rank < merges.Count; rank++)
        {
            (string left, string right) = merges[rank];
            int leftId = Find(left), rightId = Find(right), joined = Find(left + right);
            _merges[Key(leftId, rightId)] = (rank, joined);

            int Find(string token) => vocabulary.TryGetId(token, out int id)
                ? id
                : throw new CaldException($"{where}: merge {rank} ('{left}' '{right}') needs the token '{token}', which the vocabulary does not have; are the two files of one tokenizer?");
        }
    }

    /// <summary>The rank (0 is joined first) and the joined token of two neighbours.</summary>
    public bool TryGet(int left, int right, out int rank, out int joined)
    {
        bool found = _merges.TryGetValue(Key(left, right), out (int Rank, int Id) merge);
        (rank, joined) = merge;
        return found;
    }

    private static long Key(int left, int right) => (long)left << 32 | (uint)right;
}
