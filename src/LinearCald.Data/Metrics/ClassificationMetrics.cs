namespace LinearCald.Data.Metrics;

/// <summary>
/// Counts predictions against labels, and gives the measures that follow from the counts. All are fractions, higher is better. With
/// n[l, p] the number of examples of class l that were predicted as p, s = Σ n, c = Σ n[k, k], t[k] = Σ n[k, ·], p[k] = Σ n[·, k].
/// </summary>
public sealed class ClassificationMetrics
{
    private readonly long[] _confusion;

    /// <param name="classes">Number of classes, at least one.</param>
    public ClassificationMetrics(int classes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        Classes = classes;
        _confusion = new long[checked(classes * classes)];
    }

    /// <summary>Number of classes.</summary>
    public int Classes { get; }

    /// <summary>Examples counted so far (s).</summary>
    public long Count { get; private set; }

    /// <summary>How many examples of class <paramref name="label"/> were predicted as <paramref name="predicted"/>.</summary>
    public long Confusion(int label, int predicted) => _confusion[(InRange(label) * Classes) + InRange(predicted)];

    /// <summary>Counts one example.</summary>
    public void Add(int predicted, int label)
    {
        _confusion[(InRange(label) * Classes) + InRange(predicted)]++;
        Count++;
    }

    /// <summary>Counts a batch.</summary>
    public void Add(ReadOnlySpan<int> predicted, ReadOnlySpan<int> labels)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(predicted.Length, labels.Length);
        for (int i = 0; i < labels.Length; i++)
            Add(predicted[i], labels[i]);
    }

    /// <summary>Counts a batch of logits [B × classes]; predicted is the class with the largest, the first of several.</summary>
    /// <exception cref="CaldException">A logit is not a number: such a model has no predictions to count.</exception>
    public void AddLogits(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(logits.Length, labels.Length * Classes, nameof(logits));
        for (int i = 0; i < labels.Length; i++)
            Add(Largest(logits.Slice(i * Classes, Classes)), labels[i]);
    }

    /// <summary>Adds the counts of another part of the same evaluation.</summary>
    public void Merge(ClassificationMetrics other)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(other.Classes, Classes, nameof(other));
        for (int i = 0; i < _confusion.Length; i++)
            _confusion[i] += other._confusion[i];
        Count += other.Count;
    }

    /// <summary>c / s.</summary>
    public double Accuracy
    {
        get
        {
            RequireExamples();
            return (double)Correct / Count;
        }
    }

    /// <summary>With two classes, F1 of class 1 (<see cref="F1Of"/>); with any other number, <see cref="MacroF1"/>.</summary>
    public double F1 => Classes == 2 ? F1Of(1) : MacroF1;

    /// <summary>Mean F1 of those classes that occur, as a label or as a prediction.</summary>
    public double MacroF1
    {
        get
        {
            RequireExamples();
            return Enumerable.Range(0, Classes).Where(k => Labelled(k) + Predicted(k) > 0).Average(F1Of);
        }
    }

    /// <summary>
    /// The correlation of labels and predictions, −1 … 1: R_K = (c·s − Σ p·t) / √((s² − Σ p²)(s² − Σ t²)) (Gorodkin 2004), which for two
    /// classes is Matthews' coefficient; 0 where all labels or all predictions are of one class.
    /// </summary>
    public double Matthews
    {
        get
        {
            RequireExamples();
            Int128 covariance = (Int128)Correct * Count, predicted = (Int128)Count * Count, labelled = predicted;
            for (int k = 0; k < Classes; k++)
            {
                covariance -= (Int128)Predicted(k) * Labelled(k);
                predicted -= (Int128)Predicted(k) * Predicted(k);
                labelled -= (Int128)Labelled(k) * Labelled(k);
            }

            double spread = Math.Sqrt((double)predicted) * Math.Sqrt((double)labelled);
            return spread == 0 ? 0 : Math.Clamp((double)covariance / spread, -1, 1);
        }
    }

    /// <summary>F1 of one class: 2·n[k, k] / (t[k] + p[k]), the harmonic mean of precision and recall; 0 where the class never occurs.</summary>
    public double F1Of(int positive)
    {
        RequireExamples();
        long both = Labelled(positive) + Predicted(positive);
        return both == 0 ? 0 : 2.0 * Confusion(positive, positive) / both;
    }

    private long Correct => Enumerable.Range(0, Classes).Sum(k => Confusion(k, k));

    private long Labelled(int k) => Enumerable.Range(0, Classes).Sum(p => Confusion(k, p));

    private long Predicted(int k) => Enumerable.Range(0, Classes).Sum(l => Confusion(l, k));

    private int Largest(ReadOnlySpan<float> row)
    {
        int best = 0;
        for (int k = 0; k < row.Length; k++)
        {
            if (float.IsNaN(row[k]))
                throw new CaldException(
                    $"evaluation: logit {k} of example {Count} is not a number; training diverged (try a smaller learning rate), " +
                    "or the weights are damaged");
            if (row[k] > row[best])
                best = k;
        }

        return best;
    }

    private int InRange(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Classes);
        return index;
    }

    private void RequireExamples()
    {
        if (Count == 0)
            throw new CaldException("evaluation: nothing was measured; the evaluated part has no examples");
    }
}
