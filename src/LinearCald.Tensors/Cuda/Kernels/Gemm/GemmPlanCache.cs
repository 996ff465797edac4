using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Cuts of products that were asked for before: a step that is not recorded makes the same products again and again, and looking for a cut takes longer than launching it.
/// Each product has one place, where the last one that hashed to it lies: nothing grows, and nothing is allocated after a thread's first product.
/// </summary>
internal sealed class GemmPlanCache
{
    /// <summary>Places, a power of two.</summary>
    private const int Places = 256;

    [ThreadStatic]
    private static GemmPlanCache? s_ofThread;

    private readonly Entry[] _places = new Entry[Places];

    private GemmPlanCache()
    {
    }

    /// <summary>As <see cref="GemmPlan.For"/>.</summary>
    public static GemmPlan Find(in GemmProblem problem, DeviceLimits limits, bool aligned) => (s_ofThread ??= new GemmPlanCache()).FindOrSearch(problem, limits, aligned);

    private GemmPlan FindOrSearch(in GemmProblem problem, DeviceLimits limits, bool aligned)
    {
        int hash = HashCode.Combine(problem.M, problem.N, problem.K, problem.Batch, problem.TransposeA, problem.TransposeB, problem.Precision, aligned);
        ref Entry place = ref _places[hash & (Places - 1)];
        if (!ReferenceEquals(place.Limits, limits) || place.IsAligned != aligned || place.Problem != problem)
        {
            place = new Entry(problem, limits, aligned, GemmPlan.For(problem, limits, aligned));
        }

        return place.Plan;
    }

    private readonly record struct Entry(GemmProblem Problem, DeviceLimits? Limits, bool IsAligned, GemmPlan Plan);
}
