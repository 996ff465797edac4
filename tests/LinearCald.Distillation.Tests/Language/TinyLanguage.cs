using LinearCald.Data.Language;
using LinearCald.Distillation.Language;
using LinearCald.Models.GptNeoX;
using LinearCald.Models.Language;
using LinearCald.Models.Mamba;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Tests.Language;

/// <summary>A corpus of counting token ids that the golden language model (3 layers of width 48) can learn, and models for it.</summary>
internal static class TinyLanguage
{
    public const int Length = 12;
    private const int EndOfText = 2;

    public static Device Cpu { get; } = Device.Parse("cpu");

    /// <summary>Documents that count upwards from a random id, in steps of 1, 2 or 3.</summary>
    public static LanguageData Data(int documents = 40, DocumentMixing mixing = DocumentMixing.Mixed, bool shuffle = true, int seed = 1)
    {
        Random random = new(seed);
        return new LanguageData(Rows(documents), new CorpusPart(Rows(12), 2.5), null, shuffle);

        LanguageRows Rows(int count)
        {
            int[][] texts = [.. Enumerable.Range(0, count).Select(_ => Text())];
            return LanguageRows.Create(
                new MemoryTokens(texts), new LanguageRowOptions { SequenceLength = Length, Documents = mixing, EndOfText = EndOfText, EndOfTextRule = EndOfTextRule.AsStored });
        }

        int[] Text()
        {
            int start = random.Next(3, 100);
            int step = random.Next(1, 4);
            return [.. Enumerable.Range(0, random.Next(4, 20)).Select(i => start + (i * step)), EndOfText];
        }
    }

    /// <summary>The golden transformer.</summary>
    public static LanguageTaskModel Transformer() => new(LanguageModelFiles.LoadGptNeoX(FixtureFolder.PathOf("seed0/gptneox-parallel"), BuildContext.For(Cpu, 0)));

    /// <summary>A Mamba student with its weights.</summary>
    public static LanguageTaskModel Student(ulong seed = 3)
    {
        using LanguageTaskModel source = Transformer();
        return new LanguageTaskModel(MambaConversion.Convert(source.Model, MambaConfig.For(source.Model.HiddenSize), BuildContext.For(Cpu, seed)));
    }
}
