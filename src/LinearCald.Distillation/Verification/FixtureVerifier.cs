using LinearCald.Data.Tokenizers;
using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Recipes;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Verification;

/// <summary>Compares this implementation with golden fixture folders written by PyTorch and transformers.</summary>
public static class FixtureVerifier
{
    /// <summary>Verifies every case below a folder.</summary>
    /// <param name="folder">Cases lie in it or below.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="precision">Of products and activations; it sets the budgets.</param>
    /// <exception cref="CaldException">There are none, or one cannot be read.</exception>
    public static IEnumerable<CaseResult> Verify(string folder, Device device, Precision precision = Precision.Fp32)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(device);
        if (!Directory.Exists(folder))
        {
            throw new CaldException($"{folder}: there is no such folder; give one with golden fixtures or tokenizers, such as tests/fixtures of the sources");
        }

        string[] cases = [.. Cases(folder)];
        return cases.Length > 0
            ? cases.SelectMany(path => VerifyCase(path, device, precision))
            : throw new CaldException($"{folder} holds no fixture: a case is a folder with expected.safetensors (or fixtures.jsonl for a tokenizer)");
    }

    private static IEnumerable<string> Cases(string folder)
    {
        IEnumerable<string> folders = Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories).Prepend(folder);
        return folders.Where(f => File.Exists(Path.Combine(f, "expected.safetensors")) || TokenizerFixture.IsFixtureFolder(f)).Order(StringComparer.Ordinal);
    }

    private static IEnumerable<CaseResult> VerifyCase(string path, Device device, Precision precision)
    {
        if (TokenizerFixture.IsFixtureFolder(path))
        {
            yield return TokenizerCase(path);
            yield break;
        }

        using Fixture fixture = new(path);
        if (File.Exists(Path.Combine(path, "config.json")))
        {
            yield return ModelCase(fixture, device, precision);
        }
        else if (fixture.HasInput("p0") && fixture.HasInput("gp.0"))
        {
            yield return OptimiserCases.AdamWWithClipping(fixture, device);
        }
        else if (fixture.Expected.Find("linear") is not null && fixture.Expected.Find("cosine") is not null)
        {
            yield return OptimiserCases.Schedules(fixture, device);
        }
        else if (CtcCases.Fits(fixture))
        {
            yield return CtcCases.Verify(fixture, device, precision);
        }
        else if (fixture.Expected.Entries.Any(e => e.Name.EndsWith(".out", StringComparison.Ordinal)))
        {
            foreach (CaseResult result in OperatorCases.Verify(fixture, device, precision))
            {
                yield return result;
            }
        }
        else
        {
            yield return CaseResult.NotBuilt(fixture.Name, device.Name, "this kind of case is not part of this version");
        }
    }

    /// <summary>Every id, token, offset and decoded text must be equal: the worst ratio is the number of fields that differ.</summary>
    private static CaseResult TokenizerCase(string path)
    {
        TokenizerFixtureResult result = TokenizerFixture.Verify(path);
        string where = result.Mismatches is [{ } first, ..]
            ? $"{first.File}:{first.Line} {first.Field}: expected {first.Expected}, found {first.Found}"
            : "";
        return new CaseResult(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))), "cpu", result.Failures, 0, where, result.Texts + result.Pairs);
    }

    private static CaseResult ModelCase(Fixture fixture, Device device, Precision precision)
    {
        return Domains.ModelType(fixture.Folder) switch
        {
            "roberta" => RobertaCases.Verify(fixture, device, precision),
            "gpt_neox" or "mamba" or "mamba2" => LanguageModelCases.Verify(fixture, device, precision),
            "wav2vec2" => Wav2Vec2Cases.Verify(fixture, device, precision),
            string type => CaseResult.NotBuilt(fixture.Name, device.Name, $"model type '{type}' is not part of this version"),
        };
    }
}
