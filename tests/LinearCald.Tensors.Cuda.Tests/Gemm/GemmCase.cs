using System.Runtime.InteropServices;
using LinearCald.Gpu;
using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Cuda.Kernels;
using LinearCald.Tensors.Ops;

namespace LinearCald.Tensors.Cuda.Tests;

/// <summary>
/// One matrix product with random values, run on a device and compared with a plain triple loop in double over the values as stored. Rows may be longer than
/// needed and matrices may start at an odd element; what lies between must not be read into results nor written.
/// </summary>
internal sealed class GemmCase(GemmProblem problem, int seed)
{
    private const float Untouched = 123;

    private readonly Random _random = new(seed);

    /// <summary>Elements before the first of each operand.</summary>
    public int Offset { get; init; }

    /// <summary>Adds a bias.</summary>
    public bool Bias { get; init; }

    /// <summary>Asks for the activation's argument too.</summary>
    public bool Pre { get; init; }

    /// <summary>How the product is cut; by the table if none is given.</summary>
    public GemmPlan? Plan { get; init; }

    /// <summary>Runs and compares; throws if ‖c − reference‖ / ‖reference‖ passes the budget or memory between rows changed.</summary>
    public void Check(Accelerator accelerator, double budget)
    {
        DType operand = problem.Precision switch
        {
            GemmPrecision.BFloat16 => DType.BFloat16,
            GemmPrecision.Half => DType.Float16,
            _ => DType.Float32,
        };
        float[] a = Values(operand, Stored(problem.TransposeA ? problem.K : problem.M, problem.TransposeA ? problem.M : problem.K, problem.LeadingA, problem.StrideA));
        float[] b = Values(operand, Stored(problem.TransposeB ? problem.N : problem.K, problem.TransposeB ? problem.K : problem.N, problem.LeadingB, problem.StrideB));
        float[] bias = Values(problem.Float32Bias ? DType.Float32 : problem.Output, problem.N);
        long size = Stored(problem.M, problem.N, problem.LeadingC, problem.StrideC);
        float[] c = Values(problem.Output, size);
        float[] pre = [.. Enumerable.Repeat(Untouched, (int)size)];
        for (long i = 0; i < size; i++)
        {
            if (!Inside(i))
            {
                c[i] = Untouched;
            }
        }

        using DeviceBuffer<byte> deviceA = Upload(accelerator, operand, a);
        using DeviceBuffer<byte> deviceB = Upload(accelerator, operand, b);
        using DeviceBuffer<byte> deviceC = Upload(accelerator, problem.Output, c);
        using DeviceBuffer<byte> devicePre = Upload(accelerator, problem.Output, pre);
        using DeviceBuffer<byte> deviceBias = Upload(accelerator, problem.Float32Bias ? DType.Float32 : problem.Output, bias);
        GemmOperands operands = new(
            deviceA.Address + (Offset * operand.Size()),
            deviceB.Address + (Offset * operand.Size()),
            deviceC.Address + (Offset * problem.Output.Size()),
            Bias ? deviceBias.Address + (Offset * (problem.Float32Bias ? 4 : problem.Output.Size())) : 0,
            Pre ? devicePre.Address + (Offset * problem.Output.Size()) : 0);
        if (Plan is { } plan)
        {
            GemmLauncher.Run(accelerator, problem, operands, plan);
        }
        else
        {
            GemmLauncher.Run(accelerator, problem, operands);
        }

        float[] actual = Download(problem.Output, deviceC);
        float[] actualPre = Download(problem.Output, devicePre);
        double[] argument = new double[size];
        double[] result = new double[size];
        Reference(a, b, bias, c, argument, result);
        Compare("result", actual, result, c, budget);
        Compare("pre-activation", actualPre, Pre ? argument : [.. pre.Select(v => (double)v)], pre, budget);
    }

    private void Reference(float[] a, float[] b, float[] bias, float[] c, double[] argument, double[] result)
    {
        for (int batch = 0; batch < problem.Batch; batch++)
        {
            for (int i = 0; i < problem.M; i++)
            {
                for (int j = 0; j < problem.N; j++)
                {
                    double sum = 0;
                    for (int k = 0; k < problem.K; k++)
                    {
                        double x = a[(batch * problem.StrideA) + (problem.TransposeA ? ((long)k * problem.LeadingA) + i : ((long)i * problem.LeadingA) + k)];
                        double y = b[(batch * problem.StrideB) + (problem.TransposeB ? ((long)j * problem.LeadingB) + k : ((long)k * problem.LeadingB) + j)];
                        sum += x * y;
                    }

                    long at = (batch * problem.StrideC) + ((long)i * problem.LeadingC) + j;
                    double value = problem.Alpha * sum;
                    value += problem.Accumulate ? c[at] : 0;
                    value += Bias ? bias[j] : 0;
                    argument[at] = value;
                    result[at] = Activate(problem.Activation, value);
                }
            }
        }
    }

