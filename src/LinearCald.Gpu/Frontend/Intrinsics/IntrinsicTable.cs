using System.Reflection;

namespace LinearCald.Gpu.Frontend.Intrinsics;

/// <summary>What the compiler issues in place of a call. Instance methods get their <c>this</c> first, a <see cref="LocalRef"/>; void methods return null.</summary>
internal delegate Value? Emitter(Emit emit, MethodBase method, ReadOnlySpan<Value> arguments);

/// <summary>
/// The members that the compiler replaces by instructions of its own: all that carry <see cref="IntrinsicAttribute"/>, and those of the class library
/// that kernels may use. Each part of the language registers its members in a file of its own.
/// </summary>
internal static class IntrinsicTable
{
    private static readonly Dictionary<(Type, string), Emitter> s_emitters = Build();

    /// <summary>The emitter of a method, or null if its IL is to be compiled.</summary>
    public static Emitter? Find(MethodBase method)
    {
        Type? type = method.DeclaringType;
        if (type is null)
        {
            return null;
        }

        return s_emitters.GetValueOrDefault((type.IsGenericType ? type.GetGenericTypeDefinition() : type, method.Name));
    }

    private static Dictionary<(Type, string), Emitter> Build()
    {
        Registry registry = new();
        AsyncCopyIntrinsics.Register(registry);
        AtomicIntrinsics.Register(registry);
        BitIntrinsics.Register(registry);
        DebugIntrinsics.Register(registry);
        EqualityIntrinsics.Register(registry);
        HalfIntrinsics.Register(registry);
        IndexIntrinsics.Register(registry);
        MathIntrinsics.Register(registry);
        MatrixIntrinsics.Register(registry);
        MemoryIntrinsics.Register(registry);
        RegisterIntrinsics.Register(registry);
        SynchronizationIntrinsics.Register(registry);
        TableIntrinsics.Register(registry);
        TransactionIntrinsics.Register(registry);
        TypeIntrinsics.Register(registry);
        WarpgroupIntrinsics.Register(registry);
        WarpIntrinsics.Register(registry);
        return registry.Emitters;
    }

    /// <summary>Where members are registered. A name stands for all its overloads; the emitter tells them apart by the method it is given.</summary>
    internal sealed class Registry
    {
        public Dictionary<(Type, string), Emitter> Emitters { get; } = [];

        /// <param name="type">The declaring type; open if generic.</param>
        /// <param name="name">As in metadata: <c>get_Item</c>, <c>op_Addition</c>, <c>.ctor</c>.</param>
        /// <param name="emitter">Issues the instructions.</param>
        public void Add(Type type, string name, Emitter emitter) => Emitters.Add((type, name), emitter);
    }
}
