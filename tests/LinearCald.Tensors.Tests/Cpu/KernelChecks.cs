using LinearCald.Tensors.Cpu;
using LinearCald.Tensors.Tests.Ops;

namespace LinearCald.Tensors.Tests.Cpu;

/// <summary>The properties of the kernels' own tests, to be run once more under other conditions.</summary>
internal static class KernelChecks
{
    /// <summary>Element and row kernels, convolutions, scans, losses, the optimiser.</summary>
    public static void All()
    {
        VectorMathTests math = new();
        math.Float32_is_within_a_few_ulp_at_every_width("Exp", -104.5, 89.5, 1.5);
        math.Float32_is_within_a_few_ulp_at_every_width("Exp2", -150.5, 128.5, 1.5);
        math.Float32_is_within_a_few_ulp_at_every_width("Tanh", -12, 12, 3);
        math.Float32_is_within_a_few_ulp_at_every_width("Erf", -5, 5, 6);
        math.Limits_and_NaN();

        UnaryTests unary = new();
        foreach (string kind in (string[])[nameof(UnaryKind.Gelu), nameof(UnaryKind.Softplus), nameof(UnaryKind.Relu)])
        {
            unary.Forward_agrees_with_its_reference(kind);
            unary.Gradient_is_the_central_difference_in_float64(kind);
        }

        BinaryTests binary = new();
        binary.Same_shape_and_scalar_agree_with_the_reference(nameof(BinaryKind.Divide));
        binary.Broadcasts_agree_with_the_reference(nameof(BinaryKind.Divide));
        binary.Linear_combinations();

        ReduceTests reduce = new();
        reduce.Whole_buffers();
        reduce.A_long_sum_of_one_sign_is_accurate();
        reduce.Rows();
        reduce.Columns();

        SoftmaxTests softmax = new();
        softmax.Forward_and_backward_agree_with_the_reference();
        softmax.Extremes();
        foreach (bool flag in (bool[])[false, true])
        {
            new EmbeddingTests().Forward_and_gradient_are_the_reference_bit_for_bit(flag);
            new LayerMseTests().Forward_and_gradient_agree_with_the_reference(flag);
        }

        new CrossEntropyTests().Forward_and_gradient_agree_with_the_reference();
        new KlDivergenceTests().Forward_and_gradient_agree_with_the_reference();
        new LabelScoreTests().Scores_agree_with_the_reference();
        AdamWTests adam = new();
        adam.Updates_agree_with_the_reference();
        adam.Sums_of_squares_agree_with_the_reference();
        new LayerNormTests().Forward_and_backward_agree_with_the_reference();
        new ResidualLayerNormTests().Is_dropout_then_a_sum_then_layer_norm();
        new RmsNormTests().Forward_and_backward_agree_with_the_reference();
        new RotaryTests().Splits_and_joins_like_the_reference();
        CausalConvTests convolution = new();
        convolution.Forward_agrees_with_the_reference();
        convolution.Backward_agrees_with_the_reference();
        new Conv1dTests().Products_agree_with_the_reference();
        new GroupNormTests().Forward_and_backward_agree_with_the_reference();
        new WeightNormTests().Forward_and_backward_agree_with_the_reference();
        new RowSelectionTests().Agrees_with_the_reference();
        new PhiloxTests().A_group_holds_the_words_of_its_indices();
        DropoutTests dropout = new();
        dropout.Agrees_with_the_reference();
        dropout.Any_stretch_of_a_mask_is_that_of_the_whole();
        new SelectiveScanTests().Forward_and_backward_agree_with_the_reference();
        SsdScanTests ssd = new();
        ssd.Any_chunking_is_the_recurrence();
        ssd.Gradients_do_not_depend_on_chunks_and_survive_float32();
        CtcLossTests ctc = new();
        ctc.Losses_and_gradient_agree_with_the_reference();
        ctc.Unlikely_targets_keep_their_accuracy_in_float32();
        ctc.Extreme_logits();
    }
}
