using System.Text.Json;
using LinearCald.Tensors.Cpu;

namespace LinearCald.Tensors.Tests.Cpu;

/// <summary>Causal attention against values from an implementation that is not ours (tests/fixtures/seed0/ops).</summary>
public sealed unsafe class AttentionGoldenTests
{
    [Fact]
    public void CausalAttentionMatchesTheFixture()
    {
        AttentionShape shape = new(2, 3, 19, 19, 8);
        AttentionCase<float> c = new(shape, new(1.0 / Math.Sqrt(8), true), null, 0, 5)
        {
            Q = Read("inputs", "q", shape),
            K = Read("inputs", "k", shape),
            V = Read("inputs", "v", shape),
            G = Read("inputs", "grad_out", shape),
        };
        c.Run();
        Assert.True(AttentionGrid<float>.Error((c.Output, Read("expected", "out", shape).ToDouble())) < 1e-5);
        Assert.True(AttentionGrid<float>.Error((c.Dq, Read("expected", "grad.q", shape).ToDouble())) < 1e-5);
        Assert.True(AttentionGrid<float>.Error((c.Dk, Read("expected", "grad.k", shape).ToDouble())) < 1e-5);
        Assert.True(AttentionGrid<float>.Error((c.Dv, Read("expected", "grad.v", shape).ToDouble())) < 1e-5);
    }

    /// <summary>A tensor [B, H, L, D] of the fixture as rows [B · L, H · D].</summary>
    private static AttentionGrid<float> Read(string file, string name, AttentionShape shape)
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(Fixtures(), file + ".safetensors"));
        int header = (int)BitConverter.ToInt64(bytes);
        using JsonDocument document = JsonDocument.Parse(bytes.AsMemory(8, header));
        JsonElement entry = document.RootElement.GetProperty("sdpa_causal." + name);
        Assert.Equal("F32", entry.GetProperty("dtype").GetString());
        Assert.Equal([shape.Batch, shape.Heads, shape.QueryLength, shape.HeadSize], entry.GetProperty("shape").EnumerateArray().Select(x => x.GetInt32()));
        int at = 8 + header + entry.GetProperty("data_offsets")[0].GetInt32();
        AttentionGrid<float> grid = new(shape.Batch * shape.QueryLength, shape.Width, 5);
        for (int i = 0; i < grid.Count; i++)
        {
            (int rest, int d) = Math.DivRem(i, shape.HeadSize);
            (rest, int l) = Math.DivRem(rest, shape.QueryLength);
            (int b, int h) = Math.DivRem(rest, shape.Heads);
            grid[(((b * shape.QueryLength) + l) * shape.Width) + (h * shape.HeadSize) + d] = BitConverter.ToSingle(bytes, at + (4 * i));
        }

        return grid;
    }

    private static string Fixtures()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, "tests", "fixtures", "seed0", "ops");
            if (Directory.Exists(path))
            {
                return path;
            }
        }

        throw new DirectoryNotFoundException("tests/fixtures/seed0/ops, above " + AppContext.BaseDirectory);
    }
}
