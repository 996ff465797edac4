namespace LinearCald.Tensors;

/// <summary>Names one sequence of random numbers of the counter-based generator: the same key gives the same numbers on every device, whatever the threads.</summary>
/// <param name="Seed">The user's seed, perhaps combined with a purpose.</param>
/// <param name="Stream">Which sequence under that seed.</param>
public readonly record struct RandomKey(ulong Seed, ulong Stream);

/// <summary>
/// Hands out keys one after another. Its state is one number, so that a resumed run continues with the same keys: <see cref="Seek"/> at the start
/// of a step makes the keys of a step depend on nothing but seed and step.
/// </summary>
public sealed class RandomGenerator
{
    public RandomGenerator(ulong seed) => Seed = seed;

    public ulong Seed { get; }

    /// <summary>The stream the next key will have.</summary>
    public ulong Position { get; private set; }

    public RandomKey Next() => new(Seed, Position++);

    /// <summary>Continues at a given position.</summary>
    public void Seek(ulong position) => Position = position;

    /// <summary>Continues at the first key reserved for a part (a micro-batch) of a step: 2³² keys a step, 2²⁰ a part.</summary>
    public void SeekStep(long step, int part = 0) => Position = FirstOf(step, part);

    /// <summary>The first stream reserved for a step, or for a part of it.</summary>
    public static ulong FirstOf(long step, int part = 0) => ((ulong)step << 32) + ((ulong)part << 20);
}
