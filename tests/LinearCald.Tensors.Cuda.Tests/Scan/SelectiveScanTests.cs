using FsCheck;
using FsCheck.Fluent;
using LinearCald.Gpu;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Cuda.Tests.Elementwise;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;
using LinearCald.Testing.Ptx;

namespace LinearCald.Tensors.Cuda.Tests.Scan;

/// <summary>The selective scan and its gradient against the CPU's.</summary>
public sealed class SelectiveScanTests
{
    public static TheoryData<string, DType> DevicesAndTypes
    {
        get
        {
            TheoryData<string, DType> data = new() { { "debug", DType.BFloat16 } };
            foreach (DType type in (DType[])[DType.Float32, DType.BFloat16, DType.Float16])
            {
                data.Add("emulator", type);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(DevicesAndTypes))]
    public void Random_shapes(string name, DType type)
    {
        using Accelerator accelerator = TestAccelerators.Open(name);
        GpuDevice device = new(accelerator) { PoisonMemory = true };
        bool slow = TestAccelerators.IsSlow(name);
        Gen<Problem> cases =
            from batch in slow ? Gen.Choose(1, 2) : Gen.Elements(1, 2, 9) // nine give groups of 128 threads
            from length in Gen.Choose(2, slow ? 20 : batch > 2 ? 40 : 75)
            from channels in Gen.Choose(1, slow ? 9 : 35)
            from states in Gen.Elements(16, 16, 5)
            from parts in Gen.Choose(0, 127)
            select new Problem(batch, length, channels, states, parts);
        Prop.ForAll(cases.ToArbitrary(), p => DeviceCase.Compare(device, type, Budget(type), p.Run)).Holds(slow ? 2 : 6);
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.BFloat16)]
    public void Steps_after_a_prefix(DType type)
    {
        using EmulatorAccelerator accelerator = new();
        GpuDevice device = new(accelerator) { PoisonMemory = true };
        foreach (int states in (int[])[16, 3])
        {
            DeviceCase.Compare(device, type, Budget(type), c =>
            {
                Problem p = new(2, 9, 37, states, 15);
                Tensor state = Tensor.Zeros(c.Device, DType.Float32, new Shape(p.Batch, p.Channels, p.States));
                Inputs x = p.Make(c);
                Tensor last = x.U;
                using (Tape.Pause pause = Tape.Paused())
                {
                    x.Scan(0, 7, new() { Softplus = true, FinalState = state });
                    foreach (int at in (int[])[7, 8])
                    {
                        last = x.Scan(at, 1, new() { Softplus = true, InitialState = state, FinalState = state });
                    }
                }

                // what the steps gave, and what their state does to a recorded scan
                return x.Scan(0, 1, new() { Softplus = true, InitialState = state }).Add(last);
            });
        }
    }

    [Theory]
    [InlineData(31)]
    [InlineData(41)]
    public void Long_scans_of_few_channels_are_cut_in_time(int parts)
    {
        using EmulatorAccelerator accelerator = new();
        GpuDevice device = new(accelerator) { PoisonMemory = true };
        DeviceCase.Compare(device, DType.Float32, Budget(DType.Float32), c =>
        {
            Problem p = new(1, 800, 7, 16, parts);
            Tensor state = Tensor.Full(c.Device, DType.Float32, new Shape(1, 7, 16), 0.5);
            Inputs x = p.Make(c);
            SelectiveScanOptions options = p.Options(c) with { InitialState = state, FinalState = state };
            Tensor y;
            using (Tape.Paused())
            {
                y = x.Scan(0, 800, options); // leaves its last state where the next one begins
            }

            return x.Scan(0, 800, options).Add(y);
        });
    }

