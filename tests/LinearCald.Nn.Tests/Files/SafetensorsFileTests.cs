using System.Text;
using LinearCald.Nn.Files;
using LinearCald.Tensors;

namespace LinearCald.Nn.Tests.Files;

public class SafetensorsFileTests
{
    public static TheoryData<string, byte[], string> NotSafetensors { get; } = new()
    {
        { "zip.safetensors", Encoding.ASCII.GetBytes("PK\u0003\u0004________________"), "PyTorch pickle" },
        { "pickle.safetensors", [0x80, 2, .. new byte[20]], "PyTorch pickle" },
        { "lfs.safetensors", Encoding.ASCII.GetBytes("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "git lfs pull" },
        { "page.safetensors", Encoding.ASCII.GetBytes("<!DOCTYPE html><html></html>"), "web page" },
        { "empty.safetensors", [], "the file is empty" },
        { "short.safetensors", [1, 2, 3], "has 3 bytes" },
        { "eight.safetensors", new byte[8], "does not begin with '{'" },
    };

    [Theory]
    [MemberData(nameof(NotSafetensors))]
    public void Files_of_other_kinds_are_refused_with_what_to_do(string name, byte[] bytes, string expected)
    {
        using TemporaryFolder folder = new();
        string path = folder.Write(name, bytes);
        CaldException error = Assert.Throws<CaldException>(() => SafetensorsFile.Open(path).Dispose());
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        File.Delete(path); // nothing keeps it open
    }

    [Fact]
    public void Missing_files_and_folders_are_named()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("no such file", Assert.Throws<CaldException>(() => SafetensorsFile.Open(folder["none"])).Message, StringComparison.Ordinal);
        Assert.Contains("no such file", Assert.Throws<CaldException>(() => SafetensorsFile.Open(folder["none/x"])).Message, StringComparison.Ordinal);
        Assert.Contains("is a folder", Assert.Throws<CaldException>(() => SafetensorsFile.Open(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_conversion_gives_the_value_that_was_stored()
    {
        using TemporaryFolder folder = new();
        float[] values = [0, -0f, 1, -2.5f, 1e-3f, 65504, float.NaN, float.PositiveInfinity, 3e-6f];
        SafetensorsWriter.Write(folder["x"],
        [
            TensorPayload.FromSingles("F32", [9], values), TensorPayload.FromSingles("F64", [9], values, DType.Float64),
            TensorPayload.FromSingles("F16", [9], values, DType.Float16), TensorPayload.FromSingles("BF16", [9], values, DType.BFloat16),
        ]);
        using SafetensorsFile file = SafetensorsFile.Open(folder["x"]);
        float[] singles = new float[9];
        double[] doubles = new double[9];
        foreach ((string name, Func<float, float> rounded) in new (string, Func<float, float>)[]
        {
            ("F32", v => v), ("F64", v => v), ("F16", v => (float)(Half)v), ("BF16", v => (float)(BFloat16)v),
        })
        {
            file.Read(name, singles);
            file.Read(name, doubles);
            Assert.Equal(values.Select(rounded), singles);
            Assert.Equal(values.Select(v => (double)rounded(v)), doubles);
        }
    }

    [Fact]
    public void Integers_convert_among_each_other_and_what_does_not_fit_is_an_error()
    {
        using TemporaryFolder folder = new();
        long[] big = [1, -7, 1L << 40];
        SafetensorsWriter.Write(folder["x"],
        [
            TensorPayload.FromBytes("I64", DType.Int64, [3], System.Runtime.InteropServices.MemoryMarshal.AsBytes(big.AsSpan()).ToArray()),
            TensorPayload.FromBytes("U8", DType.UInt8, [3], new byte[] { 0, 2, 255 }),
            TensorPayload.FromBytes("BOOL", DType.Bool, [3], new byte[] { 0, 1, 2 }),
            TensorPayload.FromSingles("F32", [3], new float[3]),
        ]);
        using SafetensorsFile file = SafetensorsFile.Open(folder["x"]);
        long[] longs = new long[3];
        int[] ints = new int[3];
        file.Read("I64", longs);
        Assert.Equal(big, longs);
        file.Read("U8", ints);
        Assert.Equal([0, 2, 255], ints);
        file.Read("BOOL", ints);
        Assert.Equal([0, 1, 1], ints);
        Assert.Contains("holds 1099511627776, which does not fit", Assert.Throws<CaldException>(() => file.Read("I64", ints)).Message, StringComparison.Ordinal);
        Assert.Contains("'F32' is F32 [3], which cannot be read as Int64", Assert.Throws<CaldException>(() => file.Read("F32", longs)).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be read as Single", Assert.Throws<CaldException>(() => file.Read("U8", new float[3])).Message, StringComparison.Ordinal);
        Assert.Contains("3 elements, but 4 are wanted", Assert.Throws<CaldException>(() => file.Read("F32", new float[4])).Message, StringComparison.Ordinal);
        Assert.Contains("no tensor 'q' among its 4", Assert.Throws<CaldException>(() => file.Read("q", new float[4])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Types_we_cannot_compute_with_cannot_be_read_but_their_bytes_can()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("x", HeaderBytes.File("{\"q\":{\"dtype\":\"F8_E4M3\",\"shape\":[3],\"data_offsets\":[0,3]}}", 3));
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(3, file.Bytes("q").Length);
        Assert.Contains("F8_E4M3, which LinearCald cannot compute with", Assert.Throws<CaldException>(() => file.Read("q", new float[3])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_disposed_file_gives_no_more_bytes()
    {
        using TemporaryFolder folder = new();
        SafetensorsFile file = SafetensorsFile.Open(folder.Write("x", HeaderBytes.File("{\"q\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}", 3)));
        file.Dispose();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Bytes("q").Length);
    }

    [Fact]
    public void All_halves_and_bfloats_widen_exactly()
    {
        ushort[] bits = [.. Enumerable.Range(0, 65536 + 3).Select(i => (ushort)i)];
        ReadOnlySpan<byte> bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(bits.AsSpan());
        float[] fast = new float[bits.Length];
        Assert.True(ElementConversion.ToSingle(bytes, DType.Float16, fast));
        for (int i = 0; i < bits.Length; i++)
            AssertSameNumber((float)BitConverter.UInt16BitsToHalf(bits[i]), fast[i]);
        Assert.True(ElementConversion.ToSingle(bytes, DType.BFloat16, fast));
        for (int i = 0; i < bits.Length; i++)
            AssertSameNumber((float)new BFloat16(bits[i]), fast[i]);
    }

    private static void AssertSameNumber(float expected, float actual) =>
        Assert.True(float.IsNaN(expected) ? float.IsNaN(actual) : BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(actual), $"{expected} became {actual}");
}
