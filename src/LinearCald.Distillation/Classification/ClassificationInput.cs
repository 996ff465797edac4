using LinearCald.Data.Batching;
using LinearCald.Distillation.Training;
using LinearCald.Models.Roberta;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Classification;

/// <summary>Texts with their classes, on the host.</summary>
/// <param name="Texts">Padded on the right.</param>
public sealed record ClassificationBatch(TokenBatch Texts) : TaskBatch
{
    public override int Count => Texts.Count;

    public override int Length => Texts.Length;

    public override int Tokens => Texts.TokenCount;
}

/// <summary>Texts with their classes, on the device.</summary>
public sealed class ClassificationInput : TaskInput
{
    private readonly RobertaConfig _config;

    private ClassificationInput(RobertaConfig config, RobertaInput texts, Tensor labels)
    {
        _config = config;
        Texts = texts;
        Labels = labels;
    }

    public RobertaInput Texts { get; }

    /// <summary>int32 [B].</summary>
    public Tensor Labels { get; }

    public override Tensor? Lengths => Texts.Lengths;

    /// <summary>Uploads a batch into fresh tensors.</summary>
    /// <exception cref="CaldException">A text is longer than the model, or an id outside its vocabulary.</exception>
    public static ClassificationInput Upload(RobertaConfig config, Device device, TokenBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return new ClassificationInput(
            config, RobertaInput.Create(config, device, batch.Ids, batch.Lengths), Tensor.From(device, new Shape(batch.Count), batch.Labels));
    }

    /// <summary>A place for batches of one shape.</summary>
    public static ClassificationInput Reserve(RobertaConfig config, Device device, int batch, int length)
    {
        RobertaInput texts = new(
            ReservedIntegers(device, batch, length), ReservedIntegers(device, batch, length), ReservedIntegers(device, batch, length), ReservedIntegers(device, batch));
        return new ClassificationInput(config, texts, ReservedIntegers(device, batch)) { InversePositions = ReservedFactor(device), Share = ReservedFactor(device) };
    }

    public override void Set(TaskBatch batch)
    {
        TokenBatch texts = ((ClassificationBatch)batch).Texts;
        Texts.Ids.Set<int>(texts.Ids);
        Texts.Positions.Set<int>(RobertaInput.PositionsOf(_config, texts.Ids, texts.Lengths));
        Texts.Lengths.Set<int>(texts.Lengths);
        Labels.Set<int>(texts.Labels);
        InversePositions!.Set<float>([1f / Math.Max(1, texts.TokenCount)]);
    }

    protected override void Dispose(bool disposing)
    {
        Texts.Ids.Dispose();
        Texts.Positions.Dispose();
        Texts.Types.Dispose();
        Texts.Lengths.Dispose();
        Labels.Dispose();
        base.Dispose(disposing);
    }
}
