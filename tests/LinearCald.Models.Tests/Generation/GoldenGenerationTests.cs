using LinearCald.Models.Language;
using LinearCald.Models.Language.Generation;
using LinearCald.Nn;
using LinearCald.Nn.Files;
using LinearCald.Tensors;

namespace LinearCald.Models.Tests.Generation;

/// <summary>Greedy text as transformers' <c>generate</c> gave it, token for token, whatever the chunks that the prompt is read in.</summary>
public sealed class GoldenGenerationTests
{
    private const int Prompt = 7;

    [Theory]
    [InlineData("gptneox-parallel")]
    [InlineData("gptneox-sequential")]
    [InlineData("mamba")]
    [InlineData("mamba2")]
    public void Greedy_text_is_that_of_transformers(string name)
    {
        string folder = FixtureFolder.PathOf($"seed0/{name}");
        int[] expected = Integers(Path.Combine(folder, "expected.safetensors"), $"greedy_from_first_{Prompt}");
        int[] first = Integers(Path.Combine(folder, "inputs.safetensors"), "input_ids")[..Prompt];
        Assert.Equal(first, expected[..Prompt]);
        using CausalLanguageModel model = LanguageModelFiles.Load(folder, BuildContext.For(Device.Parse("cpu"), 0));
        foreach (int chunk in (int[])[1, 3, 512])
        {
            using TokenGenerator generator = new(model, Device.Parse("cpu"), first, new GenerationOptions { MaxNewTokens = expected.Length - Prompt, PrefillChunk = chunk });
            List<int> text = [.. first];
            while (generator.Next() is { } token)
            {
                text.Add(token);
            }

            Assert.Equal(expected, text);
        }
    }

    private static int[] Integers(string path, string name)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        int[] values = new int[file.Entry(name).ElementCount];
        file.Read(name, values);
        return values;
    }
}
