using LinearCald.Gpu;

using Accelerator gpu = Accelerator.Open(args.Length > 0 ? args[0] : "debug"); // or "cuda"
float[] x = [.. Enumerable.Range(0, 1000).Select(i => (float)i)];
using DeviceBuffer<float> a = gpu.Allocate<float>(x), sum = gpu.Allocate<float>(x.Length), total = gpu.Allocate<float>(1), c = gpu.Allocate<float>(16 * 8);
gpu.Launch(Kernel.Of(FirstKernels.Add), LaunchShape.For(x.Length), a.ReadOnly, a.ReadOnly, sum.View);
gpu.Launch(Kernel.Of(FirstKernels.Sum), new LaunchShape(1, 256), sum.ReadOnly, total.View);
using DeviceBuffer<uint> ones = gpu.Allocate<uint>(Enumerable.Repeat(0x3F803F80u, 16 * 8).ToArray()); // pairs of bfloat16 ones
gpu.Launch(Kernel.Of(FirstKernels.Product), new LaunchShape(1, 32), ones.ReadOnly, ones.ReadOnly, c.View);
Console.WriteLine($"{gpu.Name}: 2 (0 + … + 999) = {total.ToArray()[0]}, each element of the product = {c.ToArray().Distinct().Single()}");

internal static class FirstKernels
{
    public static void Add(ReadOnlyView<float> a, ReadOnlyView<float> b, View<float> c)
    {
        int i = Grid.ThreadX;
        if (i < c.Length)
            c[i] = a[i] + b[i];
    }

    public static void Sum(ReadOnlyView<float> x, View<float> total) // one group; the same bits in every run
    {
        Shared<float> warps = Shared.Allocate<float>(8);
        float sum = 0;
        for (int i = Group.Thread; i < x.Length; i += Group.Size)
            sum += x[i];
        sum = Warp.Sum(sum);
        if (Warp.Lane == 0)
            warps[Warp.Index] = sum;
        Group.Barrier();
        float all = Warp.Sum(Warp.Lane < 8 ? warps[Warp.Lane] : 0);
        if (Group.Thread == 0)
            total[0] = all;
    }

    public static void Product(ReadOnlyView<uint> a, ReadOnlyView<uint> b, View<float> c) // [16 × 16] · [16 × 8] on a tensor core
    {
        int g = Warp.Lane / 4, t = Warp.Lane % 4; // rows of a and columns of b hold 8 pairs along k
        UInt4 left = new(a[(g * 8) + t], a[((g + 8) * 8) + t], a[(g * 8) + t + 4], a[((g + 8) * 8) + t + 4]);
        Float4 d = Mma.BFloat16(default, left, new UInt2(b[(g * 8) + t], b[(g * 8) + t + 4]));
        c.As<Float2>()[(g * 4) + t] = new Float2(d.X, d.Y);
        c.As<Float2>()[((g + 8) * 4) + t] = new Float2(d.Z, d.W);
    }
}
