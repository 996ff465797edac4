using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

public sealed unsafe class GemmEpilogueTests
{
    private static readonly WorkerPool s_pool = new(2);

    public static TheoryData<int, int, int> Shapes => new() { { 1, 1, 1 }, { 5, 33, 7 }, { 14, 64, 0 }, { 64, 96, 2048 }, { 300, 260, 600 }, { 29, 47, 530 } };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ActivationSeesBiasAndKeepsWhatItSaw(int m, int n, int k)
    {
        Check(m, n, k, default(Gelu<float>), x => 0.5 * x * (1 + VectorMath.Erf(x / Math.Sqrt(2))));
        Check(m, n, k, default(GeluTanh<float>), x => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))));
        Check(m, n, k, default(Silu<float>), x => x / (1 + Math.Exp(-x)));
        Check(m, n, k, default(Relu<float>), x => Math.Max(x, 0));
        Check(m, n, k, default(Tanh<float>), Math.Tanh);
    }

    private static void Check<TActivation>(int m, int n, int k, TActivation activation, Func<double, double> reference)
        where TActivation : struct, IUnaryOperator<float>
    {
        using GemmCase<float> g = new(false, true, m, n, k, 2, 0.3, 0, 11);
        float* plain = g.CopyC();
        g.Run(s_pool, plain);
        float* before = g.CopyC();
        float* bare = g.CopyC();
        Run(g, bare, new ActivationEpilogue<float, TActivation>(null, activation));
        Run(g, g.C, new ActivationEpilogue<float, TActivation>(g.Bias, activation, before, g.LdC));
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                int at = (i * g.LdC) + j;
                Assert.Equal(plain[at] + g.Bias[j], before[at]);
                Assert.Equal(reference(before[at]), g.C[at], 1e-5);
                Assert.Equal(reference(plain[at]), bare[at], 1e-5);
            }
        }
    }

    private static void Run<TEpilogue>(GemmCase<float> g, float* c, TEpilogue epilogue)
        where TEpilogue : struct, IEpilogue<float>
        => Gemm.Run(s_pool, g.TransA, g.TransB, g.M, g.N, g.K, g.Alpha, g.A, g.LdA, g.B, g.LdB, g.Beta, c, g.LdC, in epilogue);
}
