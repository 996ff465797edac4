using System.Globalization;
using System.Runtime.CompilerServices;
using FsCheck;

namespace LinearCald.Testing;

/// <summary>
/// Runs properties on random cases. The cases are the same in every run, so that a build that passed passes again; the variable CALD_TEST_SEED gives others: a number,
/// or <c>random</c> for new ones each time. A failure prints what replays it.
/// </summary>
public static class Properties
{
    private const string Variable = "CALD_TEST_SEED";

    /// <summary>Throws unless the property holds for all cases.</summary>
    /// <param name="property">What must hold.</param>
    /// <param name="cases">How many are drawn.</param>
    /// <param name="test">The name of the caller: other tests draw other cases.</param>
    public static void Holds(this Property property, int cases = 100, [CallerMemberName] string test = "")
    {
        Config config = Config.QuickThrowOnFailure.WithMaxTest(cases);
        property.Check(Seed(test) is { } seed ? config.WithReplay(seed, 1) : config);
    }

    /// <summary><see cref="Holds"/>, for a property that is long.</summary>
    public static void Check(int cases, Property property, [CallerMemberName] string test = "") => property.Holds(cases, test);

    /// <summary>The seed of a test's cases; null for new ones each time.</summary>
    private static ulong? Seed(string test)
    {
        string? wish = Environment.GetEnvironmentVariable(Variable);
        if (string.Equals(wish, "random", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        ulong hash = 14695981039346656037; // FNV-1a
        foreach (char c in test)
        {
            hash = (hash ^ c) * 1099511628211;
        }

        return string.IsNullOrEmpty(wish)
            ? hash
            : ulong.TryParse(wish, CultureInfo.InvariantCulture, out ulong number)
                ? hash ^ (number * 0x9E3779B97F4A7C15)
                : throw new CaldException($"{Variable} is '{wish}'; set it to a whole number or to random");
    }
}
