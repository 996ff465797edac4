namespace LinearCald.Data.Language;

/// <summary>The order of the rows of an epoch.</summary>
public enum RowOrder
{
    /// <summary>As they lie in the data, the same in every epoch. The published reference.</summary>
    Sequential,

    /// <summary>At random, another order in every epoch; a function of seed and epoch alone.</summary>
    Shuffled,
}
