using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// The part of one channel that a thread has: 4 of up to 16 numbers of its state. Lane bits 0–2 are the channel and bits 3–4 the part, so that the eight lanes that read the
/// same part of B and C are neighbours: their 16-byte reads of shared memory are then one access for half a warp.
/// </summary>
internal static class ScanLane
{
    /// <summary>Most numbers of a state.</summary>
    public const int States = 16;

    /// <summary>Threads of a channel.</summary>
    public const int Parts = 4;

    /// <summary>Channels of a warp.</summary>
    public const int WarpChannels = 8;

    /// <summary>Channels of this group.</summary>
    public static int Channels => Group.Size / Parts;

    /// <summary>This thread's channel within its group.</summary>
    public static int Channel => (Warp.Index * WarpChannels) + (Warp.Lane & 7);

    /// <summary>Which 4 numbers are this thread's.</summary>
    public static int Part => Warp.Lane >> 3;

    /// <summary>This thread's numbers of row <paramref name="row"/> of states [rows, count]; 0 beyond the row or where there is none.</summary>
    public static Registers<float, N4> Load(ReadOnlyView<float> states, long row, int count, bool inside, bool vectors)
    {
        Registers<float, N4> own = default;
        own.Fill(0f);
        if (inside)
        {
            if (vectors)
            {
                Float4 four = states.As<Float4>()[(row * Parts) + Part];
                own[0] = four.X;
                own[1] = four.Y;
                own[2] = four.Z;
                own[3] = four.W;
            }
            else
            {
                for (int i = 0; i < 4; i++)
                {
                    int n = (Part * 4) + i;
                    if (n < count)
                    {
                        own[i] = states[(row * count) + n];
                    }
                }
            }
        }

        return own;
    }

    /// <summary>Writes this thread's numbers of a row of states [rows, count].</summary>
    public static void Store(View<float> states, long row, int count, bool inside, bool vectors, Registers<float, N4> own)
    {
        if (inside)
        {
            if (vectors)
            {
                View<Float4> fours = states.As<Float4>();
                fours[(row * Parts) + Part] = new Float4(own[0], own[1], own[2], own[3]);
            }
            else
            {
                for (int i = 0; i < 4; i++)
                {
                    int n = (Part * 4) + i;
                    if (n < count)
                    {
                        states[(row * count) + n] = own[i];
                    }
                }
            }
        }
    }

    /// <summary>Sums over the parts of a channel, four at a time: part p receives the sum of register p. Three exchanges instead of eight.</summary>
    public static float SumOverParts(Registers<float, N4> values)
    {
        bool upper = Part >= 2;
        float keep0 = upper ? values[2] : values[0];
        float keep1 = upper ? values[3] : values[1];
        float send0 = upper ? values[0] : values[2];
        float send1 = upper ? values[1] : values[3];
        keep0 += Warp.ShuffleXor(send0, 16);
        keep1 += Warp.ShuffleXor(send1, 16);
        bool odd = (Part & 1) != 0;
        float keep = odd ? keep1 : keep0;
        float send = odd ? keep0 : keep1;
        return keep + Warp.ShuffleXor(send, 8);
    }

    /// <summary>Sums over the channels of the warp, eight at a time: the lane whose channel is c receives the sum of register c. Seven exchanges instead of 24.</summary>
    public static float SumOverChannels(Registers<float, N8> values)
    {
        bool upper = (Warp.Lane & 4) != 0;
        Registers<float, N4> four = default;
        for (int i = 0; i < 4; i++)
        {
            float keep = upper ? values[i + 4] : values[i];
            float send = upper ? values[i] : values[i + 4];
            four[i] = keep + Warp.ShuffleXor(send, 4);
        }

        bool second = (Warp.Lane & 2) != 0;
        float keep0 = second ? four[2] : four[0];
        float keep1 = second ? four[3] : four[1];
        float send0 = second ? four[0] : four[2];
        float send1 = second ? four[1] : four[3];
        keep0 += Warp.ShuffleXor(send0, 2);
        keep1 += Warp.ShuffleXor(send1, 2);
        bool odd = (Warp.Lane & 1) != 0;
        float last = odd ? keep1 : keep0;
        float other = odd ? keep0 : keep1;
        return last + Warp.ShuffleXor(other, 1);
    }
}
