using LinearCald.Data.Language;
using LinearCald.Distillation.Training;
using LinearCald.Models.Language;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Language;

/// <summary>Rows of tokens with the token after each, on the host.</summary>
public sealed record LanguageTaskBatch(LanguageBatch Rows) : TaskBatch
{
    public override int Count => Rows.Count;

    public override int Length => Rows.Length;

    public override int Tokens => Rows.Count * Rows.Length;
}

/// <summary>Rows of tokens with the token after each, on the device.</summary>
public sealed class LanguageTaskInput : TaskInput
{
    private LanguageTaskInput(LanguageInput rows, Tensor labels)
    {
        Rows = rows;
        Labels = labels;
    }

    public LanguageInput Rows { get; }

    /// <summary>int32 [B · L]; −100 where nothing is predicted.</summary>
    public Tensor Labels { get; }

    /// <summary>Rows are full.</summary>
    public override Tensor? Lengths => null;

    /// <summary>A transformer's attention runs document by document: other kernels for other borders.</summary>
    public override bool IsRecordable => Rows.Sequences is null;

    /// <summary>Uploads a batch into fresh tensors.</summary>
    public static LanguageTaskInput Upload(Device device, LanguageBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Shape shape = new(batch.Count, batch.Length);
        Tensor? sequences = batch.Sequences is { } numbers ? Tensor.From(device, shape, numbers) : null;
        return new LanguageTaskInput(
            new LanguageInput(Tensor.From(device, shape, batch.Ids), null, sequences), Tensor.From(device, new Shape(batch.Ids.Length), batch.Labels));
    }

    /// <summary>A place for batches of one shape.</summary>
    /// <param name="separate">Whether batches number their documents.</param>
    public static LanguageTaskInput Reserve(Device device, int batch, int length, bool separate)
    {
        LanguageInput rows = new(ReservedIntegers(device, batch, length), null, separate ? ReservedIntegers(device, batch, length) : null);
        return new LanguageTaskInput(rows, ReservedIntegers(device, batch * length)) { InversePositions = ReservedFactor(device), Share = ReservedFactor(device) };
    }

    public override void Set(TaskBatch batch)
    {
        LanguageBatch rows = ((LanguageTaskBatch)batch).Rows;
        Rows.Ids.Set<int>(rows.Ids);
        Labels.Set<int>(rows.Labels);
        Rows.Sequences?.Set<int>(rows.Sequences!);
        InversePositions!.Set<float>([1f / (rows.Count * rows.Length)]);
    }

    protected override void Dispose(bool disposing)
    {
        Rows.Ids.Dispose();
        Rows.Sequences?.Dispose();
        Labels.Dispose();
        base.Dispose(disposing);
    }
}
