using System.Globalization;

namespace LinearCald.Data.Speech.Readers;

/// <summary>The classes of targets, and the labels of utterances.</summary>
internal static class TargetClasses
{
    // More than any corpus of speakers has; a column of other things (file names) is told from classes by it.
    private const int MaxClasses = 100_000;

    /// <summary>The classes of each target: those given, else all that occur, integers by value, other names in ordinal order.</summary>
    /// <exception cref="CaldException">A label is outside the given classes, or there is only one class.</exception>
    public static IReadOnlyList<SpeechTarget> Of(
        IReadOnlyList<string> names, IReadOnlyList<SpeechTarget> given, IReadOnlyList<RawUtterance> utterances, List<string> notes) =>
        [.. names.Select((name, i) => given.FirstOrDefault(target => target.Name == name) is { } fixedTarget
            ? Given(fixedTarget, i, utterances, notes)
            : Discovered(name, i, utterances, notes))];

    /// <summary>The indices of an utterance's classes.</summary>
    public static IReadOnlyList<int> LabelsOf(RawUtterance utterance, IReadOnlyList<SpeechTarget> targets)
    {
        int[] labels = new int[targets.Count];
        for (int i = 0; i < labels.Length; i++)
        {
            labels[i] = ((ClassList)targets[i].Classes).IndexOf(utterance.Classes[i]);
        }

        return labels;
    }

    private static SpeechTarget Given(SpeechTarget target, int index, IReadOnlyList<RawUtterance> utterances, List<string> notes)
    {
        ClassList classes = new(target.Classes);
        RawUtterance[] outside = [.. utterances.Where(utterance => classes.IndexOf(utterance.Classes[index]) < 0)];
        if (outside.Length > 0)
        {
            string[] labels = [.. outside.Select(utterance => utterance.Classes[index]).Distinct(StringComparer.Ordinal)];
            throw new CaldException(
                $"{outside[0].Place}: {outside.Length} utterances have one of {labels.Length} labels of \"{target.Name}\" that the model does not have: " +
                $"{string.Join(", ", labels.Take(20))}{(labels.Length > 20 ? ", …" : "")}; its {classes.Count} classes are " +
                $"{string.Join(", ", classes.Take(12))}{(classes.Count > 12 ? ", …" : "")}");
        }

        NoteUnseen(target.Name, classes, index, utterances, notes);
        return new SpeechTarget(target.Name, classes);
    }

    private static SpeechTarget Discovered(string name, int index, IReadOnlyList<RawUtterance> utterances, List<string> notes)
    {
        string[] found = [.. utterances.Select(utterance => utterance.Classes[index]).Distinct(StringComparer.Ordinal)];
        if (found.Length is < 2 or > MaxClasses)
        {
            throw new CaldException(
                $"{utterances[0].Place}: the target \"{name}\" has {found.Length} class{(found.Length == 1 ? $", \"{found[0]}\"" : "es")}; " +
                $"2 to {MaxClasses} are possible");
        }

        bool numbers = found.All(label => long.TryParse(label, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _));
        ClassList classes = new(numbers
            ? [.. found.OrderBy(label => long.Parse(label, CultureInfo.InvariantCulture)).ThenBy(label => label, StringComparer.Ordinal)]
            : [.. found.Order(StringComparer.Ordinal)]);
        NoteUnseen(name, classes, index, utterances, notes);
        return new SpeechTarget(name, classes);
    }

    private static void NoteUnseen(string name, ClassList classes, int index, IReadOnlyList<RawUtterance> utterances, List<string> notes)
    {
        RawUtterance[] train = [.. utterances.Where(utterance => utterance.Part == SpeechPart.Train)];
        if (train.Length == 0)
        {
            return;
        }

        string[] unseen = [.. classes.Except(train.Select(utterance => utterance.Classes[index]), StringComparer.Ordinal)];
        if (unseen.Length > 0)
        {
            notes.Add($"no training utterance has {unseen.Length} of the {classes.Count} classes of \"{name}\": {string.Join(", ", unseen.Take(12))}");
        }
    }
}
