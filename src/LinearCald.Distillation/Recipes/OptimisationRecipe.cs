namespace LinearCald.Distillation.Recipes;

/// <summary>What `teacher` and `training` have in common: length, batches, AdamW, schedule, evaluation, checkpoints.</summary>
public abstract record OptimisationRecipe
{
    [RecipeKey("peak learning rate", Min = 0, Max = 100)]
    public double Lr { get; init; } = 1e-4;

    [RecipeKey("passes over the training rows", Min = 0, Max = 1_000_000)]
    public int Epochs { get; init; } = 3;

    [RecipeKey("stop after so many updates; 0 = `epochs` decides", Min = 0)]
    public int MaxSteps { get; init; }

    [RecipeKey("examples an update", Min = 1, Max = 1_048_576)]
    public int BatchSize { get; init; } = 32;

    [RecipeKey("micro-batches that a batch is cut into (must divide batch_size); losses are averaged over them", Min = 1, Max = 1_048_576)]
    public int GradientAccumulation { get; init; } = 1;

    [RecipeKey("speech: samples of a padded micro-batch at most, so that long clips come in small ones; 0 = batch_size alone decides", Min = 0)]
    public double FrameLimit { get; init; }

    [RecipeKey("speech: clips × squared samples of the longest at most, for the memory of attention; 0 = no limit", Min = 0)]
    public double SquareFrameLimit { get; init; }

    [RecipeKey("speech: for so many updates only clips of up to 10 s with transcripts of 3 characters and more", Min = 0)]
    public int DataWarmupSteps { get; init; }

    [RecipeKey("examples in a batch of evaluation", Min = 1, Max = 1_048_576)]
    public int EvalBatchSize { get; init; } = 32;

    [RecipeKey("shape of the learning rate after warm-up")]
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Linear;

    [RecipeKey("warm-up as a part of all updates, rounded to whole ones", Min = 0, Max = 1)]
    public double WarmupFraction { get; init; } = 0.06;

    [RecipeKey("warm-up in updates; null = warmup_fraction decides", Min = 0)]
    public int? WarmupSteps { get; init; }

    [RecipeKey("learning rate that the schedule ends at; `exponential` needs one above 0", Min = 0, Max = 100)]
    public double FinalLr { get; init; }

    [RecipeKey("updates from warm-up's end to final_lr, constant after; null = the rest of the run", Min = 1)]
    public int? DecaySteps { get; init; }

    [RecipeKey("decoupled weight decay; never on biases and norms", Min = 0, Max = 100)]
    public double WeightDecay { get; init; }

    [RecipeKey("what is decayed: all weights, those of the new mixers, the whole mixers with A_log and D (reference, lm), or the whole model (reference, speech)")]
    public DecayRule Decay { get; init; } = DecayRule.Weights;

    [RecipeKey("largest global L2 norm of the gradient; 0 = no clipping", Min = 0)]
    public double ClipNorm { get; init; }

    [RecipeKey("AdamW: decay of the mean of gradients", Min = 0, Max = 0.999999999)]
    public double Beta1 { get; init; } = 0.9;

    [RecipeKey("AdamW: decay of the mean of squared gradients", Min = 0, Max = 0.999999999)]
    public double Beta2 { get; init; } = 0.999;

    [RecipeKey("AdamW: added to the root of the second moment", Min = 0, Above = true, Max = 1)]
    public double Eps { get; init; } = 1e-8;

    [RecipeKey("seed of initial values, order of examples and dropout; --seed sets that of teacher and training", Min = 0)]
    public int Seed { get; init; }

    [RecipeKey("dropout probability everywhere in the model; null = as its config.json says", Min = 0, Max = 0.99)]
    public double? Dropout { get; init; }

    [RecipeKey("evaluations on the validation part in each epoch, evenly spaced, the last at its end", Min = 1, Max = 1_000_000)]
    public int EvaluationsPerEpoch { get; init; } = 4;

    [RecipeKey("updates between evaluations on the validation part, and one at the end of the run; 0 = evaluations_per_epoch decides", Min = 0)]
    public int EvaluateEvery { get; init; }

    [RecipeKey("of equally good evaluations the best is the first (>) or the last (>=)")]
    public BestRule BestRule { get; init; } = BestRule.First;

    [RecipeKey("updates between checkpoints to resume from; 0 = one at the end of each epoch", Min = 0)]
    public int CheckpointEvery { get; init; }

    [RecipeKey("checkpoints kept; older ones are deleted after a newer one is safe on disk", Min = 1, Max = 1_000_000)]
    public int KeepCheckpoints { get; init; } = 2;

