using System.Text;
using FsCheck.Fluent;
using LinearCald.Nn.Files;

namespace LinearCald.Nn.Tests.Files;

public class JsonLinesWriterTests
{
    private static void WriteStep(JsonLinesWriter writer, int step) => writer.Write(json =>
    {
        json.WriteNumber("step", step);
        json.WriteString("note", "größer\n");
    });

    [Fact]
    public void Rows_are_in_the_file_as_soon_as_they_are_written()
    {
        using TemporaryFolder folder = new();
        using JsonLinesWriter writer = JsonLinesWriter.Create(folder["run/metrics.jsonl"]);
        WriteStep(writer, 1);
        WriteStep(writer, 2);
        writer.FlushToDisk();
        Assert.Equal("{\"step\":1,\"note\":\"größer\\n\"}\n{\"step\":2,\"note\":\"größer\\n\"}\n", ReadShared(writer.Path));
    }

    /// <summary>A run that is killed after any byte of its file and resumed from any step ends with the file of the run that was not killed.</summary>
    [Fact]
    public void Cut_anywhere_and_resumed_the_file_ends_the_same()
    {
        using TemporaryFolder folder = new();
        string path = folder["metrics.jsonl"];
        const int Steps = 12;
        using (JsonLinesWriter writer = JsonLinesWriter.Create(path))
        {
            for (int step = 1; step <= Steps; step++)
                WriteStep(writer, step);
        }

        byte[] whole = File.ReadAllBytes(path);
        Prop.ForAll(Gen.Choose(0, whole.Length).Zip(Gen.Choose(0, Steps)).ToArbitrary(), draw =>
        {
            (int cut, int checkpoint) = draw;
            int complete = whole.AsSpan(0, cut).Count((byte)'\n');
            checkpoint = Math.Min(checkpoint, complete);
            File.WriteAllBytes(path, whole[..cut]);
            using (JsonLinesWriter writer = JsonLinesWriter.Resume(path, checkpoint))
            {
                for (int step = checkpoint + 1; step <= Steps; step++)
                    WriteStep(writer, step);
            }

            Assert.Equal(whole, File.ReadAllBytes(path));
        }).Holds();
    }

    [Fact]
    public void Rows_without_a_step_stay_and_zeros_left_by_a_power_cut_go()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("m.jsonl", Encoding.UTF8.GetBytes("{\"start\":1}\n{\"step\":5}\n{\"step\":9}\n{\"end\":1}\n\0\0\0\n\0\0"));
        JsonLinesWriter.Resume(path, 5).Dispose();
        Assert.Equal("{\"start\":1}\n{\"step\":5}\n{\"end\":1}\n", File.ReadAllText(path));
    }

    [Fact]
    public void Damage_in_the_middle_is_an_error_that_names_the_line()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("m.jsonl", "{\"step\":1}\noops\n{\"step\":3}\n"u8);
        Assert.Contains("line 2 is not a JSON object", Assert.Throws<CaldException>(() => JsonLinesWriter.Resume(path)).Message, StringComparison.Ordinal);
        Assert.Equal("{\"step\":1}\noops\n{\"step\":3}\n", File.ReadAllText(path));
    }

    [Fact]
    public void Resuming_nothing_starts_a_file()
    {
        using TemporaryFolder folder = new();
        using (JsonLinesWriter writer = JsonLinesWriter.Resume(folder["m.jsonl"], 3))
            WriteStep(writer, 4);
        Assert.Single(File.ReadAllLines(folder["m.jsonl"]));
    }

    private static string ReadShared(string path)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
