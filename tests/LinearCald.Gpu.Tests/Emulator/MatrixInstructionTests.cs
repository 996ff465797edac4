using static LinearCald.Gpu.Tests.Emulator.GroupProgram;

namespace LinearCald.Gpu.Tests.Emulator;

/// <summary>Matrix instructions against plain products of matrices laid out in memory.</summary>
public sealed class MatrixInstructionTests
{
    /// <summary>A is 16 × 16, B 16 × 8 stored by columns: fragments come through ldmatrix, results go out by the documented layout.</summary>
    [Theory]
    [InlineData("f16")]
    [InlineData("bf16")]
    public void HalfProductsThroughLoadedFragments(string type)
    {
        (float[] a, float[] b, float[] expected) = Problem(16);
        ushort[] packed = [.. a.Select(v => Bits(v, type)), .. Transposed(b, 16, 8).Select(v => Bits(v, type))];
        uint[] words = new uint[packed.Length / 2];
        Buffer.BlockCopy(packed, 0, words, 0, packed.Length * 2);
        uint[] results = Run($$"""
            // 192 words, six a lane, into shared memory.
            mov.u32 %r0, s;
            mad.wide.u32 %rd0, %t, 8, %in;
            mad.lo.u32 %r1, %t, 8, %r0;
            ld.global.v2.b32 {%r2, %r3}, [%rd0];
            st.shared.v2.b32 [%r1], {%r2, %r3};
            ld.global.v2.b32 {%r2, %r3}, [%rd0+256];
            st.shared.v2.b32 [%r1+256], {%r2, %r3};
            ld.global.v2.b32 {%r2, %r3}, [%rd0+512];
            st.shared.v2.b32 [%r1+512], {%r2, %r3};
            bar.sync 0;
            // A: row lane & 15, k 8 (lane >> 4). B by columns: n lane & 7, k 8 (lane >> 3 & 1).
            and.b32 %r4, %t, 15;
            shr.u32 %r5, %t, 4;
            mad.lo.u32 %r4, %r4, 32, %r0;
            mad.lo.u32 %r4, %r5, 16, %r4;
            ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r8, %r9, %r10, %r11}, [%r4];
            and.b32 %r6, %t, 7;
            shr.u32 %r7, %t, 3;
            and.b32 %r7, %r7, 1;
            mad.lo.u32 %r6, %r6, 32, %r0;
            mad.lo.u32 %r6, %r7, 16, %r6;
            ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r12, %r13}, [%r6+512];
            mov.f32 %f0, 0f3F800000;
            mma.sync.aligned.m16n8k16.row.col.f32.{{type}}.{{type}}.f32 {%f1, %f2, %f3, %f4}, {%r8, %r9, %r10, %r11}, {%r12, %r13}, {%f0, %f0, %f0, %f0};
            {{StoreResult}}
            """, 32, words, 128);
        Near(expected, results);
    }

    /// <summary>B stored by rows (n contiguous) comes through the transposing load.</summary>
    [Fact]
    public void TransposingLoads()
    {
        uint[] words = [.. Enumerable.Range(0, 32).Select(static i => (uint)((2 * i) | (((2 * i) + 1) << 16)))];
        uint[] results = Run("""
            mov.u32 %r0, s;
            mad.wide.u32 %rd0, %t, 4, %in;
            mad.lo.u32 %r1, %t, 4, %r0;
            ld.global.b32 %r2, [%rd0];
            st.shared.b32 [%r1], %r2;
            bar.sync 0;
            and.b32 %r3, %t, 7;
            mad.lo.u32 %r3, %r3, 16, %r0;
            ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%r4}, [%r3];
            movmatrix.sync.aligned.m8n8.trans.b16 %r5, %r4;
            ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r6}, [%r3];
            sub.u32 %r5, %r5, %r6;
            mad.wide.u32 %rd1, %t, 4, %mine;
            st.global.v2.u32 [%rd1], {%r4, %r5};
            """, 32, words, 64);
        for (int lane = 0; lane < 32; lane++)
        {
            int column = lane / 4;
            int row = 2 * (lane % 4);
            Assert.Equal(((uint)((8 * row) + column) | (uint)((8 * (row + 1)) + column) << 16, 0u), (results[2 * lane], results[(2 * lane) + 1]));
        }
    }

