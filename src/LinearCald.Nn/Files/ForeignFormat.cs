namespace LinearCald.Nn.Files;

/// <summary>Recognises what users hand us instead of a safetensors file, so that the message can say what to do about it.</summary>
internal static class ForeignFormat
{
    /// <summary>What to do about pickled weights; we never unpickle, because a pickle is a program.</summary>
    public const string PickleAdvice =
        "Pickled PyTorch weights can run any code when they are read, so LinearCald does not read them. Take a revision of the model that has " +
        "model.safetensors, or convert it once in Python: safetensors.torch.save_file(torch.load(\"pytorch_model.bin\", weights_only=True), " +
        "\"model.safetensors\", metadata={\"format\": \"pt\"}).";

    /// <summary>True for the file names under which PyTorch weights are pickled.</summary>
    public static bool IsPickleName(string fileName) =>
        Path.GetExtension(fileName).ToUpperInvariant() is ".BIN" or ".PT" or ".PTH" or ".CKPT" or ".PKL" or ".PICKLE";

    /// <summary>A sentence about the format that the first bytes belong to, or null when they give no hint.</summary>
    public static string? Describe(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith("PK\u0003\u0004"u8) || start is [0x80, >= 2 and <= 5, ..])
            return "It looks like a PyTorch pickle. " + PickleAdvice;
        if (start.StartsWith("version https://git-lfs"u8))
            return "It is a Git LFS pointer, not the weights: run 'git lfs pull' in the folder it came from, or download the file itself.";
        if (start.StartsWith("<"u8))
            return "It looks like a web page, probably an error page saved in place of the weights: download the file again.";
        if (start.StartsWith("GGUF"u8))
            return "It is a GGUF file: take the model's safetensors files instead.";
        if (start is [0x1F, 0x8B, ..])
            return "It is compressed with gzip: unpack it first.";
        return null;
    }
}
