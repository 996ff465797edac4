using System.Text;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Tokenizers;
using LinearCald.Data.Tokenizers.Files;

namespace LinearCald.Data.Tests.Tokenizers;

/// <summary>Damaged tokenizer files are refused with a message or read as what they have become; nothing else happens.</summary>
public class TokenizerFileFuzzTests
{
    private static readonly byte[][] Files =
    [
        """
        {"added_tokens":[{"id":8,"content":"<x>","special":true,"lstrip":true}],
         "normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Replace","pattern":{"Regex":"a+"},"content":"\u0061"}]},
         "model":{"type":"BPE","vocab":{"a":0,"b":1,"Ġ":2,"ab":3,"Ġa":4,"Ġab":5,"aba":6,"c":7},"merges":["a b",["Ġ","a"],"Ġ ab"],"unk_token":"c"},
         "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"String":"-"},"behavior":"Isolated"},{"type":"ByteLevel","add_prefix_space":true}]},
         "post_processor":{"type":"RobertaProcessing","cls":["a",0],"sep":["b",1]},
         "decoder":{"type":"ByteLevel"}}
        """u8.ToArray(),
        """
        {"model":{"type":"WordPiece","unk_token":"[UNK]","max_input_chars_per_word":6,"vocab":{"[UNK]":0,"[CLS]":1,"un":3,"##able":4}},
         "normalizer":{"type":"BertNormalizer","lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},
         "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
           "special_tokens":{"[CLS]":{"ids":[1]}}},
         "decoder":{"type":"WordPiece","prefix":"##","cleanup":true}}
        """u8.ToArray(),
    ];

    private static readonly byte[][] Pieces =
        [.. new[] { "\"", "{", "}", "[", "]", ":", ",", "null", "-1", "0", "99999999999", "1e3", "\\uD800", "\\", "\uFFFD", "BPE", "WordPiece", "Sequence" }.Select(Encoding.UTF8.GetBytes)];

    [Fact]
    public void DamagedFilesAreRefusedOrRead()
    {
        int read = 0, refused = 0;
        Gen<(byte[] File, int At, int Remove, byte[] Insert)> damage =
            from file in Gen.Elements(Files)
            from at in Gen.Choose(0, file.Length - 1)
            from remove in Gen.Choose(0, 6)
            from insert in Gen.OneOf(Gen.Elements(Pieces), Gen.Choose(0, 255).Select(b => new[] { (byte)b }), Gen.Constant(Array.Empty<byte>()))
            select (file, at, remove, insert);
        Prop.ForAll(damage.ToArbitrary(), sample =>
        {
            byte[] bytes = [.. sample.File[..sample.At], .. sample.Insert, .. sample.File[Math.Min(sample.File.Length, sample.At + sample.Remove)..]];
            try
            {
                Tokenizer tokenizer = new(TokenizerJsonReader.Read("tokenizer.json", bytes, []));
                TokenEncoding encoding = tokenizer.Encode("ab-a <x> unable\u0301 😀", "b c");
                Assert.All(encoding.Ids, id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
                Assert.NotNull(tokenizer.Decode(encoding.Ids));
                read++;
            }
            catch (CaldException e)
            {
                Assert.Contains("tokenizer.json", e.Message, StringComparison.Ordinal);
                refused++;
            }
        }).Holds(4000);
        Assert.True(read > 200 && refused > 200, $"{read} read, {refused} refused");
    }
}
