using System.Numerics;
using System.Runtime.CompilerServices;
using LinearCald.Testing.Ptx.Decoding;
using LinearCald.Testing.Ptx.Numbers;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Execution;

/// <summary>Something that all 32 lanes of a warp do as one (<c>.sync.aligned</c> matrix instructions).</summary>
internal abstract class WholeWarp : AlignedMeeting
{
    public sealed override bool Meet(Warp warp, uint lanes)
    {
        if (lanes != uint.MaxValue)
        {
            throw warp.Error(BitOperations.TrailingZeroCount(lanes), this, $"all 32 lanes must take part; here are 0x{lanes:x8}");
        }

        Run(warp);
        return true;
    }

    protected abstract void Run(Warp warp);
}

/// <summary>
/// mma.sync with a 16 × 8 result. Fragments after PTX ISA "Matrix fragments for mma.m16n8k16 / m16n8k8", with g = lane / 4, c = lane mod 4. Products are exact,
/// the sum over k runs upwards in float32 from the accumulator.
/// </summary>
internal sealed class MatrixProduct(PtxType element, bool isHalfResult, int[] d, int[] a, int[] b, int[] accumulator) : WholeWarp
{
    private readonly int _depth = element.Kind == TypeKind.TensorFloat ? 8 : 16;

    protected override void Run(Warp warp)
    {
        foreach (int register in (ReadOnlySpan<int>)[.. a, .. b, .. accumulator])
        {
            warp.Require(this, register, uint.MaxValue);
        }

        float[] left = new float[16 * _depth];
        float[] right = new float[_depth * 8];
        float[] sum = new float[16 * 8];
        ulong[] r = warp.Registers;
        for (int lane = 0; lane < 32; lane++)
        {
            int g = lane / 4;
            int c = lane % 4;
            for (int i = 0; i < 4; i++)
            {
                ulong word = r[(a[i] * 32) + lane];
                int row = g + (8 * (i & 1));
                if (element.Kind == TypeKind.TensorFloat)
                {
                    left[(row * _depth) + c + (4 * (i >> 1))] = Tensor(word);
                }
                else
                {
                    int k = (2 * c) + (8 * (i >> 1));
                    left[(row * _depth) + k] = Half(word);
                    left[(row * _depth) + k + 1] = Half(word >> 16);
                }
            }

            for (int i = 0; i < 2; i++)
            {
                ulong word = r[(b[i] * 32) + lane];
                if (element.Kind == TypeKind.TensorFloat)
                {
                    right[((c + (4 * i)) * 8) + g] = Tensor(word);
                }
                else
                {
                    int k = (2 * c) + (8 * i);
                    right[(k * 8) + g] = Half(word);
                    right[((k + 1) * 8) + g] = Half(word >> 16);
                }
            }

            for (int i = 0; i < 4; i++)
            {
                sum[Place(g, c, i)] = isHalfResult ? Raw.Half(r[(accumulator[i / 2] * 32) + lane] >> (16 * (i & 1))) : Raw.Single(r[(accumulator[i] * 32) + lane]);
            }
        }

        for (int row = 0; row < 16; row++)
        {
            for (int column = 0; column < 8; column++)
            {
                float total = sum[(row * 8) + column];
                for (int k = 0; k < _depth; k++)
                {
                    total += left[(row * _depth) + k] * right[(k * 8) + column];
                }

                sum[(row * 8) + column] = total;
            }
        }

        for (int lane = 0; lane < 32; lane++)
        {
            int g = lane / 4;
            int c = lane % 4;
            if (isHalfResult)
            {
                for (int i = 0; i < 2; i++)
                {
                    ulong low = FloatFormat.Half.Round(sum[Place(g, c, 2 * i)], Rounding.NearestEven);
                    ulong high = FloatFormat.Half.Round(sum[Place(g, c, (2 * i) + 1)], Rounding.NearestEven);
                    r[(d[i] * 32) + lane] = low | (high << 16);
                }
            }
            else
            {
                for (int i = 0; i < 4; i++)
                {
                    r[(d[i] * 32) + lane] = Raw.Of(sum[Place(g, c, i)]);
                }
            }
        }

        foreach (int register in d)
        {
            warp.Written[register] = uint.MaxValue;
        }
    }

