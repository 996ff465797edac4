using System.Text;
using LinearCald.Nn.Files;

namespace LinearCald.Nn.Tests.Files;

public class WeightsReaderTests
{
    private static TensorPayload Tensor(string name, params float[] values) => TensorPayload.FromSingles(name, [values.Length], values);

    private static string MessageOf(string path) => Assert.Throws<CaldException>(() => WeightsReader.Open(path).Dispose()).Message;

    [Theory]
    [InlineData(1_000_000, 1)]
    [InlineData(40, 3)]
    [InlineData(1, 4)]
    public void One_file_or_several_read_alike(long maxShardBytes, int files)
    {
        using TemporaryFolder folder = new();
        TensorPayload[] tensors = [Tensor("d", 1, 2, 3), Tensor("a", 4, 5, 6, 7, 8, 9), Tensor("b", 10, 11), Tensor("c", [.. new float[30]])];
        IReadOnlyList<string> written = WeightsWriter.Write(folder.Path, tensors, maxShardBytes);
        Assert.Equal(files == 1 ? 1 : files + 1, written.Count);
        Assert.Equal(written.Order(), Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order());
        using WeightsReader reader = WeightsReader.Open(folder.Path);
        Assert.Equal(["a", "b", "c", "d"], reader.Names);
        foreach (TensorPayload tensor in tensors)
        {
            float[] expected = new float[tensor.ElementCount];
            tensor.Fill(0, System.Runtime.InteropServices.MemoryMarshal.AsBytes(expected.AsSpan()));
            float[] read = new float[expected.Length];
            reader.Read(tensor.Name, read);
            Assert.Equal(expected, read);
            Assert.Equal(tensor.Shape, reader.Entry(tensor.Name).Shape);
        }

        Assert.True(reader.Contains("a"));
        Assert.False(reader.Contains("e"));
        Assert.Contains("no tensor 'e' among its 4", Assert.Throws<CaldException>(() => reader.Entry("e")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_of_an_earlier_model_do_not_survive_a_later_one()
    {
        using TemporaryFolder folder = new();
        WeightsWriter.Write(folder.Path, [Tensor("old", 1)]);
        WeightsWriter.Write(folder.Path, [Tensor("a", 1), Tensor("b", 2), Tensor("c", 3)], 4);
        WeightsWriter.Write(folder.Path, [Tensor("a", 1), Tensor("b", 2)], 4);
        Assert.Equal(["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order());
        WeightsWriter.Write(folder.Path, [Tensor("new", 1)]);
        Assert.Equal(["model.safetensors"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Shards_are_opened_when_needed_and_a_damaged_one_is_named()
    {
        using TemporaryFolder folder = new();
        WeightsWriter.Write(folder.Path, [Tensor("a", 1), Tensor("b", 2)], 4);
        folder.Write("model-00002-of-00002.safetensors", [1, 2, 3]);
        using WeightsReader reader = WeightsReader.Open(folder.Path);
        float[] value = new float[1];
        reader.Read("a", value);
        Assert.Equal(1, value[0]);
        Assert.Contains("model-00002-of-00002.safetensors: the file has 3 bytes", Assert.Throws<CaldException>(() => reader.Read("b", value)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../x.safetensors")]
    [InlineData("/etc/x.safetensors")]
    [InlineData("a/b.safetensors")]
    [InlineData("..\\x.safetensors")]
    [InlineData("C:x.safetensors")]
    [InlineData(".safetensors")]
    [InlineData("x.json")]
    [InlineData("")]
    public void An_index_cannot_lead_out_of_its_folder(string shard)
    {
        using TemporaryFolder folder = new();
        string json = System.Text.Json.JsonSerializer.Serialize(new { weight_map = new Dictionary<string, string> { ["w"] = shard } });
        string message = MessageOf(folder.Write("model.safetensors.index.json", Encoding.UTF8.GetBytes(json)));
        Assert.Contains("a shard is the plain name of a .safetensors file in the same folder", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"weight_map\":{\"w\":\"gone.safetensors\"}}", "names 1 shard(s) that are not in")]
    [InlineData("{\"weight_map\":{\"w\":\"p.bin\"}}", "Pickled PyTorch weights")]
    [InlineData("{\"weight_map\":{\"w\":3}}", "tensor 'w' is mapped to a JSON Number")]
    [InlineData("{\"weight_map\":{\"w\":\"a.safetensors\",\"w\":\"a.safetensors\"}}", "is not valid JSON")]
    [InlineData("{\"weight_map\":[]}", "no object \"weight_map\"")]
    [InlineData("{\"metadata\":{}}", "no object \"weight_map\"")]
    [InlineData("[]", "expected an object")]
    [InlineData("{", "is not valid JSON")]
    [InlineData("{} x", "is not valid JSON")]
    [InlineData("{\"weight_map\":{\"\\ud800\":\"a.safetensors\"}}", "")]
    [InlineData("", "is not valid JSON")]
    public void Broken_indexes_are_refused(string json, string expected)
    {
        using TemporaryFolder folder = new();
        string message = MessageOf(Path.GetDirectoryName(folder.Write("model.safetensors.index.json", Encoding.UTF8.GetBytes(json)))!);
        Assert.Contains("model.safetensors.index.json", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_index_that_does_not_belong_to_its_shards_is_found_out()
    {
        using TemporaryFolder folder = new();
        WeightsWriter.Write(folder.Path, [Tensor("a", 1), Tensor("b", 2)], 4);
        SafetensorsWriter.Write(folder["model-00002-of-00002.safetensors"], [Tensor("other", 2)]);
        using WeightsReader reader = WeightsReader.Open(folder.Path);
        Assert.Contains("tensor 'b' is in model-00002-of-00002.safetensors, but that file does not hold it", Assert.Throws<CaldException>(() => reader.Entry("b")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_damage_to_an_index_is_refused_or_harmless()
    {
        byte[] index = "{\"metadata\":{\"total_size\":8},\"weight_map\":{\"a\":\"model-1.safetensors\",\"b\\u00e9\":\"model-2.safetensors\"}}"u8.ToArray();
        Random random = new(7);
        int refused = 0;
        for (int i = 0; i < 20_000; i++)
        {
            byte[] damaged = [.. index];
            for (int k = random.Next(1, 4); k > 0; k--)
                damaged[random.Next(damaged.Length)] = (byte)(random.Next(3) == 0 ? random.Next(256) : "{}[]\",:\\u0d8./"[random.Next(14)]);
            try
            {
                Dictionary<string, string> map = WeightsIndex.Parse(damaged.AsMemory(0, random.Next(4) == 0 ? random.Next(damaged.Length) : damaged.Length), "x");
                Assert.All(map.Values, shard => Assert.Equal(shard, Path.GetFileName(shard)));
            }
            catch (CaldException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1_000, 19_999);
    }

    [Fact]
    public void Pickled_weights_are_refused_with_what_to_do()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("pytorch_model.bin", "PK"u8);
        foreach (string message in new[] { MessageOf(folder.Path), MessageOf(path) })
        {
            Assert.Contains("pytorch_model.bin", message, StringComparison.Ordinal);
            Assert.Contains("Pickled PyTorch weights can run any code", message, StringComparison.Ordinal);
            Assert.Contains("safetensors.torch.save_file", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Missing_parts_of_a_model_folder_are_named()
    {
        using TemporaryFolder folder = new();
        folder.Write("readme.md", []);
        Assert.Contains("check the path", MessageOf(folder["none"]), StringComparison.Ordinal);
        Assert.Contains("has no weights: expected model.safetensors", MessageOf(folder.Path), StringComparison.Ordinal);
        Assert.Contains("it holds: readme.md", MessageOf(folder.Path), StringComparison.Ordinal);
        Assert.Contains("has no config.json", Assert.Throws<CaldException>(() => ModelFolder.ReadConfig(folder.Path)).Message, StringComparison.Ordinal);
        Assert.Contains("There is no folder", Assert.Throws<CaldException>(() => ModelFolder.ReadConfig(folder["none"])).Message, StringComparison.Ordinal);
        Assert.Contains("is a file", Assert.Throws<CaldException>(() => ModelFolder.ReadConfig(folder["readme.md"])).Message, StringComparison.Ordinal);
        folder.Write("config.json", "{\"model_type\":"u8);
        Assert.Contains("config.json is not valid JSON", Assert.Throws<CaldException>(() => ModelFolder.ReadConfig(folder.Path)).Message, StringComparison.Ordinal);
        folder.Write("config.json", "\uFEFF{\"model_type\":\"roberta\"}"u8);
        Assert.Equal("roberta", ModelFolder.ReadConfig(folder.Path).GetProperty("model_type").GetString());
    }
}
