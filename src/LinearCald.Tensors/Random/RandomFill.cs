using System.Numerics;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors;

/// <summary>
/// Uniform and normal numbers out of Philox words. Number i of a key is a pure function of (key, i): any thread may make any part. Each takes two words: 64 bits
/// give 53 significant ones, so that float32 numbers are the float64 ones rounded.
/// </summary>
internal static unsafe class RandomFill
{
    private const int NumbersAGroup = Philox.GroupSize / 2;
    private const int GroupsATask = 256;

    /// <summary>y[i] uniform in [low, high).</summary>
    public static void Uniform<T>(T* y, long count, double low, double high, RandomKey key)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Run(y, count, low, high - low, normal: false, key);

    /// <summary>y[i] normal (Box and Muller 1958): of each pair of uniform numbers u, v: √(−2 ln(1 − u)) times cos 2πv and sin 2πv.</summary>
    public static void Normal<T>(T* y, long count, double mean, double deviation, RandomKey key)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Run(y, count, mean, deviation, normal: true, key);

    private static void Run<T>(T* y, long count, double offset, double factor, bool normal, RandomKey key)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long groups = (count + NumbersAGroup - 1) / NumbersAGroup;
        WorkerPool.Shared.For(
            (int)((groups + GroupsATask - 1) / GroupsATask),
            new Body<T> { Y = y, Count = count, Offset = offset, Factor = factor, IsNormal = normal, Key = key });
    }

    private struct Body<T> : IParallelBody
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* Y;
        public long Count;
        public double Offset;
        public double Factor;
        public bool IsNormal;
        public RandomKey Key;

        public readonly void Execute(int index)
        {
            uint* words = stackalloc uint[Philox.GroupSize];
            double* numbers = stackalloc double[NumbersAGroup];
            long last = Math.Min((Count + NumbersAGroup - 1) / NumbersAGroup, ((long)index + 1) * GroupsATask);
            for (long group = (long)index * GroupsATask; group < last; group++)
            {
                Philox.Group(Key.Seed, Key.Stream, (ulong)group, words);
                for (int i = 0; i < NumbersAGroup; i++)
                {
                    numbers[i] = ((((ulong)words[2 * i] << 32) | words[(2 * i) + 1]) >> 11) * (1.0 / (1L << 53));
                }

                if (IsNormal)
                {
                    ToNormal(numbers);
                }

                long first = group * NumbersAGroup;
                int take = (int)Math.Min(NumbersAGroup, Count - first);
                for (int i = 0; i < take; i++)
                {
                    Y[first + i] = T.CreateTruncating(Offset + (Factor * numbers[i]));
                }
            }
        }

        private static void ToNormal(double* numbers)
        {
            for (int i = 0; i < NumbersAGroup; i += 2)
            {
                double radius = Math.Sqrt(-2 * Math.Log(1 - numbers[i]));
                (double sin, double cos) = Math.SinCos(2 * Math.PI * numbers[i + 1]);
                numbers[i] = radius * cos;
                numbers[i + 1] = radius * sin;
            }
        }
    }
}
