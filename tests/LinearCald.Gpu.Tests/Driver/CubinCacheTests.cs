using LinearCald.Gpu.Driver;

namespace LinearCald.Gpu.Tests.Driver;

public sealed class CubinCacheTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cubins").FullName;

    [Fact]
    public void What_was_written_is_read_by_another_process_of_the_same_folder()
    {
        byte[] image = [1, 2, 3, 4];
        new CubinCache(Path.Combine(_folder, "new")).Write("a", image);
        CubinCache other = new(Path.Combine(_folder, "new"));
        Assert.Equal(image, other.Read("a"));
        Assert.Null(other.Read("b"));
        Assert.Equal((36, 1), other.Size());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(40)]
    public void A_cut_file_is_ignored_and_removed(int length)
    {
        CubinCache cache = new(_folder);
        cache.Write("a", new byte[100]);
        string file = Directory.GetFiles(_folder).Single();
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..length]);
        Assert.Null(cache.Read("a"));
        Assert.Empty(Directory.GetFiles(_folder));
        cache.Write("a", [7]);
        Assert.Equal([7], cache.Read("a"));
    }

    [Fact]
    public void A_changed_byte_anywhere_is_noticed()
    {
        CubinCache cache = new(_folder);
        for (int i = 0; i < 42; i++)
        {
            cache.Write("a", new byte[10]);
            string file = Directory.GetFiles(_folder).Single();
            byte[] bytes = File.ReadAllBytes(file);
            bytes[i] ^= 1;
            File.WriteAllBytes(file, bytes);
            Assert.Null(cache.Read("a"));
        }
    }

    [Fact]
    public void The_key_depends_on_text_driver_and_architecture()
    {
        string key = CubinCache.Key("text", "580.1 (CUDA 13.0)", 90);
        Assert.Equal(64, key.Length);
        Assert.Equal(key, CubinCache.Key("text", "580.1 (CUDA 13.0)", 90));
        Assert.NotEqual(key, CubinCache.Key("texu", "580.1 (CUDA 13.0)", 90));
        Assert.NotEqual(key, CubinCache.Key("text", "580.2 (CUDA 13.0)", 90));
        Assert.NotEqual(key, CubinCache.Key("text", "580.1 (CUDA 13.0)", 80));
    }

    [Fact]
    public void Above_its_capacity_the_entries_unused_for_longest_go()
    {
        CubinCache cache = new(_folder, capacity: 1000);
        for (int i = 0; i < 9; i++)
        {
            cache.Write($"k{i}", new byte[100]);
            File.SetLastWriteTimeUtc(Path.Combine(_folder, $"k{i}.cubin"), DateTime.UtcNow.AddDays(i - 20));
        }

        Assert.NotNull(cache.Read("k0"));
        cache.Shrink();
        Assert.True(cache.Size().Bytes <= 750);
        Assert.NotNull(cache.Read("k0"));
        Assert.NotNull(cache.Read("k8"));
        Assert.Null(cache.Read("k1"));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_no_error()
    {
        string file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        CubinCache cache = new(Path.Combine(file, "below"));
        cache.Write("a", [1]);
        Assert.Null(cache.Read("a"));
        Assert.Equal((0, 0), cache.Size());
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
