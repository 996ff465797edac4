using System.Numerics;
using System.Runtime.CompilerServices;

namespace LinearCald.Tensors.Cpu;

/// <summary>
/// One AdamW update of a parameter (see <see cref="AdamWStep"/>), fused: four reads and three writes an element, which is what it costs.
/// And the sum of squares that clipping by norm starts from.
/// </summary>
internal static unsafe class AdamWKernel
{
    /// <summary>Updates <paramref name="p"/>, <paramref name="m"/> and <paramref name="v"/> in place; <paramref name="g"/> is only read.</summary>
    /// <param name="m">First moment; zeros before the first step.</param>
    /// <param name="v">Second moment; zeros before the first step.</param>
    public static void Update<T>(T* p, T* g, T* m, T* v, long count, in AdamWStep step)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step.Step, 1);
        ParallelLoop.For<T, UpdateBody<T>>(count, new(p, g, m, v, new Coefficients<T>(in step)));
    }

    /// <summary>Σ x², in <typeparamref name="T"/> within fixed pieces and in float64 over them: the same bits on any number of threads.</summary>
    public static double SumOfSquares<T>(T* x, long count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ParallelLoop.Sum<T, Squares<T>>(count, new(x));

    /// <summary>The factors of a step, computed in float64 and rounded once.</summary>
    private readonly struct Coefficients<T>(in AdamWStep step)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public readonly T Shrink = T.CreateTruncating(1 - (step.LearningRate * step.WeightDecay));
        public readonly T Beta1 = T.CreateTruncating(step.Beta1);
        public readonly T Beta2 = T.CreateTruncating(step.Beta2);

        /// <summary>(1 − β₁) times the gradient's scale.</summary>
        public readonly T Into1 = T.CreateTruncating((1 - step.Beta1) * step.GradientScale);

        /// <summary>The gradient's scale times √(1 − β₂): its square is what g² is to be multiplied with, and does not underflow as that might.</summary>
        public readonly T Into2 = T.CreateTruncating(Math.Sqrt(1 - step.Beta2) * step.GradientScale);

        /// <summary>−lr/(1 − β₁ᵗ).</summary>
        public readonly T Move = T.CreateTruncating(-step.LearningRate / (1 - Math.Pow(step.Beta1, step.Step)));

        /// <summary>1/√(1 − β₂ᵗ).</summary>
        public readonly T Unbias = T.CreateTruncating(1 / Math.Sqrt(1 - Math.Pow(step.Beta2, step.Step)));

        public readonly T Epsilon = T.CreateTruncating(step.Epsilon);
    }

    private readonly struct UpdateBody<T>(T* p, T* g, T* m, T* v, Coefficients<T> c) : ISimdBody<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TV>(nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV gradient = TV.Load(g + i);
            TV first = TV.Fma(TV.Broadcast(c.Beta1), TV.Load(m + i), TV.Broadcast(c.Into1) * gradient);
            TV root = TV.Broadcast(c.Into2) * gradient;
            TV second = TV.Fma(TV.Broadcast(c.Beta2), TV.Load(v + i), root * root);
            first.Store(m + i);
            second.Store(v + i);
            TV scale = TV.Fma(TV.Sqrt(second), TV.Broadcast(c.Unbias), TV.Broadcast(c.Epsilon));
            TV moved = TV.Broadcast(c.Move) * first / scale;
            TV.Fma(TV.Broadcast(c.Shrink), TV.Load(p + i), moved).Store(p + i);
        }
    }

    private readonly struct Squares<T>(T* x) : ISimdFold<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TV Step<TV>(TV soFar, nint i)
            where TV : unmanaged, ISimd<TV, T>
        {
            TV value = TV.Load(x + i);
            return TV.Fma(value, value, soFar);
        }
    }
}
