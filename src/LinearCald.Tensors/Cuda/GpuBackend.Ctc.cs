namespace LinearCald.Tensors.Cuda;

/// <content>Connectionist temporal classification.</content>
internal sealed partial class GpuBackend
{
    public override void CtcLoss(Tensor logits, Tensor targets, Tensor inputLengths, Tensor targetLengths, int blank, bool zeroInfinity, Tensor losses, Tensor? gradient) =>
        throw new CaldException($"CtcLoss: there is no kernel for {_device.Name} yet; run on the cpu (--device cpu)");

    public override void ScaleSamples(Tensor x, Tensor factors, Tensor y) =>
        throw new CaldException($"CtcLoss: there is no kernel for {_device.Name} yet; run on the cpu (--device cpu)");
}
