using System.Numerics;

#if UNOPTIMISED
namespace LinearCald.Gpu.Unoptimised;
#else
namespace LinearCald.Gpu.Tests.Language.Constructs;
#endif

/// <summary>Type arguments that the compiler resolves. Each kernel maps a[i], b[i] to y[i], one thread an element.</summary>
public static class GenericKernels
{
    private interface IOperator
    {
        static abstract int Identity { get; }

        static abstract int Combine(int a, int b);

        static virtual int Finish(int x) => x + 1;
    }

    private interface IShape
    {
        int Area();

        int Scaled(int factor) => Area() * factor;
    }

    public static void GenericMath(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        y[i] = Polynomial(a[i], b[i]) + (int)Polynomial((long)a[i], b[i]) + (int)Polynomial((a[i] & 255) * 0.5f, (b[i] & 15) * 0.25f)
            + (int)Polynomial((a[i] & 255) * 0.5, 3.0) + (int)Polynomial((uint)a[i], 7u);
    }

    public static void StaticAbstract(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        y[i] = Fold<Largest>(a[i], b[i]) + (3 * Fold<Total>(a[i], b[i]));
    }

    public static void TypeTests(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        y[i] = Width(a[i]) + Width((float)a[i]) + Width((short)b[i]) + Width(new Square(3)) + (a[i] * b[i]);
    }

    public static void DefaultInterfaceMethods(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        y[i] = Measure(new Square(a[i]), b[i]) - Measure(new Strip(b[i]), a[i]);
    }

    public static void RegistersOfStructs(ReadOnlyView<int> a, ReadOnlyView<int> b, View<int> y)
    {
        int i = Grid.ThreadX;
        Registers<Float2, N4> tile = default;
        Registers<int, Times<N2, N4>> counts = default;
        counts.Fill(3);
        for (int k = 0; k < 4; k++)
            tile[k] = new Float2(a[i] + k, b[i] - k);

        Registers<Float2, N4> copy = tile;
        for (int k = 0; k < Registers<int, Times<N2, N4>>.Length; k++)
        {
            counts[k] += k * (a[i] & 7);
            Float2 pair = copy[k / 2];
            pair.X += counts[k];
            copy[k / 2] = pair;
        }

        float sum = 0;
        for (int k = 0; k < 4; k++)
            sum += copy[k].X - (tile[3 - k].Y * k);

        y[i] = (int)sum + counts[7];
    }

    private static T Polynomial<T>(T x, T c)
        where T : INumber<T>
    {
        T sum = T.One + c;
        for (int k = 0; k < 3; k++)
            sum = (sum * x) + c;

        if (typeof(T) == typeof(float))
            sum -= T.One;

        return T.Max(sum, T.Zero) - T.CreateTruncating(2);
    }

    private static int Fold<TOperator>(int a, int b)
        where TOperator : struct, IOperator
    {
        int value = TOperator.Identity;
        for (int k = 0; k < 5; k++)
            value = TOperator.Combine(value, a ^ (b << k));

        return TOperator.Finish(value);
    }

    private static int Width<T>(T value)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            return 1000;

        return System.Runtime.CompilerServices.Unsafe.SizeOf<T>();
    }

    private static int Measure<TShape>(TShape shape, int factor)
        where TShape : struct, IShape => shape.Scaled(factor) + shape.Area();

    private readonly struct Largest : IOperator
    {
        public static int Identity => int.MinValue;

        public static int Combine(int a, int b) => Math.Max(a, b);
    }

    private readonly struct Total : IOperator
    {
        public static int Identity => 0;

        public static int Combine(int a, int b) => a + b;

        public static int Finish(int x) => -x;
    }

    private readonly struct Square(int side) : IShape
    {
        public int Area() => side * side;
    }

    private readonly struct Strip(int length) : IShape
    {
        public int Area() => length;

        public int Scaled(int factor) => length + factor;
    }
}
