using System.Text.Json;
using LinearCald.Nn.Files;

namespace LinearCald.Nn.Tests.Files;

/// <summary>Numbers that Python writes and JSON does not have.</summary>
public sealed class JsonDocumentFileTests
{
    [Fact]
    public void BareWordsAreWrappedOutsideStringsOnly()
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "config.json");
        File.WriteAllText(path, """{"a": [0.0, Infinity], "b": -Infinity, "c": "NaN \" Infinity", "d": NaN, "NaN": {"__float__": "Infinity"}}""");
        JsonElement root = JsonDocumentFile.ReadObject(path);
        Assert.Equal("Infinity", root.GetProperty("a")[1].GetProperty("__float__").GetString());
        Assert.Equal("-Infinity", root.GetProperty("b").GetProperty("__float__").GetString());
        Assert.Equal("NaN \" Infinity", root.GetProperty("c").GetString());
        Assert.Equal("NaN", root.GetProperty("d").GetProperty("__float__").GetString());
        Assert.Equal("Infinity", root.GetProperty("NaN").GetProperty("__float__").GetString());
    }

    [Theory]
    [InlineData("""{"a": InfinityX}""")]
    [InlineData("""{"a": "NaN}""")]
    [InlineData("""{"a": NaN""")]
    public void WhatIsNotJsonIsStillRefused(string text)
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "config.json");
        File.WriteAllText(path, text);
        Assert.Contains("is not valid JSON", Assert.Throws<CaldException>(() => JsonDocumentFile.ReadObject(path)).Message, StringComparison.Ordinal);
    }
}
