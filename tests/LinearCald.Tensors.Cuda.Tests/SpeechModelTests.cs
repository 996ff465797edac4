using FsCheck.Fluent;
using LinearCald.Models.Wav2Vec2;
using LinearCald.Nn;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Testing.Ptx;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>The feature encoder of a Wav2Vec2 as PTX in the emulator, in reduced precision, against the CPU in float32.</summary>
public sealed class SpeechModelTests : IDisposable
{
    private const int Samples = 120;

    private readonly EmulatorAccelerator _accelerator = new();
    private readonly GpuDevice _device;

    public SpeechModelTests() => _device = new GpuDevice(_accelerator) { PoisonMemory = true };

    public void Dispose() => _accelerator.Dispose();

    /// <summary>
    /// In bf16 the encoder keeps 11 digits, and its gradients do so whatever their size: those of a loss over many frames lie far below the smallest number of float16.
    /// The errors seen are up to 1.1e-3 in features and 2.1e-3 in gradients; with bfloat16's 8 digits they would be eight times that.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Features_in_bf16_are_as_good_as_in_fp16(bool large)
    {
        using Wav2Vec2ForCTC cpu = new(BuildContext.For(Device.Parse("cpu"), 3), Config(large)), gpu = new(BuildContext.For(_device, 3), Config(large));
        Prop.ForAll(Gen.Choose(0, 10_000).ToArbitrary(), Gen.Choose(-18, 6).ToArbitrary(), (seed, exponent) =>
        {
            double size = Math.Pow(10, exponent);
            SortedDictionary<string, double[]> expected = Step(cpu, null, seed, size), actual = Step(gpu, DType.BFloat16, seed, size);
            Assert.Equal(expected.Keys, actual.Keys);
            double features = Error("features"), gradients = Math.Sqrt(expected.Keys.Where(name => name != "features").Average(name => Error(name) * Error(name)));
            Assert.True(features < 2e-3 && gradients < 4e-3, $"errors of {features:G3} and {gradients:G3} with gradients of {size:G1}");

            double Error(string name) => Distance(expected[name], actual[name]) / Distance(expected[name], new double[expected[name].Length]);
        }).Holds(3);
    }

    [Fact]
    public void Features_are_the_same_with_a_tape_and_without()
    {
        using Wav2Vec2ForCTC gpu = new(BuildContext.For(_device, 3), Config(false));
        using MemoryScope scope = MemoryScope.Begin();
        ForwardContext context = new() { ComputeType = DType.BFloat16 };
        Tensor plain = gpu.Features(Wave(_device, 1), context);
        using Tape tape = Tape.Record();
        Tensor recorded = gpu.Features(Wave(_device, 1), context);
        Assert.Equal((DType.Float32, DType.Float32), (plain.Type, recorded.Type));
        Assert.Equal(plain.ToArray<float>(), recorded.ToArray<float>());
    }

    private static Wav2Vec2Config Config(bool large) => new()
    {
        VocabularySize = 7,
        HiddenSize = 16,
        Layers = 1,
        Heads = 2,
        IntermediateSize = 16,
        ConvolutionChannels = [8, 16, 8],
        ConvolutionKernels = [4, 3, 2],
        ConvolutionStrides = [3, 2, 2],
        PositionKernel = 6,
        PositionGroups = 2,
        LayerNormFeatures = large,
        ConvolutionBias = large,
        StableLayerNorm = large,
    };

    private static Tensor Wave(Device device, int seed)
    {
        Random random = new(seed);
        return Tensor.From(device, new Shape(2, Samples), [.. Enumerable.Range(0, 2 * Samples).Select(t => (float)(Math.Sin(t * 0.3) + random.NextDouble() - 0.5))]);
    }

    /// <summary>Features, and the gradients of the encoder's parameters from random gradients of a size.</summary>
    private static SortedDictionary<string, double[]> Step(Wav2Vec2ForCTC model, DType? type, int seed, double size)
    {
        using MemoryScope scope = MemoryScope.Begin();
        using Tape tape = Tape.Record();
        Device device = model.NamedParameters().First().Parameter.Value.Device;
        Tensor features = model.Features(Wave(device, seed), new ForwardContext { ComputeType = type });
        SortedDictionary<string, double[]> results = new(StringComparer.Ordinal) { ["features"] = Values(features, 1) };
        Random random = new(seed + 1);
        float[] gradient = [.. Enumerable.Range(0, (int)features.Count).Select(_ => (float)(size * (random.NextDouble() - 0.3)))];
        tape.Backward(features, Tensor.From(device, features.Shape, gradient));
        foreach ((string name, Parameter parameter) in model.NamedParameters().Where(p => Wav2Vec2Files.IsFeatureEncoder(p.Name)))
        {
            results.Add(name, Values(parameter.Value.Gradient!, 1 / size));
        }

        model.ClearGradients();
        return results;
    }

    private static double[] Values(Tensor x, double factor) => Array.ConvertAll(x.ToArray<float>(), v => v * factor);

    private static double Distance(double[] a, double[] b) => Math.Sqrt(a.Zip(b, (x, y) => (x - y) * (x - y)).Sum());
}
