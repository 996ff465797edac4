using System.Diagnostics;
using System.Globalization;
using LinearCald.Distillation.Reporting;
using LinearCald.Models.Language;
using LinearCald.Models.Language.Generation;
using LinearCald.Tensors;

namespace LinearCald.Cli.Commands;

/// <summary>Time of a token against its position: at the beginning of a text and far into it.</summary>
internal static class GenerationBenchmark
{
    private const int Tokens = 100;
    private const int Far = 8000;

    /// <summary>Times both stretches, alternately, three times; prints the medians and their ratio.</summary>
    public static int Run(Session session, CausalLanguageModel model, Device device, DType? type)
    {
        int far = Math.Min(Far, (model.MaximumPositions ?? int.MaxValue) - Tokens);
        if (far < Tokens)
            throw new CaldException($"{model.MaximumPositions} positions of this {model.Architecture} are too few to time {Tokens} tokens at two places");
        List<double> near = [], later = [];
        long state = 0, laterState = 0;
        for (int round = 0; round < 3; round++)
        {
            near.AddRange(Time(model, device, type, 1, out state));
            later.AddRange(Time(model, device, type, far, out laterState));
        }

        Print(session, "1-100", near, state, 1);
        Print(session, $"{far + 1}-{far + Tokens}", later, laterState, Median(later) / Median(near));
        return CommandLine.Done;
    }

    // Milliseconds of each of the tokens behind a prompt of so many.
    private static double[] Time(CausalLanguageModel model, Device device, DType? type, int prompt, out long state)
    {
        int[] tokens = [.. Enumerable.Range(0, prompt).Select(i => 1 + ((i * 7919) % (model.VocabularySize - 1)))];
        using TokenGenerator generator = new(model, device, tokens, new GenerationOptions { MaxNewTokens = Tokens }, type);
        double[] times = new double[Tokens - 1];
        generator.Next();
        for (int i = 0; i < times.Length; i++)
        {
            long start = Stopwatch.GetTimestamp();
            generator.Next();
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        state = generator.StateBytes;
        return times;
    }

    private static void Print(Session session, string positions, List<double> times, long state, double ratio)
    {
        double median = Median(times);
        session.Terminal.Out.WriteLine(session.Json
            ? new JsonLine().Add("op", "generate").Add("positions", positions).Add("ms_per_token", median).Add("ratio", ratio).Add("state_bytes", state).ToString()
            : string.Create(CultureInfo.InvariantCulture, $"tokens {positions,-9}  {median:F3} ms a token  {1000 / median,8:F1} tokens/s  state {state / 1024.0,10:N1} KiB  {ratio:F3} times the first"));
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
