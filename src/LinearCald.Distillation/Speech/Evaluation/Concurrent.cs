using System.Runtime.ExceptionServices;

namespace LinearCald.Distillation.Speech.Evaluation;

/// <summary>Independent work on several threads.</summary>
internal static class Concurrent
{
    /// <summary>The results of some calls in order. If any fail, the first of these in order is the one that is thrown, as in a loop.</summary>
    public static T[] Select<T>(int count, Func<int, T> make)
    {
        T[] results = new T[count];
        ExceptionDispatchInfo?[] failures = new ExceptionDispatchInfo?[count];
        Parallel.For(0, count, i =>
        {
            try
            {
                results[i] = make(i);
            }
            catch (Exception e)
            {
                failures[i] = ExceptionDispatchInfo.Capture(e);
            }
        });
        Array.Find(failures, failure => failure is not null)?.Throw();
        return results;
    }
}
