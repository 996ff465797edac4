using System.Buffers.Binary;
using LinearCald.Nn.Files;

namespace LinearCald.Nn.Tests.Files;

/// <summary>Every rule of the format, broken one at a time.</summary>
public class SafetensorsRulesTests
{
    private const string A = "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}";

    [Theory]
    [InlineData("{}", 0)]
    [InlineData("{" + A + "}", 8)]
    [InlineData("{" + A + "}     ", 8)]
    [InlineData("{\"__metadata__\":{}," + A + "}", 8)]
    [InlineData("{\"s\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}}", 8)]
    [InlineData("{\"z\":{\"dtype\":\"F32\",\"shape\":[0,9223372036854775807],\"data_offsets\":[0,0]}}", 0)]
    [InlineData("{\"z\":{\"shape\":[3,0],\"data_offsets\":[8,8],\"dtype\":\"F32\"}," + A + "}", 8)]
    [InlineData("{\"q\":{\"dtype\":\"F4\",\"shape\":[4],\"data_offsets\":[0,2]}}", 2)]
    [InlineData("{\"\\u00e9\\ud83d\\ude00\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1)]
    public void Legal_headers_are_accepted(string json, int data) => Assert.Equal(8 + json.Length, HeaderBytes.Parse(HeaderBytes.File(json, data)).DataStart);

    [Theory]
    [InlineData(" {}", 0, "does not begin with '{'")]
    [InlineData("", 0, "does not begin with '{'")]
    [InlineData("[1]", 0, "does not begin with '{'")]
    [InlineData("{\"a\":}", 0, "not valid JSON")]
    [InlineData("{", 0, "not valid JSON")]
    [InlineData("{}{}", 0, "not valid JSON")]
    [InlineData("{" + A + ",}", 8, "not valid JSON")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[[2]],\"data_offsets\":[0,8]}}", 8, "not valid JSON")]
    [InlineData("{\"\\ud800\":{}}", 0, "not valid JSON")]
    [InlineData("{" + A + "," + A + "}", 8, "'a' appears twice")]
    [InlineData("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ appears twice")]
    [InlineData("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "'k' appears twice")]
    [InlineData("{\"__metadata__\":{\"k\":1}}", 0, "'k' is Number, expected String")]
    [InlineData("{\"__metadata__\":[]}", 0, "expected StartObject")]
    [InlineData("{\"a\":3}", 0, "tensor 'a' is Number, expected StartObject")]
    [InlineData("{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "'a' lacks dtype")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, "'a' lacks shape")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "'a' lacks data_offsets")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"more\":1}}", 8, "key 'more'")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "repeated key 'dtype'")]
    [InlineData("{\"a\":{\"dtype\":\"F33\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "unknown dtype 'F33'; known are F32")]
    [InlineData("{\"a\":{\"dtype\":7,\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "expected String")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "shape of tensor 'a' holds something else than whole numbers")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8, "whole numbers")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775808],\"data_offsets\":[0,8]}}", 8, "whole numbers")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}", 8, "more than 8 numbers")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}", 8, "more elements than can be counted")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,0],\"data_offsets\":[0,0]}}", 0, "more elements than can be counted")]
    [InlineData("{\"a\":{\"dtype\":\"F64\",\"shape\":[4611686018427387904],\"data_offsets\":[0,8]}}", 8, "needs 36893488147419103232 bytes")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "needs 12 bytes, but its data_offsets [0, 8] span 8")]
    [InlineData("{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}}", 1, "and a fraction")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "begin ≤ end")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, "begin ≤ end")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}", 8, "more than 2 numbers")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, "starts at byte 4 of the data, but the data starts at 0")]
    [InlineData("{" + A + ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, "'b' starts at byte 4 of the data, but tensor 'a' before it ends at 8")]
    [InlineData("{" + A + ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[12,20]}}", 20, "neither overlap nor leave holes")]
    [InlineData("{" + A + ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "neither overlap nor leave holes")]
    [InlineData("{" + A + "}", 7, "cut short: its tensors take 8 bytes, but only 7 follow the header")]
    [InlineData("{" + A + "}", 9, "1 bytes follow the last tensor")]
    [InlineData("{}", 3, "3 bytes follow the last tensor")]
    public void Illegal_headers_are_refused_and_the_message_says_what_is_wrong(string json, int data, string expected)
    {
        CaldException error = Assert.Throws<CaldException>(() => HeaderBytes.Parse(HeaderBytes.File(json, data)));
        Assert.StartsWith("x.safetensors: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Matches("(download or copy it again|fetch the file again)\\.$", error.Message);
    }

    [Fact]
    public void Invalid_utf8_is_refused()
    {
        byte[] file = HeaderBytes.File("{\"ab\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4);
        file[10] = 0xC0;
        Assert.Contains("not valid UTF-8", Assert.Throws<CaldException>(() => HeaderBytes.Parse(file)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(100_000_001UL, "more than the 100000000 that are allowed")]
    [InlineData(ulong.MaxValue, "claims a header of 18446744073709551615 bytes")]
    [InlineData(3UL, "but only 2 bytes follow")]
    public void Lying_header_lengths_are_refused(ulong length, string expected)
    {
        byte[] file = HeaderBytes.File("{}", 0);
        BinaryPrimitives.WriteUInt64LittleEndian(file, length);
        Assert.Contains(expected, Assert.Throws<CaldException>(() => HeaderBytes.Parse(file)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "the file is empty")]
    [InlineData(7, "the file has 7 bytes")]
    public void Files_shorter_than_the_length_field_are_refused(int length, string expected) =>
        Assert.Contains(expected, Assert.Throws<CaldException>(() => HeaderBytes.Parse(new byte[length])).Message, StringComparison.Ordinal);

    [Fact]
    public void Long_and_unprintable_names_do_not_flood_the_message()
    {
        string name = "\\u001b[31m" + new string('x', 100_000);
        string message = Assert.Throws<CaldException>(() => HeaderBytes.Parse(HeaderBytes.File($"{{\"{name}\":3}}", 0))).Message;
        Assert.True(message.Length < 400, $"the message has {message.Length} characters");
        Assert.Contains("\\u001b", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', message);
    }

    [Fact]
    public void Types_we_cannot_compute_with_are_listed()
    {
        SafetensorsEntry entry = Assert.Single(HeaderBytes.Parse(HeaderBytes.File("{\"q\":{\"dtype\":\"F8_E4M3\",\"shape\":[3],\"data_offsets\":[0,3]}}", 3)).Entries);
        Assert.Equal(("F8_E4M3", null, 3L), (entry.TypeName, entry.Type, entry.ByteLength));
    }
}