    /// <summary>A is 16 × 8, B 8 × 8, fragments loaded word by word: (g, c), (g + 8, c), (g, c + 4), (g + 8, c + 4); (c, g), (c + 4, g).</summary>
    [Fact]
    public void TensorFloatProducts()
    {
        (float[] a, float[] b, float[] expected) = Problem(8);
        uint[] words = [.. a.Concat(b).Select(BitConverter.SingleToUInt32Bits)];
        uint[] results = Run($$"""
            shr.u32 %r0, %t, 2;
            and.b32 %r1, %t, 3;
            mad.lo.u32 %r2, %r0, 8, %r1;
            mad.wide.u32 %rd0, %r2, 4, %in;
            ld.global.b32 %r8, [%rd0];
            ld.global.b32 %r9, [%rd0+256];
            ld.global.b32 %r10, [%rd0+16];
            ld.global.b32 %r11, [%rd0+272];
            mad.lo.u32 %r2, %r1, 8, %r0;
            mad.wide.u32 %rd0, %r2, 4, %in;
            ld.global.b32 %r12, [%rd0+512];
            ld.global.b32 %r13, [%rd0+640];
            mov.f32 %f0, 0f3F800000;
            mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f1, %f2, %f3, %f4}, {%r8, %r9, %r10, %r11}, {%r12, %r13}, {%f0, %f0, %f0, %f0};
            {{StoreResult}}
            """, 32, words, 128);
        Near(expected, results);
    }

    [Fact]
    public void AllLanesMustTakePart() => Fails("""
        setp.lt.u32 %p0, %t, 31;
        mov.u32 %r0, 0;
        mov.f32 %f0, 0f00000000;
        @!%p0 ret;
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f1, %f2, %f3, %f4}, {%r0, %r0, %r0, %r0}, {%r0, %r0}, {%f0, %f0, %f0, %f0};
        """, 32, "all 32 lanes must take part");

    private const string StoreResult = """
        shr.u32 %r0, %t, 2;
        and.b32 %r1, %t, 3;
        shl.b32 %r1, %r1, 1;
        mad.lo.u32 %r2, %r0, 8, %r1;
        mad.wide.u32 %rd0, %r2, 4, %out;
        st.global.v2.f32 [%rd0], {%f1, %f2};
        st.global.v2.f32 [%rd0+256], {%f3, %f4};
        """;

    private static (float[] A, float[] B, float[] Expected) Problem(int depth)
    {
        // Multiples of 1/8 with few digits: exact in every format, and so is the sum.
        Random random = new(depth);
        float[] a = [.. Enumerable.Range(0, 16 * depth).Select(_ => random.Next(-15, 16) / 8f)];
        float[] b = [.. Enumerable.Range(0, depth * 8).Select(_ => random.Next(-15, 16) / 8f)];
        float[] expected = new float[128];
        for (int i = 0; i < 16; i++)
        {
            for (int j = 0; j < 8; j++)
            {
                expected[(8 * i) + j] = 1 + Enumerable.Range(0, depth).Sum(k => a[(i * depth) + k] * b[(k * 8) + j]);
            }
        }

        return (a, b, expected);
    }

    private static float[] Transposed(float[] x, int rows, int columns) =>
        [.. Enumerable.Range(0, rows * columns).Select(i => x[(i % rows * columns) + (i / rows)])];

    private static ushort Bits(float value, string type) => type == "f16" ? BitConverter.HalfToUInt16Bits((Half)value) : ((BFloat16)value).Bits;

    private static void Near(float[] expected, uint[] results) => Assert.Equal(expected, results.Select(BitConverter.UInt32BitsToSingle));
}
