using System.Text.Json.Nodes;
using LinearCald.Models.Linformer;

namespace LinearCald.Models.Roberta;

/// <summary>Reads and checks the fields of a RoBERTa <c>config.json</c>.</summary>
internal sealed class RobertaConfigReader(ConfigFields fields)
{
    public RobertaConfig Read()
    {
        string type = fields.RequireModelType(RobertaConfig.ModelType, RobertaConfig.StudentModelType);
        string positions = fields.Text("position_embedding_type", "absolute");
        if (positions != "absolute")
        {
            throw fields.Bad("position_embedding_type", $"is '{positions}'; only 'absolute' is supported");
        }

        int vocabulary = fields.Integer("vocab_size", null, 1, 10_000_000);
        RobertaConfig config = new()
        {
            VocabularySize = vocabulary,
            HiddenSize = fields.Integer("hidden_size", null, 1, 65_536),
            Layers = fields.Integer("num_hidden_layers", null, 1, 1000),
            Heads = fields.Integer("num_attention_heads", null, 1, 4096),
            IntermediateSize = fields.Integer("intermediate_size", null, 1, 1_000_000),
            MaximumPositions = fields.Integer("max_position_embeddings", 512, 3, 100_000_000),
            TypeVocabularySize = fields.Integer("type_vocab_size", 2, 1, 1_000_000),
            PaddingId = fields.Integer("pad_token_id", 1, 0, vocabulary - 1),
            LayerNormEpsilon = fields.Number("layer_norm_eps", 1e-12, 0, 1),
            InitialiserRange = fields.Number("initializer_range", 0.02, 0, 100),
            HiddenDropout = fields.Number("hidden_dropout_prob", 0.1, 0, 0.999999),
            AttentionDropout = fields.Number("attention_probs_dropout_prob", 0.1, 0, 0.999999),
            ClassifierDropout = fields.Has("classifier_dropout") ? fields.Number("classifier_dropout", 0, 0, 0.999999) : null,
            Activation = fields.Activation("hidden_act", "gelu"),
            Labels = fields.Labels(),
            Linformer = type == "roberta" ? null : ReadLinformer(),
        };
        return config.HiddenSize % config.Heads == 0
            ? config
            : throw fields.Bad("hidden_size", $"{config.HiddenSize} does not divide by num_attention_heads {config.Heads}");
    }

    private LinformerConfig ReadLinformer() => fields.Raw("linformer") is JsonObject part
        ? LinformerConfig.FromJson(part, fields.Path)
        : throw fields.Bad("linformer", "is missing; a converted student must say its rank and share_mode");
}
