using LinearCald.Testing.Ptx.Execution;
using LinearCald.Testing.Ptx.Numbers;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Decoding;

/// <summary>Loads, stores, atomic updates, fences, asynchronous copies.</summary>
internal static class MemoryDecoding
{
    private static readonly string[] s_types = ["b8", "b16", "b32", "b64", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "f32", "f64"];

    public static StateSpace Space(Decoder d, bool isOptional)
    {
        string? name = d.TakeAny("global", "shared", "shared::cta", "shared::cluster", "local", "param", "param::entry", "const");
        return name switch
        {
            "global" => StateSpace.Global,
            "local" => StateSpace.Local,
            "const" => StateSpace.Const,
            null when isOptional => StateSpace.Generic,
            null => throw d.Error("does not say which memory it means"),
            _ when name.StartsWith("shared", StringComparison.Ordinal) => StateSpace.Shared,
            _ => StateSpace.Param,
        };
    }

    /// <summary>ld, st.</summary>
    public static Instruction LoadOrStore(Decoder d)
    {
        bool isStore = d.Opcode == "st";
        bool isStrong = Order(d, isStore);
        StateSpace space = Space(d, true);
        bool hasPolicy = CacheHints(d, space, isStore);
        int count = d.TakeAny("v2", "v4") switch
        {
            "v2" => 2,
            "v4" => 4,
            _ => 1,
        };
        PtxType type = d.Type(s_types);
        if (type.Bytes * count > 16)
        {
            throw d.Error("accesses 16 bytes at most");
        }

        if (isStore && space is StateSpace.Param or StateSpace.Const)
        {
            throw d.Error($"{space} memory cannot be written");
        }

        if (space is StateSpace.Shared or StateSpace.Generic)
        {
            d.Code.SharedAccess(type.Bytes);
        }

        AddressOperand address = default;
        int[] values;
        ulong mask = ulong.MaxValue;
        if (isStore)
        {
            address = d.Address(space);
            values = d.Sources(type, count, true);
        }
        else
        {
            values = d.Destinations(type, count, true);
            mask = d.LastRegister.Mask;
            address = d.Address(space);
        }

        if (hasPolicy)
        {
            d.Source(PtxType.B64);
        }

        return isStore
            ? new Store(space, address, type, values) { IsStrong = isStrong }
            : new Load(space, address, type, values, mask) { IsStrong = isStrong };
    }

    /// <summary>atom, red.</summary>
    public static Instruction Atomic(Decoder d)
    {
        bool hasResult = d.Opcode == "atom";
        bool hasOrder = d.TakeAny("relaxed", "acquire", "release", "acq_rel") is not null;
        if (d.TakeAny("cta", "cluster", "gpu", "sys") is null && hasOrder)
        {
            throw d.Error("a memory order needs a scope");
        }

        StateSpace space = Space(d, true);
        if (space is not (StateSpace.Global or StateSpace.Shared or StateSpace.Generic))
        {
            throw d.Error($"there are no atomic updates of {space} memory");
        }

        string operation = d.ExpectAny("add", "min", "max", "exch", "cas", "and", "or", "xor", "inc", "dec");
        bool isNoFlush = d.Take("noftz");
        PtxType type = d.AnyType();
        Func<ulong, ulong, ulong, ulong> apply = AtomicFunctions.Find(operation, type) ?? throw d.Error($"there is no atomic {operation} of {type}");
        if (isNoFlush != (type.Kind is TypeKind.Float or TypeKind.BrainFloat && (type.Bits == 16 || type.Lanes == 2)) || (!hasResult && operation is "exch" or "cas"))
        {
            throw d.Error("is no atomic update that PTX has");
        }

        if (space != StateSpace.Global)
        {
            d.Code.SharedAccess(type.Bytes);
        }

        int to = hasResult ? d.DestinationOrSink(type) : -1;
        AddressOperand address = d.Address(space);
        int value = d.Source(type);
        int replacement = operation == "cas" ? d.Source(type) : value;
        return new AtomicUpdate(space, address, type, to, value, replacement, apply);
    }

