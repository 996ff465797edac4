namespace LinearCald.Tensors.Tests.Cpu;

public unsafe class PhiloxTests
{
    /// <summary>The known answers published with the Random123 library.</summary>
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Known_answers(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint w0, uint w1, uint w2, uint w3) =>
        Assert.Equal((w0, w1, w2, w3), Philox.Block((c0, c1, c2, c3), (k0, k1)));

    [Fact]
    public void A_group_holds_the_words_of_its_indices()
    {
        uint* fast = stackalloc uint[64], plain = stackalloc uint[64];
        foreach (ulong group in (ulong[])[0, 1, 77, 0x0FFF_FFFF, 0x1000_0000, 0x0123_4567_89AB_CDEF])
        {
            foreach (ulong seed in (ulong[])[0, 1, 0xDEADBEEF_12345678])
            {
                ulong stream = (seed * 3) + 5;
                Philox.Group(seed, stream, group, fast);
                Philox.GroupReference(seed, stream, group, plain);
                Assert.Equal(new Span<uint>(plain, 64).ToArray(), new Span<uint>(fast, 64).ToArray());
                for (ulong i = 0; i < 64; i++)
                {
                    Assert.Equal(fast[i], Philox.Word(seed, stream, (group * 64) + i));
                }
            }
        }
    }
}
