namespace LinearCald.Models.Language;

/// <summary>The memories of all layers of one model.</summary>
internal sealed class LayeredDecodingState(CausalLanguageModel owner, int batch, LayerMemory[] layers) : DecodingState
{
    public override int Batch { get; } = batch;

    public override long Bytes => layers.Sum(layer => layer.Bytes);

    public LayerMemory this[int layer] => layers[layer];

    /// <exception cref="CaldException">The memory is of another model or for another batch.</exception>
    public void CheckFor(CausalLanguageModel model, int texts)
    {
        if (!ReferenceEquals(model, owner))
        {
            throw new CaldException("this decoding state was made by another model; ask the model that runs for one (NewDecodingState)");
        }

        if (texts != Batch)
        {
            throw new CaldException($"this decoding state is for {Batch} texts, the input has {texts}; make one for that batch");
        }
    }

    public override void Reset()
    {
        Position = 0;
        foreach (LayerMemory layer in layers)
        {
            layer.Reset();
        }
    }

    protected override void Dispose(bool disposing)
    {
        foreach (LayerMemory layer in layers)
        {
            layer.Dispose();
        }
    }
}
