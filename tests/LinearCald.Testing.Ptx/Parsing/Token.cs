namespace LinearCald.Testing.Ptx.Parsing;

internal enum TokenKind
{
    /// <summary>Opcode, register, symbol or directive, with its dots.</summary>
    Word,
    Number,
    Text,
    Punctuation,
    End,
}

/// <summary>A piece of PTX text and where it stands.</summary>
internal readonly record struct Token(TokenKind Kind, string Value, int Line, int Start, int End)
{
    public bool Is(string punctuation) => Kind == TokenKind.Punctuation && Value == punctuation;

    public override string ToString() => Kind == TokenKind.End ? "the end of the text" : $"'{Value}'";
}
