using LinearCald.Distillation.Training;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Tests.Training;

/// <summary>Two layers, x → x w₀ → (x w₀) w₁, whose numbers break at places of the test's choosing.</summary>
public sealed class DivergenceReportTests : IDisposable
{
    private static readonly Device Cpu = Device.Parse("cpu");
    private readonly MemoryScope _scope = MemoryScope.Begin();
    private readonly TwoLayers _model = new();

    [Fact]
    public void Finite_numbers_have_no_report() => Assert.Null(Run([1, 2], [1, 1], [1, 1], 1));

    [Fact]
    public void The_first_broken_tensor_of_the_forward_pass_is_named()
    {
        DivergenceReport parameter = Run([1, 2], [1, float.NaN], [1, 1], 1)!;
        Assert.Equal(("model.layers.0.weight", false, 0, 1L, 0L, 2L), (parameter.Name, parameter.IsGradient, parameter.Layer, parameter.NotNumbers, parameter.Infinite, parameter.Count));
        Assert.Equal("embeddings", Run([1, float.PositiveInfinity], [1, 1], [1, 1], 1)!.Name);
        DivergenceReport state = Run([1, 2], [1, 1], [1, 3e38f], 1)!; // 2 · 3e38
        Assert.Equal(("layer 2", 2, 0L, 1L), (state.Name, state.Layer, state.NotNumbers, state.Infinite));
        Assert.Equal("loss", Run([1, 1], [1, 1], [3e38f, 3e38f], 1)!.Name);
    }

    [Fact]
    public void A_broken_gradient_is_named_where_the_backward_pass_met_it_first()
    {
        // The gradient at the output is 1e30; times w₁ = 1e10 it overflows on the way to the first layer only.
        DivergenceReport report = Run([1, 2], [1, 1], [1e10f, 1e10f], 1e30)!;
        Assert.Equal(("model.layers.0.weight", true, 0, 1), (report.Name, report.IsGradient, report.Layer, report.Gradients));
        Assert.Equal("the first tensor that is not finite is the gradient of model.layers.0.weight: 0 NaN and 2 infinite values of 2; 1 parameter has a gradient that is not finite", report.ToString());
        DivergenceReport both = Run([1, 2], [1, 1], [1, 1], double.PositiveInfinity)!;
        Assert.Equal(("model.layers.1.weight", 2), (both.Name, both.Gradients));
    }

    public void Dispose()
    {
        _model.Dispose();
        _scope.Dispose();
    }

    private DivergenceReport? Run(float[] x, float[] first, float[] second, double seed)
    {
        Parameter[] weights = [.. _model.NamedParameters().Select(p => p.Parameter)];
        weights[0].Value.Set<float>(first);
        weights[1].Value.Set<float>(second);
        _model.ClearGradients();
        using Tape tape = Tape.Record();
        Tensor embeddings = Tensor.From(Cpu, new Shape(1, 2), x);
        Tensor middle = embeddings.Multiply(weights[0].Value);
        Tensor last = middle.Multiply(weights[1].Value);
        Tensor loss = last.Sum();
        Tensor[] kept = [embeddings, Copy(middle), Copy(last)];
        Tensor value = Copy(loss);
        tape.Backward(loss, Tensor.Full(Cpu, DType.Float32, loss.Shape, seed));
        return DivergenceReport.Find(_model.NamedParameters(), kept, [("loss", value)]);
    }

    /// <summary>The backward pass gives the memory of what it has used back.</summary>
    private static Tensor Copy(Tensor x)
    {
        Tensor copy = Tensor.Empty(Cpu, x.Type, x.Shape);
        copy.CopyFrom(x);
        return copy;
    }

    private sealed class TwoLayers : Module
    {
        public TwoLayers()
        {
            BuildContext context = BuildContext.For(Cpu, 1);
            AddModule("model", new Layers(context));
        }

        private sealed class Layers : Module
        {
            public Layers(BuildContext context)
            {
                for (int i = 0; i < 2; i++)
                {
                    AddModule($"layers.{i}", new Layer(context));
                }
            }
        }

        private sealed class Layer : Module
        {
            public Layer(BuildContext context) => AddParameter("weight", context, new Shape(2), Initialisers.Constant(1));
        }
    }
}
