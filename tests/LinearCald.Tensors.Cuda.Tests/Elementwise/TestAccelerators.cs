using LinearCald.Gpu;
using LinearCald.Testing.Ptx;

namespace LinearCald.Tensors.Cuda.Tests.Elementwise;

/// <summary>The devices that every test body runs on.</summary>
internal static class TestAccelerators
{
    public static TheoryData<string> Names => ["debug", "debug shuffled", "emulator"];

    /// <summary>True where lanes are threads, which hand over at every barrier: only small and few problems finish in seconds.</summary>
    public static bool IsSlow(string name) => name != "emulator";

    public static Accelerator Open(string name) => name switch
    {
        "debug" => new DebugAccelerator(),
        "debug shuffled" => new DebugAccelerator(new DebugOptions { Order = LaneOrder.Shuffled, Seed = 7 }),
        "emulator" => new EmulatorAccelerator(),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such device"),
    };
}
