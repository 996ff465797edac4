using System.IO.Compression;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Data.Tasks;

namespace LinearCald.Data.Tests.Tasks;

/// <summary>Random damage to files: a reader either reads what is left or says what is wrong, and never fails in another way.</summary>
public class DamagedFileTests
{
    private static readonly (TaskFormat Format, string Train, string Validation, string Content)[] Files =
    [
        (TaskFormat.Tsv, "train.tsv", "valid.tsv", "one\ttwo\t0\nthree\tfour\t1\nfive\tsix\t0\n"),
        (TaskFormat.Jsonl, "train.jsonl", "valid.jsonl", "{\"text\": \"one\\u00e9 \\ud83d\\ude00\", \"label\": 1}\n{\"text\": \"two\", \"label\": \"0\"}\n"),
        (TaskFormat.Rte, "train.tsv", "dev.tsv", "index\tsentence1\tsentence2\tlabel\n0\ta b\tc\tentailment\n1\td\te\tnot_entailment\n"),
    ];

    private static readonly Gen<(int Place, int Kind, int Value)> Damages =
        from place in Gen.Choose(0, 999)
        from kind in Gen.Choose(0, 3)
        from value in Gen.Frequency((3, Gen.Choose(32, 126)), (1, Gen.Choose(0, 255)))
        select (place, kind, value);

    private static readonly Gen<(int File, bool Packed, (int Place, int Kind, int Value)[] Damages)> Cases =
        from file in Gen.Choose(0, Files.Length - 1)
        from packed in Gen.Elements(false, false, true)
        from count in Gen.Choose(0, 3)
        from damages in Damages.ArrayOf(count)
        select (file, packed, damages);

    [Fact]
    public void Only_clear_errors_come_out()
    {
        int read = 0, refused = 0;
        using TaskFolder folder = new();
        Prop.ForAll(Cases.ToArbitrary(), c =>
        {
            (TaskFormat format, string train, string validation, string content) = Files[c.File];
            byte[] bytes = c.Packed ? Packed(content) : Encoding.UTF8.GetBytes(content);
            folder.WithBytes(train, c.Damages.Aggregate(bytes, Damage)).WithBytes(validation, Encoding.UTF8.GetBytes(content));
            try
            {
                Assert.NotEmpty(folder.Load(format).Train);
                read++;
            }
            catch (CaldException error)
            {
                Assert.Contains(folder.Path, error.Message, StringComparison.Ordinal);
                refused++;
            }
        }).Holds(600);
        Assert.True(read > 60 && refused > 60, $"{read} read, {refused} refused");
    }

    private static byte[] Damage(byte[] bytes, (int Place, int Kind, int Value) damage)
    {
        if (bytes.Length == 0)
            return bytes;
        int at = damage.Place % bytes.Length;
        return damage.Kind switch
        {
            0 => [.. bytes[..at], (byte)damage.Value, .. bytes[(at + 1)..]],
            1 => bytes[..at],
            2 => [.. bytes[..at], .. bytes[(at + 1)..]],
            _ => [.. bytes[..at], .. bytes[..(damage.Value % bytes.Length)], .. bytes[at..]],
        };
    }

    private static byte[] Packed(string content)
    {
        using MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(content));
        return packed.ToArray();
    }
}
