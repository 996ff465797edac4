using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;
using LinearCald.Nn.Files;
using LinearCald.Tensors;

namespace LinearCald.Nn.Tests.Files;

public class SafetensorsRoundTripTests
{
    private static readonly DType[] Types = Enum.GetValues<DType>();

    /// <summary>Up to eight tensors: any names, any types, rank 0 to 4, extents 0 to 5.</summary>
    private static Arbitrary<TensorPayload[]> Payloads()
    {
        Gen<string> name = Gen.OneOf(
            ArbMap.Default.GeneratorFor<UnicodeString>().Select(s => s.Item ?? ""),
            Gen.Elements("", "weight", "a.b.c", "\0", "\"\\/", "é", "日本語", "😀", "\u2028", "__metadata", "data_offsets"));
        Gen<TensorPayload> tensor = name.SelectMany(n => Gen.Elements(Types).SelectMany(type => Gen.Choose(0, 5).Select(e => (long)e).ListOf().SelectMany(extents =>
            Gen.Choose(0, int.MaxValue).Select(seed =>
            {
                long[] shape = [.. extents.Take(4)];
                byte[] bytes = new byte[shape.Aggregate(1L, (p, e) => p * e) * type.Size()];
                new System.Random(seed).NextBytes(bytes);
                return TensorPayload.FromBytes(n, type, shape, bytes);
            }))));
        return tensor.ListOf().Select(ts => ts.Where(t => IsText(t.Name)).DistinctBy(t => t.Name).Take(8).ToArray()).ToArbitrary();
    }

    [Fact]
    public void Whatever_is_written_is_read_back_to_the_bit_and_stands_aligned()
    {
        using TemporaryFolder folder = new();
        Prop.ForAll(Payloads(), tensors =>
        {
            string path = folder["x.safetensors"];
            Dictionary<string, string> metadata = new() { ["format"] = "pt", ["ключ"] = "\u0001 значение" };
            SafetensorsWriter.Write(path, tensors, metadata);
            using SafetensorsFile file = SafetensorsFile.Open(path);
            Assert.Equal(metadata, file.Metadata);
            Assert.Equal(tensors.Length, file.Entries.Count);
            using MemoryStream copy = new();
            SafetensorsWriter.Write(copy, tensors, metadata);
            Assert.Equal(File.ReadAllBytes(path), copy.ToArray());
            long dataStart = copy.Length - tensors.Sum(t => t.ByteLength);
            foreach (TensorPayload tensor in tensors)
            {
                SafetensorsEntry entry = file.Entry(tensor.Name);
                Assert.Equal(tensor.Type, entry.Type);
                Assert.Equal(tensor.Shape, entry.Shape);
                Assert.Equal(0, (dataStart + entry.Offset) % tensor.Type.Size());
                byte[] expected = new byte[tensor.ByteLength];
                tensor.Fill(0, expected);
                Assert.Equal(expected, file.Bytes(tensor.Name).ToArray());
            }
        }).Holds();
    }

    [Fact]
    public void A_tensor_longer_than_the_writers_buffer_arrives_whole()
    {
        using TemporaryFolder folder = new();
        float[] values = [.. Enumerable.Range(0, 700_001).Select(i => i * 0.5f)];
        SafetensorsWriter.Write(folder["x.safetensors"], [TensorPayload.FromSingles("w", [7, 100_000], values.AsMemory(0, 700_000)), TensorPayload.FromSingles("h", [700_001], values, DType.BFloat16)]);
        using SafetensorsFile file = SafetensorsFile.Open(folder["x.safetensors"]);
        float[] read = new float[700_000];
        file.Read("w", read);
        Assert.Equal(values[..700_000], read);
        float[] rounded = new float[700_001];
        file.Read("h", rounded);
        Assert.Equal(values.Select(v => (float)(BFloat16)v), rounded);
    }

    [Fact]
    public void Values_past_the_range_of_the_stored_type_are_an_error_that_names_them()
    {
        using TemporaryFolder folder = new();
        TensorPayload payload = TensorPayload.FromSingles("w", [3], new float[] { 1, float.PositiveInfinity, 70_000 }, DType.Float16);
        CaldException error = Assert.Throws<CaldException>(() => SafetensorsWriter.Write(folder["x.safetensors"], [payload]));
        Assert.Contains("tensor 'w' as F16: element 2 is 70000", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Files_written_by_the_formats_own_library_are_read()
    {
        using SafetensorsFile file = SafetensorsFile.Open(FixtureFolder.PathOf("seed0/roberta-mlm/inputs.safetensors"));
        Assert.Equal(["attention_mask", "input_ids", "labels"], file.Entries.Select(e => e.Name).Order());
        Assert.Equal([5L, 33L], file.Entry("labels").Shape);
        int[] mask = new int[5 * 33];
        file.Read("attention_mask", mask);
        Assert.Equal(33 + 17 + 9 + 25 + 3, mask.Sum());
        Assert.Equal(-100, MemoryMarshal.Cast<byte, long>(file.Bytes("labels")).ToArray().Min());
    }

    [Fact]
    public void Reserved_and_repeated_names_are_refused()
    {
        TensorPayload Named(string name) => TensorPayload.FromSingles(name, [1], new float[1]);
        using MemoryStream stream = new();
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(stream, [Named("__metadata__")]));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(stream, [Named("a"), Named("a")]));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(stream, [Named("\ud800")]));
    }

    private static bool IsText(string name) => name.EnumerateRunes().All(r => r.Value != 0xFFFD) && name != "__metadata__";
}
