using LinearCald.Data.Batching;
using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;

namespace LinearCald.Distillation.Tests.Training;

/// <summary>Which examples come when, and after which updates something happens.</summary>
public sealed class UpdateOrderTests
{
    [Fact]
    public void BatchesAreCutIntoMicroBatchesAndGoOnOverEpochs()
    {
        UpdateOrder order = UpdateOrder.Of(BatchSampler.Sequential(new int[10], 4, sortByLength: false), 3);
        Assert.Equal(3, order.UpdatesPerEpoch);
        Assert.Equal([[0, 1, 2], [3]], Of(0));
        Assert.Equal([[4, 5, 6], [7]], Of(1));
        Assert.Equal([[8, 9]], Of(2));
        Assert.Equal(Of(0), Of(3));

        int[][] Of(int completed) => [.. order.MicroBatches(completed).Select(m => m.ToArray())];
    }

    [Theory]
    [InlineData(0, 2, new[] { 5, 10, 15, 20 })] // twice in each epoch of ten
    [InlineData(0, 3, new[] { 4, 8, 10, 14, 18, 20 })] // at its end too
    [InlineData(7, 2, new[] { 7, 14 })] // whatever the epochs
    public void EvaluationsAndWaypointsComeByEpochOrByUpdate(int every, int perEpoch, int[] expected)
    {
        TeacherRecipe recipe = new() { EvaluateEvery = every, EvaluationsPerEpoch = perEpoch, WaypointEvery = every, WaypointsPerEpoch = perEpoch };
        Assert.Equal(expected, Enumerable.Range(1, 20).Where(step => recipe.IsEvaluation(step, 10)));
        Assert.Equal(expected, Enumerable.Range(1, 20).Where(step => recipe.IsWaypoint(step, 10)));
    }

    [Fact]
    public void NoWaypointsUnlessAsked() =>
        Assert.DoesNotContain(Enumerable.Range(1, 20), step => new TeacherRecipe { WaypointsPerEpoch = 0 }.IsWaypoint(step, 10));

    [Theory]
    [InlineData("a.bias", false)]
    [InlineData("wav2vec2.encoder.layers.0.attention.bw_mamba.conv1d.bias", false)]
    [InlineData("wav2vec2.encoder.layers.0.attention.fw_mamba.dt_bias", true)]
    [InlineData("wav2vec2.encoder.layers.0.attention.bw_mamba.norm.weight", true)]
    [InlineData("wav2vec2.masked_spec_embed", true)]
    [InlineData("wav2vec2.encoder.layers.0.layer_norm.weight", false)]
    [InlineData("wav2vec2.encoder.layers.0.final_layer_norm.weight", true)]
    [InlineData("wav2vec2.encoder.layers.0.attention.fw_mamba.A_log", true)]
    [InlineData("lm_head.weight", true)]
    public void TheReferencesSpeechScriptDecaysAlmostEverything(string parameter, bool decayed)
    {
        using TaskModel model = new Classification.ClassifierModel(TinyTask.Student(3, 0));
        Assert.Equal(decayed, model.IsDecayed(parameter, DecayRule.Whole));
    }
}
