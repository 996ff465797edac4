using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using LinearCald.Nn.Files;

namespace LinearCald.Nn.Tests.Files;

/// <summary>Mutated headers: each is accepted as a complete tiling of its data or refused with a <see cref="CaldException"/>, quickly and in little memory.</summary>
public class SafetensorsFuzzTests
{
    private const int Inputs = 120_000;

    /// <summary>Bytes of managed memory that a parse may take for a byte of input, and at least.</summary>
    private const int BytesPerByte = 32;
    private const int BytesAtLeast = 32 * 1024;

    private static readonly (string Json, int DataLength)[] Seeds =
    [
        ("{}", 0),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}", 24),
        ("{\"__metadata__\":{\"format\":\"pt\",\"k\":\"v\"},\"w\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[8,16]}}  ", 16),
        ("{\"e\":{\"dtype\":\"F64\",\"shape\":[0,7],\"data_offsets\":[0,0]},\"x\":{\"dtype\":\"BOOL\",\"shape\":[5],\"data_offsets\":[0,5]},\"\\u00e9\\ud83d\\ude00\":{\"dtype\":\"F4\",\"shape\":[2,1],\"data_offsets\":[5,6]}}", 6),
        ("{" + string.Join(",", Enumerable.Range(0, 40).Select(i => $"\"layer.{i}.weight\":{{\"dtype\":\"F16\",\"shape\":[1,2],\"data_offsets\":[{4 * i},{4 * i + 4}]}}")) + "}", 160),
    ];

    private static readonly byte[][] Splices = [.. new[]
    {
        "-1", "0", "1", "9223372036854775807", "9223372036854775808", "18446744073709551615", "1e9", "1.5", "4294967296", "[", "]", "{", "}", "[[[[[[[[", "\"", "\\",
        "\\ud800", "\\u0000", ",", ":", "null", "true", "\"dtype\"", "\"shape\"", "\"data_offsets\"", "\"__metadata__\"", "\"F32\"", "\"F8_E5M2\"", "\"a\":", "{\"a\":",
        "[0,0]", "[8,0]", "/*x*/", "\0", "\uFEFF", "    ",
    }.Select(Encoding.UTF8.GetBytes)];

    [Fact]
    public void Mutated_headers_are_accepted_or_refused_but_never_crash_hang_or_take_much_memory()
    {
        Random random = new(20_250_101);
        int accepted = 0;
        long slowest = 0;
        List<byte> json = [];
        for (int input = 0; input < Inputs; input++)
        {
            (byte[] file, long fileLength) = Mutate(random, json);
            long before = GC.GetAllocatedBytesForCurrentThread();
            long start = Stopwatch.GetTimestamp();
            SafetensorsHeader? header = null;
            try
            {
                header = SafetensorsHeader.Parse(file, fileLength, "x");
            }
            catch (CaldException)
            {
                // the only way to refuse; anything else fails the test
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"input {input} ({Convert.ToHexString(file)}, length {fileLength}) crashed the parser", e);
            }

            slowest = Math.Max(slowest, Stopwatch.GetTimestamp() - start);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated <= BytesAtLeast + (long)BytesPerByte * file.Length, $"input {input} of {file.Length} bytes took {allocated} bytes");
            if (header is not null)
            {
                accepted++;
                AssertTiles(header, fileLength);
            }
        }

        Assert.InRange(accepted, Inputs / 50, Inputs); // else the mutations never get past the first check
        Assert.True(slowest < 2 * Stopwatch.Frequency, $"the slowest input took {slowest / (double)Stopwatch.Frequency} s");
    }

    /// <summary>Time and memory grow with the header, not with its square.</summary>
    [Fact]
    public void A_header_of_many_tensors_is_read_in_linear_time_and_memory()
    {
        const int Tensors = 50_000;
        StringBuilder json = new("{");
        for (int i = 0; i < Tensors; i++)
            json.Append(System.Globalization.CultureInfo.InvariantCulture, $"{(i == 0 ? "" : ",")}\"{i}\":{{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[{Tensors - 1 - i},{Tensors - i}]}}");
        byte[] file = HeaderBytes.File(json.Append('}').ToString(), Tensors);
        long before = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        SafetensorsHeader header = HeaderBytes.Parse(file);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(5), $"took {Stopwatch.GetElapsedTime(start)}");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (long)BytesPerByte * file.Length);
        AssertTiles(header, file.Length);
        Assert.Equal("49999", header.Entries[0].Name);
    }

    private static void AssertTiles(SafetensorsHeader header, long fileLength)
    {
        long at = header.DataStart;
        foreach (SafetensorsEntry entry in header.Entries)
        {
            Assert.Equal(at, header.DataStart + entry.Offset);
            Assert.True(entry.Type is null || entry.ByteLength == entry.ElementCount * Tensors.DTypeExtensions.Size(entry.Type.Value));
            at += entry.ByteLength;
        }

        Assert.Equal(fileLength, at);
    }

    private static (byte[] File, long FileLength) Mutate(Random random, List<byte> json)
    {
        (string seed, int data) = Seeds[random.Next(Seeds.Length)];
        json.Clear();
        json.AddRange(Encoding.UTF8.GetBytes(seed));
        for (int changes = random.Next(5); changes > 0; changes--)
            Change(random, json);

        byte[] file = HeaderBytes.File([.. json], 0);
        long fileLength = file.Length + (long)data;
        switch (random.Next(20))
        {
            case 0:
                BinaryPrimitives.WriteInt64LittleEndian(file, random.NextInt64());
                break;
            case 1:
                BinaryPrimitives.WriteInt64LittleEndian(file, json.Count + random.Next(-9, 10));
                break;
            case 2:
                file = file[..random.Next(file.Length + 1)];
                fileLength = file.Length;
                break;
            case 3:
                fileLength = Math.Max(file.Length, fileLength + random.Next(-20, 20));
                break;
        }

        return (file, fileLength);
    }

    private static void Change(Random random, List<byte> json)
    {
        int at = random.Next(json.Count + 1);
        int length = Math.Min(random.Next(1, 16), json.Count - at);
        switch (random.Next(9))
        {
            case 0 when length > 0:
                json[at] = (byte)random.Next(256);
                break;
            case 1 when length > 0:
                json[at] ^= (byte)(1 << random.Next(8));
                break;
            case 2:
                json.RemoveRange(at, length);
                break;
            case 3:
                json.InsertRange(random.Next(json.Count + 1), json.GetRange(at, length));
                break;
            case 4:
                json.RemoveRange(at, json.Count - at);
                break;
            case 5:
                int digit = json.FindIndex(Math.Min(at, Math.Max(0, json.Count - 1)), b => b is >= (byte)'0' and <= (byte)'9');
                if (digit >= 0)
                    json[digit] = (byte)('0' + random.Next(10));
                break;
            case 6:
                json.InsertRange(at, Encoding.UTF8.GetBytes(Seeds[random.Next(Seeds.Length)].Json));
                break;
            default:
                json.InsertRange(at, Splices[random.Next(Splices.Length)]);
                break;
        }
    }
}