    private static int Place(int g, int c, int i) => ((g + (8 * (i >> 1))) * 8) + (2 * c) + (i & 1);

    private static float Tensor(ulong word) => Raw.Single(word & 0xFFFFE000);

    private float Half(ulong word) => element.Kind == TypeKind.BrainFloat ? Raw.Brain(word & 0xFFFF) : Raw.Half(word & 0xFFFF);
}

/// <summary>ldmatrix, stmatrix: 8 × 8 matrices of 16-bit elements; lane i names the row i mod 8 of matrix i / 8.</summary>
internal sealed unsafe class MatrixAccess(AddressOperand address, int[] words, bool isTransposed, bool isStore) : WholeWarp
{
    private readonly RowAccess _row = new(address);

    protected override void Run(Warp warp)
    {
        _row.Source = Source;
        _row.Index = Index;
        uint namers = words.Length == 4 ? uint.MaxValue : (1u << (8 * words.Length)) - 1;
        warp.Require(this, address.Register, namers);
        ulong[] r = warp.Registers;
        Span<ushort> elements = stackalloc ushort[64];
        for (int matrix = 0; matrix < words.Length; matrix++)
        {
            int start = words[matrix] * 32;
            if (isStore)
            {
                warp.Require(this, words[matrix], uint.MaxValue);
                for (int lane = 0; lane < 32; lane++)
                {
                    for (int half = 0; half < 2; half++)
                    {
                        elements[Element(lane, half)] = (ushort)(r[start + lane] >> (16 * half));
                    }
                }
            }

            for (int row = 0; row < 8; row++)
            {
                _row.Move(warp, (8 * matrix) + row, elements.Slice(8 * row, 8), isStore);
            }

            if (!isStore)
            {
                for (int lane = 0; lane < 32; lane++)
                {
                    r[start + lane] = elements[Element(lane, 0)] | ((ulong)elements[Element(lane, 1)] << 16);
                }

                warp.Written[words[matrix]] = uint.MaxValue;
            }
        }
    }

    private int Element(int lane, int half)
    {
        int row = lane / 4;
        int column = (2 * (lane % 4)) + half;
        return isTransposed ? (column * 8) + row : (row * 8) + column;
    }

    /// <summary>The access of one lane to one row of 16 bytes.</summary>
    private sealed class RowAccess(AddressOperand address) : MemoryAccess(StateSpace.Shared, address)
    {
        public override void Run(Warp warp, uint lanes)
        {
        }

        public void Move(Warp warp, int lane, Span<ushort> elements, bool isStore)
        {
            void* local = Unsafe.AsPointer(ref elements[0]);
            if (isStore)
            {
                byte* to = ToWrite(warp, lane, 16, (byte*)local);
                Unsafe.CopyBlockUnaligned(to, local, 16);
            }
            else
            {
                Unsafe.CopyBlockUnaligned(local, ToRead(warp, lane, 16), 16);
            }
        }
    }
}

/// <summary>movmatrix: transposes an 8 × 8 matrix held in one register of each lane.</summary>
internal sealed class MatrixTranspose(int to, int from) : WholeWarp
{
    protected override void Run(Warp warp)
    {
        warp.Require(this, from, uint.MaxValue);
        ulong[] source = warp.Registers.AsSpan(from * 32, 32).ToArray();
        for (int lane = 0; lane < 32; lane++)
        {
            ulong word = 0;
            for (int half = 0; half < 2; half++)
            {
                int row = (2 * (lane % 4)) + half;
                int column = lane / 4;
                word |= ((source[(row * 4) + (column / 2)] >> (16 * (column & 1))) & 0xFFFF) << (16 * half);
            }

            warp.Registers[(to * 32) + lane] = word;
        }

        warp.Written[to] = uint.MaxValue;
    }
}
