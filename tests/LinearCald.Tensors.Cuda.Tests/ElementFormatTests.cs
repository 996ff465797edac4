using LinearCald.Gpu;
using LinearCald.Tensors.Cuda.Kernels;

namespace LinearCald.Tensors.Cuda.Tests;

public class ElementFormatTests
{
    private static readonly float[] s_values =
        [0f, -0f, 1f, -1.5f, 3.1415927f, 1e-8f, -1e-30f, 65504f, 70000f, 1e38f, float.PositiveInfinity, float.NegativeInfinity, 0.1f, 2049f, 5.9e-8f, -0.33333334f];

    [Fact]
    public void Float32_elements_are_themselves() => RoundTrip<float, Float32Format>(x => x);

    [Fact]
    public void BFloat16_elements_round_to_nearest_even() => RoundTrip<ushort, BFloat16Format>(x => (float)(BFloat16)x);

    [Fact]
    public void Float16_elements_round_to_nearest_even() => RoundTrip<ushort, Float16Format>(x => (float)(Half)x);

    private static void RoundTrip<TWord, TFormat>(Func<float, float> round)
        where TWord : unmanaged
        where TFormat : struct, IElementFormat<TWord>
    {
        for (int first = 0; first < s_values.Length; first += TFormat.Lanes)
        {
            Registers<float, N8> values = default;
            for (int i = 0; i < TFormat.Lanes; i++)
            {
                values[i] = s_values[first + i];
            }

            Registers<float, N8> back = TFormat.Unpack(TFormat.Pack(values));
            for (int i = 0; i < TFormat.Lanes; i++)
            {
                float expected = round(s_values[first + i]);
                Assert.Equal(BitConverter.SingleToUInt32Bits(expected), BitConverter.SingleToUInt32Bits(back[i]));
                Assert.Equal(BitConverter.SingleToUInt32Bits(expected), BitConverter.SingleToUInt32Bits(TFormat.Widen(TFormat.Narrow(s_values[first + i]))));
            }
        }

        Assert.True(float.IsNaN(TFormat.Widen(TFormat.Narrow(float.NaN))));
    }
}
