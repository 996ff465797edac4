namespace LinearCald.Gpu.Tests.Language.Generated;

/// <summary>Smaller programs that may fail the same way: a statement less, a branch for a choice, an operand for an operation, 0 for a leaf.</summary>
internal static class ProgramShrinker
{
    public static IEnumerable<Block> Shrink(Block block)
    {
        Statement[] all = block.Statements;
        for (int i = 0; i < all.Length; i++)
            yield return new Block([.. all[..i], .. all[(i + 1)..]]);

        for (int i = 0; i < all.Length; i++)
        {
            foreach (Statement[] parts in Replacements(all[i]))
                yield return new Block([.. all[..i], .. parts, .. all[(i + 1)..]]);
        }
    }

    private static IEnumerable<Statement[]> Replacements(Statement statement)
    {
        switch (statement)
        {
            case Assign a:
                foreach (Expression value in Shrink(a.Value))
                    yield return [a with { Value = value }];

                break;
            case If i:
                yield return i.Then.Statements;
                yield return i.Else.Statements;
                foreach (Expression condition in Shrink(i.Condition))
                    yield return [i with { Condition = condition }];

                foreach (Block then in Shrink(i.Then))
                    yield return [i with { Then = then }];

                foreach (Block otherwise in Shrink(i.Else))
                    yield return [i with { Else = otherwise }];

                break;
            case CountedLoop l:
                foreach (Block body in Shrink(l.Body))
                    yield return [l with { Body = body }];

                foreach (Expression bound in Shrink(l.Bound))
                    yield return [l with { Bound = bound }];

                break;
            case Switch s:
                foreach (Block block in s.Cases)
                    yield return block.Statements;

                foreach (Expression selector in Shrink(s.Selector))
                    yield return [s with { Selector = selector }];

                for (int i = 0; i < s.Cases.Length; i++)
                {
                    foreach (Block block in Shrink(s.Cases[i]))
                        yield return [s with { Cases = [.. s.Cases[..i], block, .. s.Cases[(i + 1)..]] }];
                }

                break;
        }
    }

    private static IEnumerable<Expression> Shrink(Expression expression)
    {
        Expression[] operands = expression switch
        {
            Unary u => [u.Operand],
            Binary b => [b.Left, b.Right],
            Comparison c => [c.Left, c.Right],
            Conditional c => [c.Condition, c.WhenTrue, c.WhenFalse],
            Cast c => [c.Operand],
            Call c => c.Arguments,
            _ => [],
        };
        if (operands.Length == 0)
        {
            if (expression is not Constant { Bits: 0 })
            {
                yield return new Constant(expression.Kind, 0);
            }

            yield break;
        }

        yield return new Constant(expression.Kind, 0);
        foreach (Expression operand in operands.Where(o => o.Kind == expression.Kind))
            yield return operand;

        for (int i = 0; i < operands.Length; i++)
        {
            foreach (Expression smaller in Shrink(operands[i]))
                yield return With(expression, i, smaller);
        }
    }

    private static Expression With(Expression expression, int index, Expression operand) => expression switch
    {
        Unary u => u with { Operand = operand },
        Binary b => index == 0 ? b with { Left = operand } : b with { Right = operand },
        Comparison c => index == 0 ? c with { Left = operand } : c with { Right = operand },
        Conditional c => index == 0 ? c with { Condition = operand } : index == 1 ? c with { WhenTrue = operand } : c with { WhenFalse = operand },
        Cast c => c with { Operand = operand },
        Call c => c with { Arguments = [.. c.Arguments[..index], operand, .. c.Arguments[(index + 1)..]] },
        _ => expression,
    };
}