    [Fact]
    public void Every_schedule_gives_the_same_bits()
    {
        List<float[]> results = [];
        foreach (Schedule schedule in Enum.GetValues<Schedule>())
        {
            using EmulatorAccelerator accelerator = new(new EmulatorOptions { Schedule = schedule, Seed = 11 });
            GpuDevice device = new(accelerator) { PoisonMemory = true };
            using MemoryScope scope = MemoryScope.Begin();
            Tensor[] leaves = [Made(device, 1, 9, 34, 20), Made(device, 2, 9, 34, 16), Made(device, 3, 20, 16)];
            using (Tape tape = Tape.Record())
            {
                Tensor y = leaves[0].SelectiveScan(leaves[0], leaves[2].Apply(Activation.Square).Affine(-1, 0), leaves[1], leaves[1], null, leaves[0], null, new() { Softplus = true });
                tape.Backward(y, Made(device, 4, 9, 34, 20));
            }

            results.Add([.. leaves.SelectMany(l => l.Gradient!.ToArray<float>())]);
        }

        Assert.All(results, r => Assert.Equal(results[0], r));

        static Tensor Made(Device device, int seed, params ReadOnlySpan<int> extents)
        {
            Shape shape = new(extents);
            Random random = new(seed);
            Tensor x = Tensor.From(device, shape, Enumerable.Range(0, (int)shape.Count).Select(_ => random.NextSingle() - 0.5f).ToArray());
            x.RequiresGradient = true;
            return x;
        }
    }

    [Fact]
    public void Larger_states_are_refused()
    {
        using EmulatorAccelerator accelerator = new();
        GpuDevice device = new(accelerator);
        using MemoryScope scope = MemoryScope.Begin();
        Tensor u = Tensor.Zeros(device, DType.Float32, new Shape(1, 2, 3)), a = Tensor.Zeros(device, DType.Float32, new Shape(3, 17)), b = Tensor.Zeros(device, DType.Float32, new Shape(1, 2, 17));
        Assert.Contains("17 numbers", Assert.Throws<CaldException>(() => u.SelectiveScan(u, a, b, b, null, null, null, default)).Message, StringComparison.Ordinal);
    }

    private static double Budget(DType type) => type == DType.Float32 ? 1e-5 : type == DType.BFloat16 ? 1e-2 : 2e-3;

    /// <summary>A shape and which optional parts there are, by bits: D, z, bias, softplus, sequences, lengths, initial state.</summary>
    private sealed record Problem(int Batch, int Length, int Channels, int States, int Parts)
    {
        public Tensor Run(DeviceCase c) => Make(c).Scan(0, Length, Options(c));

        public SelectiveScanOptions Options(DeviceCase c) => new()
        {
            Softplus = (Parts & 8) != 0,
            Sequences = (Parts & 16) != 0 ? c.Ids(0, 2, Batch, Length) : null,
            Lengths = (Parts & 32) != 0 ? c.Ids(0, Length + 1, Batch) : null,
            InitialState = (Parts & 64) != 0 ? c.Parameter("initial", Batch, Channels, States) : null,
        };

        /// <summary>u and z are parts of one wider tensor.</summary>
        public Inputs Make(DeviceCase c)
        {
            Tensor wide = c.Data("wide", Batch, Length, (2 * Channels) + 1), delta = c.Data("delta", Batch, Length, Channels);
            return new Inputs(
                wide.Narrow(2, 0, Channels),
                (Parts & 8) != 0 ? delta : delta.Apply(Activation.Square),
                c.Parameter("a", Channels, States).Apply(Activation.Square).Affine(-1, -0.1),
                c.Data("b", Batch, Length, States),
                c.Data("c", Batch, Length, States),
                (Parts & 1) != 0 ? c.Parameter("d", Channels) : null,
                (Parts & 2) != 0 ? wide.Narrow(2, Channels + 1, Channels) : null,
                (Parts & 4) != 0 ? c.Parameter("bias", Channels).Apply(Activation.Square) : null);
        }
    }

    private sealed record Inputs(Tensor U, Tensor Delta, Tensor A, Tensor B, Tensor C, Tensor? D, Tensor? Z, Tensor? Bias)
    {
        public Tensor Scan(int start, int length, SelectiveScanOptions options)
        {
            return At(U).SelectiveScan(At(Delta), A, At(B), At(C), D, Z is null ? null : At(Z), Bias, options);

            Tensor At(Tensor x) => x.Narrow(1, start, length);
        }
    }
}
