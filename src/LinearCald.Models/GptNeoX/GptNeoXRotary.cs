using System.Text.Json.Nodes;

namespace LinearCald.Models.GptNeoX;

/// <summary>
/// The rotary part of a config: transformers 5 has <c>rope_parameters</c>, earlier versions <c>rotary_pct</c>, <c>rotary_emb_base</c> and
/// <c>rope_scaling</c>, some <c>partial_rotary_factor</c> and <c>rope_theta</c> without the section.
/// </summary>
internal readonly record struct GptNeoXRotary(double Fraction, double Theta)
{
    private const string PlainType = "default";

    public static GptNeoXRotary Read(ConfigFields fields)
    {
        ConfigFields? section = fields.Section("rope_parameters");
        RefuseScaling(section);
        RefuseScaling(fields.Section("rope_scaling"));
        double fraction = Number(fields, section, "partial_rotary_factor", "rotary_pct", 0.25, 0, 1);
        double theta = Number(fields, section, "rope_theta", "rotary_emb_base", 10000, 1, 1e12);
        return new GptNeoXRotary(fraction, theta);
    }

    /// <summary>Both forms, so that every version of transformers reads the file.</summary>
    public void Write(JsonObject json)
    {
        json["rope_parameters"] = new JsonObject { ["partial_rotary_factor"] = Fraction, ["rope_theta"] = Theta, ["rope_type"] = PlainType };
        json["rotary_emb_base"] = Theta;
        json["rotary_pct"] = Fraction;
    }

    private static double Number(ConfigFields fields, ConfigFields? section, string name, string oldName, double fallback, double low, double high)
    {
        if (section is not null && section.Has(name))
        {
            return section.Number(name, fallback, low, high);
        }

        return fields.Number(fields.Has(name) ? name : oldName, fallback, low, high);
    }

    private static void RefuseScaling(ConfigFields? section)
    {
        string field = section is not null && section.Has("type") ? "type" : "rope_type";
        string type = section?.Text(field, PlainType) ?? PlainType;
        if (type != PlainType)
        {
            throw section!.Bad(field, $"is '{type}'; stretched rotary embeddings are not supported, only '{PlainType}' is");
        }
    }
}
