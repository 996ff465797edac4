using System.Buffers.Binary;
using System.Runtime.InteropServices;
using FsCheck.Fluent;
using LinearCald.Data.Language;

namespace LinearCald.Data.Tests.Language;

public class IndexedDatasetTests
{
    private static readonly IndexedElementType[] Types = Enum.GetValues<IndexedElementType>();

    [Fact]
    public void What_is_written_is_read_in_every_type()
    {
        var cases =
            from type in Gen.Elements(Types)
            let largest = type switch { IndexedElementType.UInt8 => 255, IndexedElementType.Int8 => 127, IndexedElementType.Int16 => 32_767, IndexedElementType.UInt16 => 65_535, _ => 16_777_216 }
            from documents in Gen.Choose(0, largest).ArrayOf().ArrayOf().NonEmptyListOf()
            where documents.Any(document => document.Any(sequence => sequence.Length > 0))
            from position in Gen.Choose(0, 999)
            from length in Gen.Choose(0, 999)
            select (type, documents, position, length);
        using TemporaryFolder folder = new();
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            using (IndexedDatasetWriter writer = IndexedDatasetWriter.Create(folder["d"], c.type))
            {
                foreach (int[][] document in c.documents)
                {
                    foreach (int[] sequence in document)
                        writer.AddSequence(sequence);
                    writer.EndDocument();
                }

                writer.Complete();
            }

            using IndexedDataset data = IndexedDataset.Open(folder["d.idx"]);
            int[][] sequences = [.. c.documents.SelectMany(document => document)];
            int[] all = [.. sequences.SelectMany(sequence => sequence)];
            Assert.Equal((c.type, sequences.Length, all.Length), (data.Type, data.SequenceCount, data.TokenCount));
            for (int i = 0; i < sequences.Length; i++)
                Assert.Equal(sequences[i], data.Sequence(i));
            int at = c.position % all.Length;
            int[] part = new int[c.length % (all.Length - at + 1)];
            data.Read(at, part);
            Assert.Equal(all[at..(at + part.Length)], part);

            // Documents behind the last token are dropped: nothing is in them.
            int[] sizes = [.. c.documents.Select(document => document.Sum(sequence => sequence.Length))];
            Assert.Equal(all.Length, data.DocumentStart(data.DocumentCount));
            for (int d = 0; d < data.DocumentCount; d++)
                Assert.Equal(sizes.Take(d).Sum(), data.DocumentStart(d));
            long owner = data.DocumentAt(at);
            Assert.True(data.DocumentStart(owner) <= at && at < data.DocumentStart(owner + 1));
            Assert.Equal(["d.bin", "d.idx"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order());
        }).Holds(150);
    }

    /// <summary>The bytes that Megatron's builder gives for two documents, [3, 1, 4] + [1, 5] and [9].</summary>
    [Fact]
    public void The_bytes_are_those_of_the_format()
    {
        using TemporaryFolder folder = new();
        Assert.Equal(IndexedElementType.UInt16, IndexedDatasetWriter.TypeFor(65_499));
        Assert.Equal(IndexedElementType.Int32, IndexedDatasetWriter.TypeFor(65_500));
        using (IndexedDatasetWriter writer = IndexedDatasetWriter.Create(folder["d"], IndexedElementType.UInt16))
        {
            writer.AddSequence([3, 1, 4]);
            writer.AddSequence([1, 5]);
            writer.EndDocument();
            writer.AddSequence([9]);
            writer.Complete();
        }

        Assert.Equal("030001000400010005000900", Convert.ToHexString(File.ReadAllBytes(folder["d.bin"])));
        byte[] expected =
        [
            .. "MMIDIDX\0\0"u8, .. Bytes(1L), 8, .. Bytes(3L), .. Bytes(3L), .. Bytes(3), .. Bytes(2), .. Bytes(1),
            .. Bytes(0L), .. Bytes(6L), .. Bytes(10L), .. Bytes(0L), .. Bytes(2L), .. Bytes(3L),
        ];
        Assert.Equal(expected, File.ReadAllBytes(folder["d.idx"]));
    }

    [Fact]
    public void Partial_data_are_an_error_unless_allowed()
    {
        using TemporaryFolder folder = new();
        Write(folder, [1, 2, 3], [4, 5], [6]);
        File.WriteAllBytes(folder["d.bin"], File.ReadAllBytes(folder["d.bin"])[..9]);
        Assert.Contains("within sequence 1 of the 3", Refused(folder), StringComparison.Ordinal);
        using (IndexedDataset data = IndexedDataset.Open(folder["d"], new IndexedDatasetOptions { AllowPartial = true }))
        {
            Assert.Equal((1, 2, 3, 1), (data.SequenceCount, data.MissingSequences, data.TokenCount, data.DocumentCount));
            Assert.Equal([1, 2, 3], data.Sequence(0));
            Assert.Throws<ArgumentOutOfRangeException>(() => data.Sequence(1));
            Assert.Throws<ArgumentOutOfRangeException>(() => data.Read(1, new int[3]));
        }

        File.WriteAllBytes(folder["d.bin"], new byte[3]);
        Assert.Contains("empty data set", Assert.Throws<CaldException>(() => IndexedDataset.Open(folder["d"], new() { AllowPartial = true })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_beyond_the_vocabulary_are_named_when_read()
    {
        using TemporaryFolder folder = new();
        Write(folder, [1, 2, 3], [4, 50, 6], [60]);
        using IndexedDataset data = IndexedDataset.Open(folder["d"], new IndexedDatasetOptions { Vocabulary = 50 });
        Assert.Equal([1, 2, 3], data.Sequence(0));
        CaldException error = Assert.Throws<CaldException>(() => data.Read(2, new int[5]));
        Assert.Contains("d.bin: sequence 1, position 1: id 50; ids of this model are 0 to 49", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(IndexedElementType.Int16, "FFFF", "id -1")]
    [InlineData(IndexedElementType.Int64, "0000000001000000", "id 4294967296")]
    [InlineData(IndexedElementType.Float32, "00002040", "id 2.5")]
    [InlineData(IndexedElementType.Float64, "000000000000F87F", "id NaN")]
    public void What_is_no_id_is_named_when_read(IndexedElementType type, string bytes, string said)
    {
        using TemporaryFolder folder = new();
        Write(folder, type, [1, 2], [3]);
        byte[] data = File.ReadAllBytes(folder["d.bin"]), bad = Convert.FromHexString(bytes);
        bad.CopyTo(data, bad.Length * 2);
        File.WriteAllBytes(folder["d.bin"], data);
        using IndexedDataset set = IndexedDataset.Open(folder["d"]);
        Assert.Equal([1, 2], set.Sequence(0));
        Assert.Contains($"sequence 1, position 0: {said}; ids are integers", Assert.Throws<CaldException>(() => set.Sequence(1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Codes_of_floats_the_other_way_round_are_understood()
    {
        using TemporaryFolder folder = new();
        foreach (IndexedElementType type in (IndexedElementType[])[IndexedElementType.Float32, IndexedElementType.Float64])
        {
            Write(folder, type, [], [7, 8], [9]);
            byte[] index = File.ReadAllBytes(folder["d.idx"]);
            index[17] = (byte)(13 - index[17]);
            File.WriteAllBytes(folder["d.idx"], index);
            using IndexedDataset data = IndexedDataset.Open(folder["d"]);
            Assert.Equal(type, data.Type);
            Assert.Equal([7, 8], data.Sequence(1));
        }
    }

    [Theory]
    [InlineData(0, "54 4E 54 49 44 58 00 00 00", "older, not memory-mapped kind")]
    [InlineData(0, "1F 8B", "it looks like gzip")]
    [InlineData(0, "7B2274657874223A20226F6E65206C696E65206F662061204A534F4E206C696E65732066696C65227D", "it looks like text (\"{\"text\": \"one li…\")")]
    [InlineData(9, "02", "version 2 of the index format")]
    [InlineData(17, "09", "element type 9 is unknown")]
    [InlineData(17, "03", "")] // i16 has the width of u16: the same ids
    [InlineData(17, "04", "sequence 1 begins at byte 6, but the lengths before it put it at byte 12")]
    [InlineData(18, "04", "4 sequences and 4 document entries take")]
    [InlineData(25, "FF", "the file has")]
    [InlineData(34, "FF FF FF FF", "sequence 0 has a length of -1")]
    [InlineData(38, "01", "sequence 2 begins at byte 10, but the lengths before it put it at byte 8")]
    [InlineData(70, "01", "entry 0 of the document index is 1")]
    [InlineData(78, "09", "entry 1 of the document index is 9")]
    public void A_damaged_index_is_refused(int at, string bytes, string said)
    {
        using TemporaryFolder folder = new();
        Write(folder, [1, 2, 3], [4, 5], [6]);
        byte[] index = File.ReadAllBytes(folder["d.idx"]);
        Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal)).CopyTo(index, at);
        File.WriteAllBytes(folder["d.idx"], index);
        if (said.Length == 0)
            IndexedDataset.Open(folder["d"]).Dispose();
        else
            Assert.Contains(said, Refused(folder), StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_and_foreign_partners_are_refused()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("neither d.idx nor d.bin", Refused(folder), StringComparison.Ordinal);
        folder.Write("d.bin", [1, 0]);
        Assert.Contains("d.idx is missing beside", Refused(folder), StringComparison.Ordinal);
        Write(folder, [1, 2, 3]);
        File.AppendAllText(folder["d.bin"], "more");
        Assert.Contains("do not belong together", Refused(folder), StringComparison.Ordinal);
        File.Delete(folder["d.bin"]);
        Assert.Contains("d.bin is missing beside", Refused(folder), StringComparison.Ordinal);
        folder.Write("d.bin", []);
        Assert.Contains("within sequence 0", Refused(folder), StringComparison.Ordinal);
        folder.Write("d.idx", []);
        Assert.Contains("an empty file", Refused(folder), StringComparison.Ordinal);
        folder.Write("d.idx", [.. "MMIDIDX\0\0"u8, .. Bytes(1L), 8, .. Bytes(0L), .. Bytes(1L), .. Bytes(0L)]);
        Assert.Contains("an empty data set", Refused(folder), StringComparison.Ordinal);
    }

    [Fact]
    public void Random_damage_is_read_or_refused()
    {
        using TemporaryFolder folder = new();
        Write(folder, [1, 2, 3], [4, 5], [6, 7, 8, 9]);
        byte[] index = File.ReadAllBytes(folder["d.idx"]), data = File.ReadAllBytes(folder["d.bin"]);
        int read = 0, refused = 0;
        var damage = from kind in Gen.Choose(0, 9) from place in Gen.Choose(0, 9_999) from value in Gen.Elements(0, 1, 2, 3, 6, 7, 8, 127, 128, 255) select (kind, place, value);
        Prop.ForAll(damage.NonEmptyListOf().ToArbitrary(), damages =>
        {
            List<byte> idx = [.. index], bin = [.. data];
            foreach ((int kind, int place, int value) in damages.Take(3))
            {
                List<byte> file = kind < 5 ? idx : bin;
                if (file.Count == 0)
                    continue;
                if (kind is 0 or 1 or >= 5)
                    file[place % file.Count] = (byte)value;
                else if (kind == 2)
                    file.RemoveRange(place % file.Count, file.Count - place % file.Count);
                else if (kind == 3)
                    file.Insert(place % file.Count, (byte)value);
                else
                    file.RemoveAt(place % file.Count);
            }

            File.WriteAllBytes(folder["x.idx"], CollectionsMarshal.AsSpan(idx));
            File.WriteAllBytes(folder["x.bin"], CollectionsMarshal.AsSpan(bin));
            try
            {
                using IndexedDataset set = IndexedDataset.Open(folder["x"], new IndexedDatasetOptions { Vocabulary = 1000, AllowPartial = damages.Count % 2 == 0 });
                int[] ids = new int[set.TokenCount];
                set.Read(0, ids);
                Assert.All(ids, id => Assert.InRange(id, 0, 999));
                for (int d = 0; d < set.DocumentCount; d++)
                    Assert.True(set.DocumentStart(d) <= set.DocumentStart(d + 1));
                read++;
            }
            catch (CaldException error)
            {
                Assert.Contains(folder.Path, error.Message, StringComparison.Ordinal);
                refused++;
            }
        }).Holds(500);
        Assert.True(read > 20 && refused > 100, $"{read} read, {refused} refused");
    }

    [Fact]
    public void An_unfinished_data_set_leaves_the_earlier_one()
    {
        using TemporaryFolder folder = new();
        Write(folder, [1, 2, 3]);
        using (IndexedDatasetWriter writer = IndexedDatasetWriter.Create(folder["d"], IndexedElementType.UInt16))
        {
            writer.AddSequence([9, 9]);
            Assert.Contains("70000", Assert.Throws<CaldException>(() => writer.AddSequence([70_000])).Message, StringComparison.Ordinal);
            Assert.Throws<CaldException>(() => writer.AddSequence([-1]));
        }

        Assert.Equal(2, Directory.GetFiles(folder.Path).Length);
        using IndexedDataset data = IndexedDataset.Open(folder["d"]);
        Assert.Equal([1, 2, 3], data.Sequence(0));
        using IndexedDatasetWriter empty = IndexedDatasetWriter.Create(folder["e"], IndexedElementType.UInt16);
        Assert.Contains("no tokens", Assert.Throws<CaldException>(empty.Complete).Message, StringComparison.Ordinal);
    }

    private static void Write(TemporaryFolder folder, params int[][] sequences) => Write(folder, IndexedElementType.UInt16, sequences);

    private static void Write(TemporaryFolder folder, IndexedElementType type, params int[][] sequences)
    {
        using IndexedDatasetWriter writer = IndexedDatasetWriter.Create(folder["d"], type);
        foreach (int[] sequence in sequences)
        {
            writer.AddSequence(sequence);
            writer.EndDocument();
        }

        writer.Complete();
    }

    private static string Refused(TemporaryFolder folder) => Assert.Throws<CaldException>(() => IndexedDataset.Open(folder["d"])).Message;

    private static byte[] Bytes(long value)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Bytes(int value) => Bytes((long)value)[..4];
}