    /// <summary>membar, fence.</summary>
    public static Instruction Fence(Decoder d)
    {
        if (d.Opcode == "membar")
        {
            d.ExpectAny("cta", "gl", "sys");
            return new Nothing();
        }

        if (d.Take("proxy"))
        {
            d.Expect("async");
            d.TakeAny("global", "shared::cta", "shared::cluster");
            d.Needs(90, 80);
            return new Nothing();
        }

        if (d.Take("mbarrier_init"))
        {
            d.Expect("release", "cluster");
            d.Needs(90, 80);
            return new Nothing();
        }

        string? order = d.TakeAny("sc", "acq_rel", "acquire", "release");
        d.ExpectAny("cta", "cluster", "gpu", "sys");
        if (order is "acquire" or "release")
        {
            d.Needs(90, 86);
        }

        return new Nothing();
    }

    /// <summary>prefetch, prefetchu.</summary>
    public static Instruction Prefetch(Decoder d)
    {
        StateSpace space = Space(d, true);
        d.ExpectAny("L1", "L2", "L2::evict_last", "L2::evict_normal", "tensormap");
        d.Address(space);
        return new Nothing();
    }

    /// <summary>cp.async and its groups.</summary>
    public static Instruction Copy(Decoder d)
    {
        d.Expect("async");
        d.Needs(80, 70);
        if (d.Take("bulk"))
        {
            return TransactionDecoding.BulkCopy(d);
        }

        if (d.Take("commit_group"))
        {
            return new CommitCopies();
        }

        if (d.Take("wait_group"))
        {
            return new WaitForCopies(d.Literal(0, int.MaxValue));
        }

        if (d.Take("wait_all"))
        {
            return new WaitForCopies(0) { IncludesOpen = true };
        }

        bool bypasses = d.ExpectAny("ca", "cg") == "cg";
        if (d.TakeAny("shared", "shared::cta", "shared::cluster") is null)
        {
            throw d.Error("copies to .shared");
        }

        d.Expect("global");
        bool hasPolicy = d.Take("L2::cache_hint");
        d.TakeAny("L2::64B", "L2::128B", "L2::256B");
        AddressOperand to = d.Address(StateSpace.Shared);
        AddressOperand from = d.Address(StateSpace.Global);
        int bytes = d.Literal(4, 16);
        if (!int.IsPow2(bytes) || (bypasses && bytes != 16))
        {
            throw d.Error("copies 4, 8 or 16 bytes, .cg only 16");
        }

        int sourceBytes = d.OperandsLeft > (hasPolicy ? 1 : 0) ? d.Source(PtxType.U32) : -1;
        if (hasPolicy)
        {
            d.Source(PtxType.B64);
        }

        d.Code.SharedAccess(4);
        return new CopyAsync(to, from, bytes, sourceBytes);
    }

    private static bool Order(Decoder d, bool isStore)
    {
        if (d.Take("volatile"))
        {
            return true;
        }

        string? order = isStore ? d.TakeAny("weak", "relaxed", "release") : d.TakeAny("weak", "relaxed", "acquire");
        if (order is null or "weak")
        {
            return false;
        }

        d.ExpectAny("cta", "cluster", "gpu", "sys");
        return true;
    }

    private static bool CacheHints(Decoder d, StateSpace space, bool isStore)
    {
        string? cache = isStore ? d.TakeAny("wb", "cg", "cs", "wt") : d.TakeAny("ca", "cg", "cs", "lu", "cv");
        bool isReadOnly = !isStore && d.Take("nc");
        string? level1 = d.TakeAny("L1::evict_normal", "L1::evict_unchanged", "L1::evict_first", "L1::evict_last", "L1::no_allocate");
        bool hasPolicy = d.Take("L2::cache_hint");
        string? prefetch = isStore ? null : d.TakeAny("L2::64B", "L2::128B", "L2::256B");
        if ((isReadOnly || level1 is not null || hasPolicy || prefetch is not null) && space is not (StateSpace.Global or StateSpace.Generic))
        {
            throw d.Error("has a cache hint that is only for global memory");
        }

        if (cache is not null && level1 is not null)
        {
            throw d.Error("a cache operator and an eviction priority exclude each other");
        }

        return hasPolicy;
    }
}
