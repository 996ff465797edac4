namespace LinearCald.Data.Tokenizers.Files;

/// <summary>Reads the <c>decoder</c> of a tokenizer.json.</summary>
internal static class DecoderReader
{
    public static TokenDecoder Read(JsonField? field)
    {
        if (field is not { } present)
        {
            return new JoinDecoder(" ");
        }

        string type = present.Required("type").Text();
        return type switch
        {
            "ByteLevel" => new ByteLevelDecoder(),
            "WordPiece" => new WordPieceDecoder(present.Text("prefix") ?? "##", present.Flag("cleanup") ?? true),
            "Fuse" => new JoinDecoder(""),
            "Sequence" => Sequence(present),
            _ => throw present.Error($"the decoder '{type}' is not supported; supported are ByteLevel, WordPiece, Fuse, and a Sequence of one of them with Fuse"),
        };
    }

    private static TokenDecoder Sequence(JsonField field)
    {
        TokenDecoder[] parts = [.. field.Required("decoders").Items().Select(part => Read(part)).Where(part => part is not JoinDecoder)];
        return parts.Length switch
        {
            0 => new JoinDecoder(""),
            1 => parts[0],
            _ => throw field.Error("a sequence of several decoders is not supported"),
        };
    }
}
