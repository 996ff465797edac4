namespace LinearCald.Distillation.Recipes;

/// <summary>Section `model`: the pretrained transformer that is converted.</summary>
public sealed record ModelRecipe
{
    [RecipeKey("folder of the pretrained transformer in HuggingFace layout (config.json, *.safetensors, tokenizer files)")]
    public string Source { get; init; } = "weights/roberta-tiny";

    [RecipeKey("speech: the convolutions that read the waveform are never trained, as in the reference")]
    public bool FreezeFeatureEncoder { get; init; } = true;
}
