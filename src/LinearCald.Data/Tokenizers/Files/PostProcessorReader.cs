namespace LinearCald.Data.Tokenizers.Files;

/// <summary>Reads the <c>post_processor</c> of a tokenizer.json.</summary>
internal static class PostProcessorReader
{
    private const string Supported = "RobertaProcessing, BertProcessing, TemplateProcessing, ByteLevel and Sequence";

    public static PostProcessor Read(JsonField? field)
    {
        if (field is not { } present)
        {
            return new PostProcessor();
        }

        string type = present.Required("type").Text();
        return type switch
        {
            "RobertaProcessing" => Roberta(
                TokenId(present.Required("cls")), TokenId(present.Required("sep")), present.Flag("trim_offsets") ?? true, present.Flag("add_prefix_space") ?? true),
            "BertProcessing" => Bert(TokenId(present.Required("cls")), TokenId(present.Required("sep"))),
            "TemplateProcessing" => Template(present),
            "ByteLevel" => new PostProcessor { TrimWithPrefixSpace = present.Flag("trim_offsets") ?? true ? [present.Flag("add_prefix_space") ?? true] : [] },
            "Sequence" => Sequence(present),
            _ => throw present.Error($"the post-processor '{type}' is not supported; supported are {Supported}"),
        };
    }

    /// <summary><c>&lt;s&gt; a &lt;/s&gt;</c> and <c>&lt;s&gt; a &lt;/s&gt;&lt;/s&gt; b &lt;/s&gt;</c>, all of type 0.</summary>
    public static PostProcessor Roberta(int cls, int sep, bool trimOffsets, bool addPrefixSpace) => new()
    {
        Single = [Special(0, cls), Text(0, 0), Special(0, sep)],
        Pair = [Special(0, cls), Text(0, 0), Special(0, sep, sep), Text(1, 0), Special(0, sep)],
        TrimWithPrefixSpace = trimOffsets ? [addPrefixSpace] : [],
    };

    /// <summary><c>[CLS] a [SEP]</c> of type 0, then <c>b [SEP]</c> of type 1.</summary>
    public static PostProcessor Bert(int cls, int sep) => new()
    {
        Single = [Special(0, cls), Text(0, 0), Special(0, sep)],
        Pair = [Special(0, cls), Text(0, 0), Special(0, sep), Text(1, 1), Special(1, sep)],
    };

    private static TemplatePiece Special(int type, params int[] ids) => new(-1, ids, type);

    private static TemplatePiece Text(int index, int type) => new(index, [], type);

    /// <summary>A special token written as [text, id].</summary>
    private static int TokenId(JsonField field)
    {
        JsonField[] parts = [.. field.Items()];
        return parts.Length == 2 ? parts[1].Integer() : throw field.Error("expected [token, id]");
    }

    private static PostProcessor Template(JsonField field)
    {
        Dictionary<string, int[]> special = [];
        foreach ((string name, JsonField token) in field.Optional("special_tokens")?.Members() ?? [])
        {
            special[name] = [.. token.Required("ids").Items().Select(id => id.Integer())];
        }

        return new PostProcessor
        {
            Single = ReadPieces(field.Required("single"), special, texts: 1),
            Pair = field.Optional("pair") is { } pair ? ReadPieces(pair, special, texts: 2) : PostProcessor.PlainPair,
        };
    }

    private static TemplatePiece[] ReadPieces(JsonField list, Dictionary<string, int[]> special, int texts)
    {
        List<TemplatePiece> pieces = [];
        foreach (JsonField piece in list.Items())
        {
            if (piece.Optional("Sequence") is { } sequence)
            {
                string name = sequence.Required("id").Text();
                int index = name switch { "A" => 0, "B" => 1, _ => throw sequence.Error($"the text '{name}' is neither A nor B") };
                pieces.Add(Text(index, TypeOf(sequence)));
            }
            else
            {
                JsonField token = piece.Required("SpecialToken");
                string name = token.Required("id").Text();
                pieces.Add(Special(TypeOf(token), special.TryGetValue(name, out int[]? ids) ? ids : throw token.Error($"'{name}' is not among special_tokens")));
            }
        }

        int[] order = [.. pieces.Where(piece => piece.Text >= 0).Select(piece => piece.Text)];
        return order.Distinct().Count() == texts && order.Length == texts && order.Max() == texts - 1
            ? [.. pieces]
            : throw list.Error(texts == 1 ? "the text A must stand here exactly once, and no other" : "the texts A and B must each stand here exactly once");

        static int TypeOf(JsonField field) => field.Optional("type_id")?.Integer() ?? 0;
    }

    private static PostProcessor Sequence(JsonField field)
    {
        PostProcessor[] parts = [.. field.Required("processors").Items().Select(part => Read(part))];
        PostProcessor[] templates = [.. parts.Where(part => part.SpecialCount(pair: false) + part.SpecialCount(pair: true) > 0)];
        if (templates.Length > 1)
        {
            throw field.Error("more than one post-processor that adds special tokens is not supported");
        }

        PostProcessor layout = templates.FirstOrDefault() ?? new PostProcessor();
        return new PostProcessor { Single = layout.Single, Pair = layout.Pair, TrimWithPrefixSpace = [.. parts.SelectMany(part => part.TrimWithPrefixSpace)] };
    }
}
