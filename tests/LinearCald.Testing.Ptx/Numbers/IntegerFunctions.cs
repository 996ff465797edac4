using System.Numerics;

namespace LinearCald.Testing.Ptx.Numbers;

/// <summary>Integer instructions over one operand type.</summary>
internal static class IntegerFunctions<T>
    where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
{
    private static readonly int s_bits = int.CreateTruncating(T.PopCount(T.AllBitsSet));

    public static Func<ulong, ulong, ulong>? Binary(string name) => name switch
    {
        "add" => static (a, b) => Raw.Of(unchecked(Raw.As<T>(a) + Raw.As<T>(b))),
        "sub" => static (a, b) => Raw.Of(unchecked(Raw.As<T>(a) - Raw.As<T>(b))),
        "mul.lo" => static (a, b) => Raw.Of(unchecked(Raw.As<T>(a) * Raw.As<T>(b))),
        "mul.hi" => static (a, b) => Raw.Of(High(Raw.As<T>(a), Raw.As<T>(b))),
        "div" => static (a, b) => Raw.Of(Divide(Raw.As<T>(a), Raw.As<T>(b))),
        "rem" => static (a, b) => Raw.Of(Remainder(Raw.As<T>(a), Raw.As<T>(b))),
        "min" => static (a, b) => Raw.Of(T.Min(Raw.As<T>(a), Raw.As<T>(b))),
        "max" => static (a, b) => Raw.Of(T.Max(Raw.As<T>(a), Raw.As<T>(b))),
        "shr" => static (a, b) => Raw.Of(ShiftRight(Raw.As<T>(a), (uint)b)),
        "bfe" => null,
        _ => null,
    };

    public static Func<ulong, ulong>? Unary(string name) => name switch
    {
        "neg" => static a => Raw.Of(unchecked(T.Zero - Raw.As<T>(a))),
        "abs" => static a => Raw.Of(T.IsNegative(Raw.As<T>(a)) ? unchecked(T.Zero - Raw.As<T>(a)) : Raw.As<T>(a)),
        "bfind" => static a => FindTop(Raw.As<T>(a), false),
        "bfind.shiftamt" => static a => FindTop(Raw.As<T>(a), true),
        _ => null,
    };

    public static Func<ulong, ulong, ulong, ulong>? Ternary(string name) => name switch
    {
        "mad.lo" => static (a, b, c) => Raw.Of(unchecked((Raw.As<T>(a) * Raw.As<T>(b)) + Raw.As<T>(c))),
        "mad.hi" => static (a, b, c) => Raw.Of(unchecked(High(Raw.As<T>(a), Raw.As<T>(b)) + Raw.As<T>(c))),
        "sad" => static (a, b, c) => Raw.Of(unchecked((Raw.As<T>(a) > Raw.As<T>(b) ? Raw.As<T>(a) - Raw.As<T>(b) : Raw.As<T>(b) - Raw.As<T>(a)) + Raw.As<T>(c))),
        "bfe" => static (a, b, c) => ExtractField(Raw.As<T>(a), (int)(b & 0xFF), (int)(c & 0xFF)),
        _ => null,
    };

    public static Func<ulong, ulong, bool>? Compare(string name) => name switch
    {
        "eq" => static (a, b) => Raw.As<T>(a) == Raw.As<T>(b),
        "ne" => static (a, b) => Raw.As<T>(a) != Raw.As<T>(b),
        "lt" or "lo" => static (a, b) => Raw.As<T>(a) < Raw.As<T>(b),
        "le" or "ls" => static (a, b) => Raw.As<T>(a) <= Raw.As<T>(b),
        "gt" or "hi" => static (a, b) => Raw.As<T>(a) > Raw.As<T>(b),
        "ge" or "hs" => static (a, b) => Raw.As<T>(a) >= Raw.As<T>(b),
        _ => null,
    };

    private static T High(T a, T b)
    {
        if (s_bits == 64 && !T.IsNegative(T.MinValue))
        {
            return T.CreateTruncating(Math.BigMul(ulong.CreateTruncating(a), ulong.CreateTruncating(b), out ulong _));
        }

        return T.CreateTruncating((Int128.CreateTruncating(a) * Int128.CreateTruncating(b)) >> s_bits);
    }

    /// <summary>A zero divisor gives all ones, as devices do; the smallest number by −1 gives itself.</summary>
    private static T Divide(T a, T b)
    {
        if (T.IsZero(b))
        {
            return T.AllBitsSet;
        }

        return T.IsNegative(b) && b == T.AllBitsSet ? unchecked(T.Zero - a) : a / b;
    }

    private static T Remainder(T a, T b)
    {
        if (T.IsZero(b))
        {
            return a;
        }

        return T.IsNegative(b) && b == T.AllBitsSet ? T.Zero : a % b;
    }

    /// <summary>Amounts past the width shift everything out; the sign fills.</summary>
    private static T ShiftRight(T a, uint amount) =>
        amount < (uint)s_bits ? a >> (int)amount : T.IsNegative(a) ? T.AllBitsSet : T.Zero;

    private static ulong FindTop(T a, bool isShift)
    {
        T bits = T.IsNegative(a) ? ~a : a;
        if (T.IsZero(bits))
        {
            return 0xFFFFFFFF;
        }

        int top = s_bits - 1 - int.CreateTruncating(T.LeadingZeroCount(bits));
        return (ulong)(isShift ? s_bits - 1 - top : top);
    }

    /// <summary>PTX ISA "bfe": signed fields extend their top bit, which past the end of the number is the number's own.</summary>
    private static ulong ExtractField(T a, int position, int length)
    {
        ulong value = Raw.Of(a);
        bool isSigned = T.IsNegative(T.MinValue);
        bool sign = isSigned && length != 0 && (value >> Math.Min(position + length - 1, s_bits - 1) & 1) != 0;
        ulong result = 0;
        for (int i = 0; i < s_bits; i++)
        {
            bool bit = i < length && position + i < s_bits ? (value >> (position + i) & 1) != 0 : sign;
            result |= bit ? 1UL << i : 0;
        }

        return result;
    }
}
