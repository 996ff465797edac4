using LinearCald.Distillation.Recipes;
using LinearCald.Nn.Schedules;

namespace LinearCald.Distillation.Training;

/// <summary>The learning-rate schedule that a recipe describes.</summary>
internal static class Schedules
{
    /// <param name="recipe">Shape, peak, warm-up and end.</param>
    /// <param name="totalUpdates">Updates of the run.</param>
    /// <param name="peak">The peak rate; null takes the recipe's.</param>
    public static LearningRateSchedule Of(OptimisationRecipe recipe, int totalUpdates, double? peak = null)
    {
        double lr = peak ?? recipe.Lr;
        int warmup = recipe.WarmupUpdates(totalUpdates);
        int decay = recipe.DecaySteps ?? Math.Max(1, totalUpdates - warmup);
        int end = recipe.DecaySteps is null ? Math.Max(totalUpdates, warmup + 1) : warmup + decay;
        return recipe.Schedule switch
        {
            ScheduleKind.Linear => new LinearSchedule(lr, warmup, end),
            ScheduleKind.Cosine => new CosineSchedule(lr, warmup, end, recipe.FinalLr),
            ScheduleKind.ClampedCosine => new ClampedCosineSchedule(lr, warmup, end, recipe.FinalLr),
            ScheduleKind.Exponential => new ExponentialSchedule(lr, warmup, decay, recipe.FinalLr),
            _ => new ConstantSchedule(lr, warmup),
        };
    }
}
