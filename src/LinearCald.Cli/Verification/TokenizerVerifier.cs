using LinearCald.Data.Tokenizers;

namespace LinearCald.Cli.Verification;

/// <summary>A tokenizer's files with `fixtures.jsonl` beside them: every id, token, offset and decoded text must be equal.</summary>
internal sealed class TokenizerVerifier : IFixtureVerifier
{
    public string Expects => "tokenizer files with fixtures.jsonl";

    public bool Recognises(string folder) => TokenizerFixture.IsFixtureFolder(folder);

    public VerifyResult Verify(string folder, string device)
    {
        TokenizerFixtureResult result = TokenizerFixture.Verify(folder);
        string where = result.Mismatches is [{ } first, ..]
            ? $"{first.File}:{first.Line} {first.Field}: expected {first.Expected}, found {first.Found}"
            : $"{result.Texts} texts, {result.Pairs} pairs";
        return new VerifyResult(
            Path.GetFileName(Path.GetFullPath(folder).TrimEnd(Path.DirectorySeparatorChar)), "cpu",
            result.Texts + result.Pairs == 0 ? double.NaN : result.Failures, 0, where);
    }
}
