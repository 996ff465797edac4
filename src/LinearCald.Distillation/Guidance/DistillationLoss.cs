using LinearCald.Distillation.Recipes;
using LinearCald.Tensors;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Guidance;

/// <summary>The two distillation losses of one micro-batch, taken as the recipe's convention says (cf. He and Garner 2024, section 3, and docs/recipes.md).</summary>
public sealed class DistillationLoss
{
    private readonly GuidanceRecipe _recipe;

    public DistillationLoss(GuidanceRecipe recipe) => _recipe = recipe;

    /// <summary>Whether only valid positions count, and so the mean is over their number.</summary>
    public bool IsMasked => _recipe.Padding == PaddingRule.Masked;

    /// <summary>
    /// The layerwise loss: for each compared entry the mean over counted positions and width of (N(h_S) − N(h_T))², summed or averaged over entries.
    /// </summary>
    /// <param name="student">Hidden states 0 … n, [B, L, d] each.</param>
    /// <param name="teacher">Those of the teacher; no gradient flows to them.</param>
    /// <param name="lengths">int32 [B]; null when all positions are valid.</param>
    /// <param name="validPositions">Σ lengths; or 1, when the loss is to be divided by it later (<see cref="IsMasked"/>).</param>
    /// <exception cref="CaldException">The models have different numbers of layers.</exception>
    public Tensor Layers(IReadOnlyList<Tensor> student, IReadOnlyList<Tensor> teacher, Tensor? lengths, long validPositions)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teacher);
        if (student.Count != teacher.Count)
        {
            throw new CaldException($"layer loss: the student has {student.Count - 1} layers, the teacher {teacher.Count - 1}; layer i is compared with layer i");
        }

        (int first, int last) = _recipe.EntryRange(student.Count - 1);
        if (last < first)
        {
            throw new CaldException($"layer loss: guidance.entries leaves nothing to compare in a model of {student.Count - 1} layers");
        }

        bool masked = IsMasked;
        bool normalise = _recipe.Normalisation == StateNormalisation.Layernorm;
        Tensor? sum = null;
        for (int i = first; i <= last; i++)
        {
            long positions = masked ? validPositions : student[i].Shape.Rows;
            double scale = 1.0 / Math.Max(1, positions * student[i].Shape.Last);
            if (_recipe.LayerReduction == LayerReduction.Mean)
            {
                scale /= last - first + 1;
            }

            Tensor term = student[i].LayerLoss(teacher[i], masked ? lengths : null, normalise, scale);
            sum = sum is null ? term : sum.Add(term);
        }

        return sum!;
    }

    /// <summary>Whether the output loss of such logits is to be divided by the number of valid positions.</summary>
    public bool DividesByPositions(Tensor logits)
    {
        ArgumentNullException.ThrowIfNull(logits);
        return IsMasked && logits.Shape.Rank == 3 && _recipe.KlReduction == KlReduction.Tokens;
    }

    /// <summary>The output loss: KL(p_T ‖ p_S) at the recipe's temperature over the rows of logits, [B, classes] or [B, L, classes].</summary>
    /// <param name="student">Logits.</param>
    /// <param name="teacher">Those of the teacher.</param>
    /// <param name="lengths">int32 [B]: valid positions of logits [B, L, classes]; null when all are.</param>
    /// <param name="validPositions">Σ lengths; or 1, when the loss is to be divided by it later (<see cref="DividesByPositions"/>).</param>
    public Tensor Outputs(Tensor student, Tensor teacher, Tensor? lengths, long validPositions)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teacher);
        long divisor = DividesByPositions(student) ? validPositions : _recipe.KlReduction == KlReduction.Batch ? student.Shape[0] : student.Shape.Rows;
        double scale = 1.0 / Math.Max(1, divisor);
        if (IsMasked && student.Shape.Rank == 3 && lengths is not null)
        {
            (student, teacher) = (student.MaskRows(lengths), teacher.MaskRows(lengths)); // equal distributions have no divergence
        }

        if (_recipe.KlBetaSquared)
        {
            scale *= _recipe.Temperature * _recipe.Temperature;
        }

        int classes = student.Shape.Last;
        return student.Reshape(-1, classes).KlDivergence(teacher.Reshape(-1, classes), _recipe.Temperature, scale);
    }
}
