using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Metrics;

namespace LinearCald.Data.Tests.Metrics;

public class ClassificationMetricsTests
{
    /// <summary>A number of classes, and predictions with labels of these classes.</summary>
    private static readonly Arbitrary<(int Classes, (int Predicted, int Label)[] Rows)> Cases =
        (from classes in Gen.Choose(1, 6)
         from rows in Gen.NonEmptyListOf(from p in Gen.Choose(0, classes - 1) from l in Gen.Choose(0, classes - 1) select (p, l))
         select (classes, rows.ToArray())).ToArbitrary();

    [Fact]
    public void Hand_computed_binary_values()
    {
        // 3 true positives, 1 false positive, 2 false negatives, 4 true negatives.
        ClassificationMetrics m = Of(2, [(1, 1), (1, 1), (1, 1), (1, 0), (0, 1), (0, 1), (0, 0), (0, 0), (0, 0), (0, 0)]);
        Assert.Equal(0.7, m.Accuracy, 12);
        Assert.Equal(6.0 / 9, m.F1, 12); // precision 3/4, recall 3/5
        Assert.Equal(8.0 / 11, m.F1Of(0), 12);
        Assert.Equal(((6.0 / 9) + (8.0 / 11)) / 2, m.MacroF1, 12);
        Assert.Equal(10 / Math.Sqrt(4 * 5 * 5 * 6), m.Matthews, 12); // (3·4 − 1·2) / √((3+1)(3+2)(4+1)(4+2))
        Assert.Equal(1, m.Confusion(label: 0, predicted: 1));
        Assert.Equal(2, m.Confusion(label: 1, predicted: 0));
    }

    [Fact]
    public void Hand_computed_values_of_three_classes()
    {
        // Rows are labels: [2 0 1; 1 1 0; 0 0 3]; s = 8, c = 6, t = (3, 2, 3), p = (3, 1, 4), Σpt = 23, Σp² = 26, Σt² = 22.
        ClassificationMetrics m = Of(3, [(0, 0), (0, 0), (2, 0), (0, 1), (1, 1), (2, 2), (2, 2), (2, 2)]);
        Assert.Equal(0.75, m.Accuracy, 12);
        Assert.Equal(((4.0 / 6) + (2.0 / 3) + (6.0 / 7)) / 3, m.F1, 12);
        Assert.Equal((48 - 23) / Math.Sqrt(38 * 42), m.Matthews, 12);
    }

    [Fact]
    public void Stay_within_their_bounds() => Prop.ForAll(Cases, c =>
    {
        ClassificationMetrics m = Of(c.Classes, c.Rows);
        Assert.Equal(c.Rows.Length, m.Count);
        Assert.InRange(m.Accuracy, 0, 1);
        Assert.InRange(m.F1, 0, 1);
        Assert.InRange(m.MacroF1, 0, 1);
        Assert.InRange(m.Matthews, -1, 1);
    }).Holds();

    [Fact]
    public void Do_not_depend_on_the_order_or_on_the_batches() => Prop.ForAll(Cases, c =>
    {
        ClassificationMetrics m = Of(c.Classes, c.Rows), reversed = Of(c.Classes, [.. c.Rows.Reverse()]);
        ClassificationMetrics merged = Of(c.Classes, c.Rows[..(c.Rows.Length / 2)]);
        merged.Merge(Of(c.Classes, c.Rows[(c.Rows.Length / 2)..]));
        Assert.Equal(All(m), All(reversed));
        Assert.Equal(All(m), All(merged));
    }).Holds();

    [Fact]
    public void Are_symmetric_under_renaming_the_classes() => Prop.ForAll(Cases, c =>
    {
        ClassificationMetrics m = Of(c.Classes, c.Rows);
        ClassificationMetrics renamed = Of(c.Classes, [.. c.Rows.Select(r => ((r.Predicted + 1) % c.Classes, (r.Label + 1) % c.Classes))]);
        Assert.Equal(m.Accuracy, renamed.Accuracy, 12);
        Assert.Equal(m.MacroF1, renamed.MacroF1, 12);
        Assert.Equal(m.Matthews, renamed.Matthews, 12);
    }).Holds();

    [Fact]
    public void Perfect_predictions_have_the_measure_one() => Prop.ForAll(Cases, c =>
    {
        ClassificationMetrics m = Of(c.Classes, [.. c.Rows.Select(r => (r.Label, r.Label))]);
        bool oneClass = c.Rows.Select(r => r.Label).Distinct().Count() == 1;
        Assert.Equal(1, m.Accuracy);
        Assert.Equal(1, m.MacroF1, 12);
        Assert.Equal(oneClass ? 0 : 1, m.Matthews, 12);
    }).Holds();

    [Fact]
    public void Two_classes_give_the_coefficient_of_the_two_by_two_table() => Prop.ForAll(Cases, c =>
    {
        ClassificationMetrics m = Of(2, [.. c.Rows.Select(r => (r.Predicted % 2, r.Label % 2))]);
        double tp = m.Confusion(1, 1), tn = m.Confusion(0, 0), fp = m.Confusion(0, 1), fn = m.Confusion(1, 0);
        double spread = Math.Sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn));
        Assert.Equal(spread == 0 ? 0 : ((tp * tn) - (fp * fn)) / spread, m.Matthews, 12);
    }).Holds();

    [Fact]
    public void Chance_has_no_correlation() => Assert.Equal(0, Of(2, [(0, 0), (0, 1), (1, 0), (1, 1)]).Matthews);

    [Fact]
    public void Logits_count_as_their_first_largest_class()
    {
        ClassificationMetrics m = new(3);
        m.AddLogits([-1, 2, 2, float.NegativeInfinity, -5, -4], [1, 2]);
        Assert.Equal(1, m.Confusion(1, 1));
        Assert.Equal(1, m.Confusion(2, 2));
        CaldException error = Assert.Throws<CaldException>(() => m.AddLogits([0, float.NaN, 1], [0]));
        Assert.Contains("logit 1 of example 2 is not a number", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Misuse_is_refused()
    {
        ClassificationMetrics m = new(2);
        Assert.Throws<CaldException>(() => m.Accuracy);
        Assert.Throws<CaldException>(() => m.Matthews);
        Assert.Throws<ArgumentOutOfRangeException>(() => m.Add(2, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => m.Add(0, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => m.Add([0, 1], [0]));
    }

    private static ClassificationMetrics Of(int classes, (int Predicted, int Label)[] rows)
    {
        ClassificationMetrics m = new(classes);
        m.Add([.. rows.Select(r => r.Predicted)], [.. rows.Select(r => r.Label)]);
        return m;
    }

    private static (double Accuracy, double F1, double MacroF1, double Matthews) All(ClassificationMetrics m) =>
        (m.Accuracy, m.F1, m.MacroF1, m.Matthews);
}
