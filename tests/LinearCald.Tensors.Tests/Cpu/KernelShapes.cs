using System.Runtime.CompilerServices;
using FsCheck.Fluent;

namespace LinearCald.Tensors.Tests.Cpu;

/// <summary>Random shapes for property tests: mostly small and odd, some as long as a whole piece of parallel work.</summary>
internal static class KernelShapes
{
    /// <summary>Shapes that a property is checked on.</summary>
    public static int Cases { get; set; } = 50;

    /// <summary>Checks <paramref name="property"/> on lengths from 0 and a seed.</summary>
    public static void ForAllLengths(Action<int, int> property, [CallerMemberName] string test = "") =>
        Prop.ForAll(
            Arb.From(Gen.Frequency((6, Gen.Choose(0, 70)), (2, Gen.Choose(71, 1100)), (1, Gen.Choose(16000, 40000)))),
            Arb.From(Gen.Choose(0, 1_000_000)),
            (length, seed) => property(length, seed)).Holds(Cases, test);

    /// <summary>Checks <paramref name="property"/> on (rows, columns, seed), rows from 0 and columns from 1.</summary>
    public static void ForAllMatrices(Action<int, int, int> property, [CallerMemberName] string test = "") =>
        Prop.ForAll(
            Arb.From(Gen.Frequency((6, Gen.Choose(0, 9)), (2, Gen.Choose(10, 60)), (1, Gen.Choose(200, 700)))),
            Arb.From(Gen.Frequency((1, Gen.Constant(1)), (6, Gen.Choose(1, 70)), (2, Gen.Choose(71, 300)), (1, Gen.Choose(500, 1100)))),
            Arb.From(Gen.Choose(0, 1_000_000)),
            (rows, columns, seed) => property(rows, columns, seed)).Holds(Cases, test);
}
