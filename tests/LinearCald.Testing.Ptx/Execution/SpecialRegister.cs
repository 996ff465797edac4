using System.Globalization;
using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Execution;

/// <summary>A read-only register that tells a thread where it is.</summary>
internal sealed record SpecialRegister(string Name, PtxType Type, Func<Warp, int, ulong> Value)
{
    private static readonly Dictionary<string, SpecialRegister> s_all = All().ToDictionary(static s => s.Name);

    public static bool TryFind(string name, out SpecialRegister? special) => s_all.TryGetValue(name, out special);

    private static List<SpecialRegister> All()
    {
        List<SpecialRegister> list = [];
        void Add(string name, Func<Warp, int, ulong> value) => list.Add(new SpecialRegister(name, PtxType.U32, value));
        void Add3(string name, Func<Warp, int, Index3> value)
        {
            Add(name + ".x", (w, lane) => (ulong)value(w, lane).X);
            Add(name + ".y", (w, lane) => (ulong)value(w, lane).Y);
            Add(name + ".z", (w, lane) => (ulong)value(w, lane).Z);
        }

        Add3("%tid", static (w, lane) =>
        {
            Index3 group = w.Group.Launch.Shape.Group;
            int thread = w.FirstThread + lane;
            return new Index3(thread % group.X, thread / group.X % group.Y, thread / group.X / group.Y);
        });
        Add3("%ntid", static (w, _) => w.Group.Launch.Shape.Group);
        Add3("%ctaid", static (w, _) => w.Group.Id);
        Add3("%nctaid", static (w, _) => w.Group.Launch.Shape.Grid);
        Add("%laneid", static (_, lane) => (ulong)lane);
        Add("%warpid", static (w, _) => (ulong)w.Index);
        Add("%nwarpid", static (w, _) => (ulong)w.Group.Warps.Length);
        Add("%smid", static (_, _) => 0);
        Add("%nsmid", static (_, _) => 1);
        Add("%cluster_ctarank", static (_, _) => 0);
        Add("%cluster_nctarank", static (_, _) => 1);
        Add("%lanemask_eq", static (_, lane) => 1u << lane);
        Add("%lanemask_lt", static (_, lane) => (1u << lane) - 1);
        Add("%lanemask_le", static (_, lane) => (uint)((2UL << lane) - 1));
        Add("%lanemask_gt", static (_, lane) => ~(uint)((2UL << lane) - 1));
        Add("%lanemask_ge", static (_, lane) => ~((1u << lane) - 1));
        Add("%dynamic_smem_size", static (w, _) => (ulong)w.Group.Launch.Code.Shared.DynamicBytes);
        return list;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name}");
}
