using LinearCald.Data.Metrics;

namespace LinearCald.Data.Speech.Scoring;

/// <summary>
/// Accuracy of a classifier with one or more targets: of each target, their mean (what the reference reports), and the share of utterances
/// with all targets right, which is the intent accuracy where an intent is scenario and action.
/// </summary>
public sealed class TargetAccuracy
{
    private readonly ClassificationMetrics[] _metrics;
    private long _allRight;

    /// <param name="targets">The targets in the order of the model's outputs.</param>
    public TargetAccuracy(IReadOnlyList<SpeechTarget> targets)
    {
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentOutOfRangeException.ThrowIfZero(targets.Count, nameof(targets));
        Targets = targets;
        _metrics = [.. targets.Select(target => new ClassificationMetrics(target.Classes.Count))];
    }

    /// <summary>The targets.</summary>
    public IReadOnlyList<SpeechTarget> Targets { get; }

    /// <summary>Utterances counted.</summary>
    public long Count { get; private set; }

    /// <summary>Outputs of the model: classes of all targets together.</summary>
    public int Outputs => Targets.Sum(target => target.Classes.Count);

    /// <summary>Counts of one target, for measures other than accuracy.</summary>
    public ClassificationMetrics Of(int target) => _metrics[target];

    /// <summary>Accuracy of one target.</summary>
    public double Accuracy(int target) => _metrics[target].Accuracy;

    /// <summary>The mean of the targets' accuracies.</summary>
    public double Mean => _metrics.Average(metrics => metrics.Accuracy);

    /// <summary>The share of utterances of which every target is right.</summary>
    public double Joint => Count > 0 ? _allRight / (double)Count : throw new CaldException("evaluation: nothing was measured; the evaluated part has no utterances");

    /// <summary>Counts an utterance.</summary>
    /// <param name="predicted">A class a target.</param>
    /// <param name="labels">The right ones.</param>
    public void Add(ReadOnlySpan<int> predicted, IReadOnlyList<int> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentOutOfRangeException.ThrowIfNotEqual(predicted.Length, _metrics.Length, nameof(predicted));
        ArgumentOutOfRangeException.ThrowIfNotEqual(labels.Count, _metrics.Length, nameof(labels));
        bool right = true;
        for (int i = 0; i < _metrics.Length; i++)
        {
            _metrics[i].Add(predicted[i], labels[i]);
            right &= predicted[i] == labels[i];
        }

        _allRight += right ? 1 : 0;
        Count++;
    }

    /// <summary>Counts an utterance by its logits; returns the predicted classes, of each target the largest, the first of several.</summary>
    /// <param name="logits">[<see cref="Outputs"/>], targets side by side.</param>
    /// <param name="labels">The right classes, one a target.</param>
    /// <exception cref="CaldException">A logit is not a number.</exception>
    public int[] AddLogits(ReadOnlySpan<float> logits, IReadOnlyList<int> labels)
    {
        int[] predicted = Predict(logits);
        Add(predicted, labels);
        return predicted;
    }

    /// <summary>The classes with the largest logits, one a target.</summary>
    /// <inheritdoc cref="AddLogits"/>
    public int[] Predict(ReadOnlySpan<float> logits)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(logits.Length, Outputs, nameof(logits));
        int[] predicted = new int[_metrics.Length];
        int first = 0;
        for (int target = 0; target < predicted.Length; target++)
        {
            ReadOnlySpan<float> row = logits.Slice(first, Targets[target].Classes.Count);
            for (int k = 0; k < row.Length; k++)
            {
                if (float.IsNaN(row[k]))
                {
                    throw new CaldException(
                        $"evaluation: the logit of {Targets[target].Name} \"{Targets[target].Classes[k]}\" is not a number; training diverged (try a smaller " +
                        "learning rate), or the weights are damaged");
                }

                predicted[target] = row[k] > row[predicted[target]] ? k : predicted[target];
            }

            first += row.Length;
        }

        return predicted;
    }
}
