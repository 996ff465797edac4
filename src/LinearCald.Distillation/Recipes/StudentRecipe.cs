namespace LinearCald.Distillation.Recipes;

/// <summary>Section `student`: what takes the place of self-attention.</summary>
public sealed record StudentRecipe
{
    [RecipeKey("the linear-time mixer")]
    public MixerKind Mixer { get; init; } = MixerKind.Linformer;

    [RecipeKey("number of slots that keys and values are projected to", Min = 1, Max = 65_536)]
    public int Rank { get; init; } = 256;

    [RecipeKey("none: two projections a layer; kv: one a layer; layer: one for all layers")]
    public ShareMode ShareMode { get; init; } = ShareMode.Kv;

    [RecipeKey("how projections start: normal = N(0, 1) as the reference; pool = each slot averages neighbouring positions")]
    public ProjectionInit ProjectionInit { get; init; } = ProjectionInit.Normal;

    [RecipeKey("standard deviation of the noise added to a `pool` start", Min = 0, Max = 10)]
    public double InitNoise { get; init; } = 0.02;

    [RecipeKey("mamba: own = expand × width and a time-step rank of ⌈width / 16⌉; inherited = 5120 and 160 at every width, as the reference")]
    public MixerSizes Sizes { get; init; } = MixerSizes.Own;

    [RecipeKey("mamba, bi-mamba2: inner width over the model's width (mamba: with sizes own)", Min = 1, Max = 16)]
    public int Expand { get; init; } = 2;

    [RecipeKey("mamba, bi-mamba2: values of state a channel", Min = 1, Max = 256)]
    public int StateSize { get; init; } = 16;

    [RecipeKey("mamba, bi-mamba2: taps of the causal convolution", Min = 1, Max = 8)]
    public int ConvKernel { get; init; } = 4;

    [RecipeKey("bi-mamba2: channels a head", Min = 1, Max = 4096)]
    public int HeadSize { get; init; } = 64;

    [RecipeKey("bi-mamba2: the mixer adds its own input to its result, as the reference's unguided runs do")]
    public bool ResidualInside { get; init; }
}
