using System.Globalization;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Reporting;

namespace LinearCald.Distillation.Conversion;

/// <summary>Teacher and students of several variants and seeds on one task: the rows of a table.</summary>
public sealed class Comparison
{
    private readonly Recipe _recipe;
    private readonly SessionOptions _options;
    private readonly string _folder;

    /// <param name="recipe">With variants.</param>
    /// <param name="options">Device, progress, resuming.</param>
    /// <param name="folder">Each run gets its own folder in it: <c>seed-S/teacher</c>, <c>seed-S/VARIANT</c>.</param>
    public Comparison(Recipe recipe, SessionOptions options, string folder)
    {
        _recipe = recipe;
        _options = options;
        _folder = folder;
    }

    /// <summary>Where the run of a variant and seed lies.</summary>
    public string FolderOf(int seed, string variant) => Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"seed-{seed}"), variant);

    /// <summary>Runs everything, teacher first in each seed, and yields a row as soon as its run is done.</summary>
    /// <param name="variants">Names of the recipe's variants, in the order wanted.</param>
    /// <param name="seeds">One run of each for every seed.</param>
    public IEnumerable<ResultRow> Run(IReadOnlyList<string> variants, IReadOnlyList<int> seeds)
    {
        ArgumentNullException.ThrowIfNull(variants);
        ArgumentNullException.ThrowIfNull(seeds);
        ConversionSession session = new(_recipe, _options);
        foreach (int seed in seeds)
        {
            Recipe seeded = _recipe.With(
                string.Create(CultureInfo.InvariantCulture, $"teacher.seed={seed}"), string.Create(CultureInfo.InvariantCulture, $"training.seed={seed}"));
            string? teacher = FolderOf(seed, "teacher");
            if (seeded.Teacher.Checkpoint is { } checkpoint)
            {
                teacher = checkpoint;
            }
            else
            {
                yield return session.FineTune(seeded with { Variants = RecipeVariants.None }, teacher);
                teacher = session.TrainsTeacher(seeded) ? teacher : null;
            }

            foreach (string variant in variants)
            {
                Recipe run = seeded.Variant(variant);
                yield return session.Convert(run, teacher, FolderOf(seed, variant), variant == ConversionSession.ModeName(run.Guidance.Mode) ? null : variant);
            }
        }
    }
}
