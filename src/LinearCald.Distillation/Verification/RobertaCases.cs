using LinearCald.Distillation.Recipes;
using LinearCald.Distillation.Training;
using LinearCald.Models;
using LinearCald.Models.Roberta;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Distillation.Verification;

/// <summary>A golden RoBERTa: hidden states, logits, loss and the gradient of every parameter.</summary>
internal static class RobertaCases
{
    public static CaseResult Verify(Fixture fixture, Device device, Precision precision)
    {
        BuildContext context = BuildContext.For(device, 0);
        bool classifier = fixture.Inputs.Entry("labels").Shape.Length == 1;
        using PretrainedRoberta model = classifier
            ? RobertaFiles.LoadClassifier(fixture.Folder, context)
            : RobertaFiles.LoadMaskedLM(fixture.Folder, context);
        using MemoryScope scope = MemoryScope.Begin();
        using Tape tape = Tape.Record();
        RobertaInput input = RobertaInput.Create(model.Config, device, fixture.Integers("input_ids"), Lengths(fixture));
        ModelOutput output = model.Forward(input, new ForwardContext { HiddenStates = true, ComputeType = precision.ComputeType() });
        Tensor labels = fixture.Integer("labels", device);
        int classes = output.Logits.Shape.Last;
        Tensor loss = output.Logits.Reshape(-1, classes).CrossEntropy(labels.Reshape(-1));
        ErrorMeter meter = new();
        GoldenModel.CompareOutputs(fixture, output, loss, meter);
        double scale = GoldenBackward.Run(tape, loss, precision);
        GoldenModel.CompareGradients(fixture, model.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter.Value), scale, meter);
        return meter.Result(fixture.Name, device.Name, precision.ModelBudget());
    }

    /// <summary>Valid tokens of each sample; all of them where there is no mask.</summary>
    private static int[] Lengths(Fixture fixture)
    {
        if (fixture.HasInput("attention_mask"))
        {
            return fixture.MaskLengths("attention_mask");
        }

        long[] shape = fixture.Inputs.Entry("input_ids").Shape;
        int[] lengths = new int[shape[0]];
        Array.Fill(lengths, (int)shape[1]);
        return lengths;
    }
}
