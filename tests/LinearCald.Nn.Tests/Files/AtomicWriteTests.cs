using LinearCald.Nn.Files;
using LinearCald.Tensors;

namespace LinearCald.Nn.Tests.Files;

public class AtomicWriteTests
{
    [Fact]
    public void A_failed_write_leaves_the_earlier_file_and_no_temporary()
    {
        using TemporaryFolder folder = new();
        AtomicFile.WriteText(folder["a.json"], "old");
        CaldException error = Assert.Throws<CaldException>(() => AtomicFile.Write(folder["a.json"], 1000, stream =>
        {
            stream.Write("half"u8);
            throw new IOException("Input/output error.");
        }));
        Assert.Contains("a.json: Input/output error. 1000 bytes are needed", error.Message, StringComparison.Ordinal);
        Assert.Contains("Free some space", error.Message, StringComparison.Ordinal);
        Assert.Equal("old", File.ReadAllText(folder["a.json"]));
        Assert.Equal([folder["a.json"]], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Failures_that_are_not_the_disks_pass_through_and_leave_no_temporary()
    {
        using TemporaryFolder folder = new();
        Assert.Throws<OperationCanceledException>(() => AtomicFile.Write(folder["a"], 0, _ => throw new OperationCanceledException()));
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    /// <summary>A file larger than any disk: the system refuses to reserve it, or at the latest the contents do.</summary>
    [Fact]
    public void A_full_disk_is_reported_with_the_bytes_needed_and_the_earlier_file_stays()
    {
        using TemporaryFolder folder = new();
        SafetensorsWriter.Write(folder["w.safetensors"], [TensorPayload.FromSingles("w", [2], new float[] { 1, 2 })]);
        byte[] earlier = File.ReadAllBytes(folder["w.safetensors"]);
        TensorPayload huge = new("w", DType.Float32, [1L << 45], (_, _) => throw new IOException("No space left on device"));
        CaldException error = Assert.Throws<CaldException>(() => SafetensorsWriter.Write(folder["w.safetensors"], [huge]));
        Assert.Matches("the disk is full. 140737488355\\d\\d\\d bytes are needed, \\d+ are free", error.Message);
        Assert.Equal(earlier, File.ReadAllBytes(folder["w.safetensors"]));
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Temporaries_of_a_killed_process_are_overwritten()
    {
        using TemporaryFolder folder = new();
        folder.Write("a.txt.tmp", new byte[100]);
        AtomicFile.WriteText(folder["a.txt"], "new");
        Assert.Equal("new", File.ReadAllText(folder["a.txt"]));
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_folder_is_replaced_whole_or_not_at_all()
    {
        using TemporaryFolder folder = new();
        string model = folder["model"];
        AtomicDirectory.Write(model, f =>
        {
            File.WriteAllText(Path.Combine(f, "one"), "1");
            Directory.CreateDirectory(Path.Combine(f, "inner"));
            File.WriteAllText(Path.Combine(f, "inner", "two"), "2");
        });
        Assert.Equal("2", File.ReadAllText(Path.Combine(model, "inner", "two")));
        Assert.Throws<CaldException>(() => AtomicDirectory.Write(model, f =>
        {
            File.WriteAllText(Path.Combine(f, "one"), "changed");
            throw new IOException("No space left on device");
        }));
        Assert.Equal("1", File.ReadAllText(Path.Combine(model, "one")));
        AtomicDirectory.Write(model + Path.DirectorySeparatorChar, f => File.WriteAllText(Path.Combine(f, "three"), "3"));
        Assert.Equal([Path.Combine(model, "three")], Directory.GetFileSystemEntries(model));
        Assert.Equal([model], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_folder_whose_replacement_was_cut_short_comes_back()
    {
        using TemporaryFolder folder = new();
        folder.Write("model.old/one", "1"u8);
        folder.Write("model.tmp/half", "?"u8);
        AtomicDirectory.Recover(folder["model"]);
        Assert.Equal([folder["model"]], Directory.GetFileSystemEntries(folder.Path));
        Assert.Equal("1", File.ReadAllText(folder["model/one"]));
    }

    [Fact]
    public void Checkpoints_are_listed_when_complete_and_thinned_out()
    {
        using TemporaryFolder folder = new();
        CheckpointFolders checkpoints = new(folder.Path);
        Assert.Empty(checkpoints.Steps());
        foreach (long step in new long[] { 5, 1_234_567, 40, 300 })
            checkpoints.Write(step, f => File.WriteAllText(Path.Combine(f, "state"), "s"));
        folder.Write("checkpoints/step-000999.tmp/state", "?"u8);
        folder.Write("checkpoints/step-000300.old/state", "o"u8);
        folder.Write("checkpoints/step-7/state", "not ours"u8);
        Assert.Equal([5, 40, 300, 1_234_567], checkpoints.Steps());
        Assert.EndsWith("step-000040", checkpoints.PathOf(40), StringComparison.Ordinal);
        checkpoints.KeepLast(2, protectedSteps: 5);
        Assert.Equal([5, 300, 1_234_567], checkpoints.Steps());
        checkpoints.Recover();
        Assert.False(Directory.Exists(folder["checkpoints/step-000999.tmp"]));
        Assert.False(Directory.Exists(folder["checkpoints/step-000300.old"]));
        Assert.Equal("s", File.ReadAllText(Path.Combine(checkpoints.PathOf(300), "state")));
        Assert.True(Directory.Exists(folder["checkpoints/step-7"]));
    }
}