    private static double Activate(Activation f, double x) => f switch
    {
        Activation.GeluErf => 0.5 * x * (1 + VectorMath.Erf(x / Math.Sqrt(2))),
        Activation.GeluTanh => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
        Activation.Silu => x / (1 + Math.Exp(-x)),
        Activation.Relu => Math.Max(x, 0),
        Activation.Tanh => Math.Tanh(x),
        Activation.Sigmoid => 1 / (1 + Math.Exp(-x)),
        Activation.Square => x * x,
        Activation.Softplus => Math.Log(1 + Math.Exp(x)),
        Activation.None => x,
        _ => throw new ArgumentOutOfRangeException(nameof(f)),
    };

    private bool Inside(long index)
    {
        if (problem.StrideC == 0)
        {
            return (index % problem.LeadingC) < problem.N;
        }

        long within = index % problem.StrideC;
        return within / problem.LeadingC < problem.M && within % problem.LeadingC < problem.N;
    }

    private void Compare(string what, float[] actual, double[] expected, float[] before, double budget)
    {
        double difference = 0;
        double norm = 0;
        List<string> wrong = [];
        double scale = expected.Length == 0 ? 0 : Math.Sqrt(expected.Average(e => e * e));
        for (int i = 0; i < actual.Length; i++)
        {
            if (!Inside(i))
            {
                Assert.True(actual[i] == before[i], $"{what}: element {i} lies between rows and was changed ({problem})");
                continue;
            }

            difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            norm += expected[i] * expected[i];
            if (!(Math.Abs(actual[i] - expected[i]) <= 10 * budget * scale))
            {
                wrong.Add($"[{i / problem.LeadingC}, {i % problem.LeadingC}] {actual[i]:G5} for {expected[i]:G5}");
            }
        }

        double error = Math.Sqrt(difference / Math.Max(norm, 1e-30));
        Assert.True(error <= budget, $"{what}: error {error:E2} of {budget:E0} ({problem}, offset {Offset}, bias {Bias}, plan {Plan}); {wrong.Count} far off: {string.Join("; ", wrong.Where((_, i) => i % Math.Max(1, wrong.Count / 12) == 0))}");
    }

    private long Stored(int rows, int columns, int leading, long stride) => problem.Batch == 0 || rows == 0 || columns == 0
        ? 0
        : ((problem.Batch - 1) * stride) + ((rows - 1L) * leading) + columns;

    private float[] Values(DType type, long count)
    {
        float[] values = new float[count];
        for (long i = 0; i < count; i++)
        {
            float value = (float)((_random.NextDouble() + _random.NextDouble() + _random.NextDouble() - 1.5) * 2);
            values[i] = type switch
            {
                DType.BFloat16 => (float)(BFloat16)value,
                DType.Float16 => (float)(Half)value,
                _ => value,
            };
        }

        return values;
    }

    private DeviceBuffer<byte> Upload(Accelerator accelerator, DType type, float[] values)
    {
        byte[] bytes = type switch
        {
            DType.BFloat16 => [.. MemoryMarshal.AsBytes<BFloat16>(values.Select(v => (BFloat16)v).ToArray())],
            DType.Float16 => [.. MemoryMarshal.AsBytes<Half>(values.Select(v => (Half)v).ToArray())],
            _ => [.. MemoryMarshal.AsBytes<float>(values)],
        };
        byte[] shifted = new byte[bytes.Length + (Offset * type.Size())];
        bytes.CopyTo(shifted, Offset * type.Size());
        return accelerator.Allocate<byte>(shifted);
    }

    private float[] Download(DType type, DeviceBuffer<byte> buffer)
    {
        ReadOnlySpan<byte> bytes = buffer.ToArray().AsSpan(Offset * type.Size());
        return type switch
        {
            DType.BFloat16 => MemoryMarshal.Cast<byte, BFloat16>(bytes).ToArray().Select(v => (float)v).ToArray(),
            DType.Float16 => MemoryMarshal.Cast<byte, Half>(bytes).ToArray().Select(v => (float)v).ToArray(),
            _ => MemoryMarshal.Cast<byte, float>(bytes).ToArray(),
        };
    }
}