    [RecipeKey("recompute each layer's activations in backward: less memory, a third more time")]
    public bool ActivationCheckpointing { get; init; }

    [RecipeKey("leave out updates whose loss or gradient is not finite, and stop at so many in a row; 0 = stop at the first; null = 10 in bf16 and fp16, where float16 may overflow, else 0", Min = 0, Max = 1_000_000)]
    public int? SkipNonFinite { get; init; }

    [RecipeKey("number format of the computation")]
    public Precision Precision { get; init; } = Precision.Fp32;

    /// <summary>Updates in a row with a loss or gradient that is not finite at which a run stops, the last of them; those before are left out.</summary>
    public int MostNonFinite => Math.Max(1, SkipNonFinite ?? (Precision is Precision.Bf16 or Precision.Fp16 ? 10 : 0));

    /// <summary>Examples in one forward and backward pass.</summary>
    public int MicroBatchSize => BatchSize / GradientAccumulation;

    /// <summary>Updates in an epoch over <paramref name="rows"/> examples; the last batch may be short.</summary>
    public int UpdatesPerEpoch(int rows) => (int)(((long)rows + BatchSize - 1) / BatchSize);

    /// <summary>Updates of the whole run: max_steps when it is set, else epochs × updates an epoch.</summary>
    public int TotalUpdates(int updatesPerEpoch) => MaxSteps > 0 ? MaxSteps : checked(Epochs * updatesPerEpoch);

    /// <summary>Updates of warm-up in a run of <paramref name="totalUpdates"/>: never more than all of them.</summary>
    public int WarmupUpdates(int totalUpdates) =>
        Math.Min(totalUpdates, WarmupSteps ?? (int)Math.Round(WarmupFraction * totalUpdates, MidpointRounding.AwayFromZero));

    /// <summary>Updates between two evaluations: evaluate_every when it is set, else an epoch's updates over evaluations_per_epoch, rounded up.</summary>
    public int EvaluationInterval(int updatesPerEpoch) => EvaluateEvery > 0 ? EvaluateEvery : (updatesPerEpoch + EvaluationsPerEpoch - 1) / EvaluationsPerEpoch;

    /// <summary>Whether the model is evaluated after so many updates; it always is at the end of the run.</summary>
    public bool IsEvaluation(int step, int updatesPerEpoch) =>
        EvaluateEvery > 0 ? step % EvaluateEvery == 0 : EndsPart(step, updatesPerEpoch, EvaluationInterval(updatesPerEpoch));

    /// <summary>Whether a step ends a part of <paramref name="every"/> updates of its epoch, or the epoch.</summary>
    protected static bool EndsPart(int step, int updatesPerEpoch, int every)
    {
        int within = ((step - 1) % updatesPerEpoch) + 1;
        return within % every == 0 || within == updatesPerEpoch;
    }

    /// <summary>Whether a new value of a metric on the validation part replaces the best so far, by <see cref="BestRule"/>. NaN never does.</summary>
    public bool IsBetter(TaskMetric metric, double value, double best)
    {
        (double high, double low) = metric.LowerIsBetter() ? (best, value) : (value, best);
        return BestRule == BestRule.First ? high > low : high >= low;
    }
}

/// <summary>Section `training`: the conversion run of the student.</summary>
public sealed record TrainingRecipe : OptimisationRecipe;

/// <summary>Section `teacher`: ordinary fine-tuning of the transformer, or where a fine-tuned one lies.</summary>
public sealed record TeacherRecipe : OptimisationRecipe
{
    [RecipeKey("folder of an already fine-tuned teacher; null = fine-tune one first")]
    public string? Checkpoint { get; init; }

    [RecipeKey("waypoints saved in each epoch of fine-tuning, evenly spaced, the last at its end; 0 = none", Min = 0, Max = 1_000_000)]
    public int WaypointsPerEpoch { get; init; } = 1;

    [RecipeKey("updates between waypoints; 0 = waypoints_per_epoch decides", Min = 0)]
    public int WaypointEvery { get; init; }

    /// <summary>Whether a waypoint is saved after so many updates.</summary>
    public bool IsWaypoint(int step, int updatesPerEpoch) => WaypointEvery > 0
        ? step % WaypointEvery == 0
        : WaypointsPerEpoch > 0 && EndsPart(step, updatesPerEpoch, (updatesPerEpoch + WaypointsPerEpoch - 1) / WaypointsPerEpoch);
}
