using LinearCald.Gpu;

namespace LinearCald.Tensors.Cuda.Kernels;

/// <summary>
/// Reads one operand's matrix fragments of one warp from shared memory. A fragment is 16 elements along the operand's dimension by 32 bytes of k, one
/// <see cref="UInt4"/> a lane: an A fragment as it is, or two B fragments (X, Y and Z, W). With j = lane / 8, the four 8 × 8 matrices of A go
/// along first (X, Y), those of B along k first. Addresses that the swizzle makes irregular are worked out once;
/// the rest are constants in the instructions.
/// </summary>
/// <remarks>
/// Three ways, none with bank conflicts: rows along k, <c>ldmatrix</c> of eight rows whose chunks the swizzle spreads over all banks; two-byte elements with rows along C,
/// <c>ldmatrix.trans</c> of eight rows of k likewise; four-byte elements with rows along C, which <c>ldmatrix</c> cannot transpose, four plain reads a fragment where lanes touch 4 rows × 8
/// neighbours, which the swizzle by 2 (k mod 4) chunks puts into 32 banks.
/// </remarks>
internal struct FragmentReader
{
    private Registers<int, N4> _offsets;

    /// <param name="layout">Known to the compiler.</param>
    /// <param name="alongFirst">True for A, false for B.</param>
    /// <param name="first">The warp's first element along, within the block; a multiple of 32.</param>
    public static FragmentReader Begin(OperandLayout layout, bool alongFirst, int first)
    {
        int lane = Warp.Lane;
        int matrix = lane >> 3;
        int row = lane & 7;
        int alongHalf = alongFirst ? matrix & 1 : matrix >> 1;
        int depthHalf = alongFirst ? matrix >> 1 : matrix & 1;
        Registers<int, N4> offsets = default;
        for (int i = 0; i < 4; i++)
        {
            Loop.Unroll();
            if (layout.DepthInner)
            {
                // Offset i is step i along k.
                int along = first + (alongHalf * 8) + row;
                offsets[i] = (along * layout.Pitch) + (layout.Place(row, (2 * i) + depthHalf) * 16);
            }
            else if (layout.ElementBytes == 2)
            {
                // Offset i is fragment i along C.
                int depth = (depthHalf * 8) + row;
                int chunk = (first >> 3) + (2 * i) + alongHalf;
                offsets[i] = (depth * layout.Pitch) + (layout.Place(row, chunk) * 16);
            }
            else
            {
                // Offset i is the group of eight i along C, of four.
                int depth = lane & 3;
                int chunk = (first >> 2) + (2 * i);
                int within = lane >> 2;
                offsets[i] = (depth * layout.Pitch) + ((layout.Place(depth, chunk) + (within >> 2)) * 16) + ((within & 3) * 4);
            }
        }

        return new FragmentReader { _offsets = offsets };
    }

    /// <summary>Fragment <paramref name="index"/> along C of step <paramref name="step"/> along k; both known to the compiler.</summary>
    public readonly UInt4 Read(OperandLayout layout, bool alongFirst, Shared<byte> block, int step, int index)
    {
        if (layout.DepthInner)
        {
            return Mma.Load(block.From(_offsets[step]), index * 16 * layout.Pitch);
        }

        if (layout.ElementBytes == 2)
        {
            return Mma.LoadTransposed(block.From(_offsets[index]), step * 16 * layout.Pitch);
        }

        int low = ((step * 8 * layout.Pitch) + (index / 2 * 128)) / 4;
        int high = low + layout.Pitch;
        Shared<uint> first = block.From(_offsets[(2 * index) & 3]).As<uint>();
        Shared<uint> second = block.From(_offsets[((2 * index) & 3) + 1]).As<uint>();
        return alongFirst
            ? new UInt4(first[low], second[low], first[high], second[high])
            : new UInt4(first[low], first[high], second[low], second[high]);
    }
}
