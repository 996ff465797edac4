namespace LinearCald.Distillation.Recipes;

/// <summary>
/// Section `guidance`: who guides, with which weights, and how exactly the two distillation losses are taken.
/// Total loss = alpha_task · task + alpha_kl · KL(teacher ‖ student) + alpha_layer · layer loss.
/// </summary>
public sealed record GuidanceRecipe
{
    [RecipeKey("who guides: nobody, the fine-tuned teacher, one that learns alongside, stored waypoints, …")]
    public GuidanceMode Mode { get; init; } = GuidanceMode.Target;

    [RecipeKey("weight of the task loss", Min = 0)]
    public double AlphaTask { get; init; } = 1;

    [RecipeKey("weight of the distance between output distributions", Min = 0)]
    public double AlphaKl { get; init; }

    [RecipeKey("weight of the distance between hidden states", Min = 0)]
    public double AlphaLayer { get; init; } = 10;

    [RecipeKey("both output distributions are softened by it", Min = 0, Above = true)]
    public double Temperature { get; init; } = 2;

    [RecipeKey("preset of the seven keys that follow; single keys beside it win")]
    public LossConvention Convention { get; init; } = LossConvention.Masked;

    [RecipeKey("hidden states compared: all = 0 … n, inner = 1 … n − 1, outputs = 1 … n (0 is the embedding, n the number of layers)")]
    public LayerEntries Entries { get; init; } = LayerEntries.All;

    [RecipeKey("what is done to both hidden states first")]
    public StateNormalisation Normalisation { get; init; } = StateNormalisation.None;

    [RecipeKey("whether padded positions count in the distillation losses")]
    public PaddingRule Padding { get; init; } = PaddingRule.Masked;

    [RecipeKey("sum or mean over the compared hidden states (inside one, always the mean over positions and width)")]
    public LayerReduction LayerReduction { get; init; } = LayerReduction.Sum;

    [RecipeKey("what the KL sum is divided by: examples or positions")]
    public KlReduction KlReduction { get; init; } = KlReduction.Batch;

    [RecipeKey("multiply the KL by the square of the temperature")]
    public bool KlBetaSquared { get; init; } = true;

    [RecipeKey("divide alpha_kl and alpha_layer by gradient_accumulation, as the speech reference in effect does")]
    public bool DivideByAccumulation { get; init; }

    [RecipeKey("train = the guiding teacher applies dropout (reference); eval = it does not")]
    public TeacherMode TeacherMode { get; init; } = TeacherMode.Eval;

    [RecipeKey("trajectory: the teacher learns from one update in so many of the student's (T_u)", Min = 1, Max = 1_000_000)]
    public int UpdateCycle { get; init; } = 1;

    [RecipeKey("trajectory: peak learning rate of the teacher; null = teacher.lr", Min = 0, Max = 100)]
    public double? TeacherLr { get; init; }

    [RecipeKey("trajectory: student = schedule laid out over the student's updates (reference); own = over the teacher's own")]
    public TeacherSchedule TeacherSchedule { get; init; } = TeacherSchedule.Own;

    [RecipeKey("waypoint: folder with the stored waypoints; null = those of the teacher's run")]
    public string? Waypoints { get; init; }

    [RecipeKey("hybrid: guided for so many updates; null = switch_fraction decides", Min = 0)]
    public int? SwitchStep { get; init; }

    [RecipeKey("hybrid: guided for this part of all updates", Min = 0, Max = 1)]
    public double SwitchFraction { get; init; } = 0.3;

    [RecipeKey("train only the new projections for so many updates", Min = 0)]
    public int FreezeSteps { get; init; }

    /// <summary>The mode has a teacher for at least a part of the run.</summary>
    public bool NeedsTeacher => Mode != GuidanceMode.Unguided;

    /// <summary>Updates that are guided in a run of <paramref name="totalUpdates"/>.</summary>
    public int GuidedUpdates(int totalUpdates) => Mode switch
    {
        GuidanceMode.Unguided => 0,
        GuidanceMode.Hybrid => Math.Min(
            totalUpdates, SwitchStep ?? (int)Math.Round(SwitchFraction * totalUpdates, MidpointRounding.AwayFromZero)),
        _ => totalUpdates,
    };

    /// <summary>Weights on the three losses for the update that follows <paramref name="completedUpdates"/>.</summary>
    /// <param name="accumulation">Micro-batches an update; matters only with divide_by_accumulation.</param>
    public LossWeights WeightsAt(int completedUpdates, int totalUpdates, int accumulation = 1)
    {
        if (completedUpdates >= GuidedUpdates(totalUpdates))
            return new LossWeights(AlphaTask, 0, 0);
        double scale = DivideByAccumulation ? 1.0 / accumulation : 1.0;
        return new LossWeights(AlphaTask, AlphaKl * scale, AlphaLayer * scale);
    }

    /// <summary>First and last compared index in the list of <paramref name="layers"/> + 1 hidden states.</summary>
    public (int First, int Last) EntryRange(int layers) => Entries switch
    {
        LayerEntries.All => (0, layers),
        LayerEntries.Inner => (1, layers - 1),
        _ => (1, layers),
    };
}

/// <summary>What the three losses are multiplied by in one update; a loss of weight 0 need not be computed.</summary>
/// <param name="Task">Weight of the task loss.</param>
/// <param name="Kl">Weight of the output distillation.</param>
/// <param name="Layer">Weight of the layerwise distillation.</param>
public readonly record struct LossWeights(double Task, double Kl, double Layer)
{
    /// <summary>The teacher must be run for this update.</summary>
    public bool Guided => Kl != 0 || Layer != 0;
}
