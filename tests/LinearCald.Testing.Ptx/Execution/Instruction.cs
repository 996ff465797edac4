using LinearCald.Testing.Ptx.Parsing;

namespace LinearCald.Testing.Ptx.Execution;

/// <summary>How an instruction moves a warp on.</summary>
internal enum Flow
{
    Next,
    Branch,
    IndexedBranch,
    Exit,

    /// <summary>All named lanes must be at it together.</summary>
    Meeting,
}

/// <summary>A decoded instruction, run for some lanes of a warp at once.</summary>
internal abstract class Instruction
{
    public Statement Source { get; set; } = null!;

    /// <summary>Place in the entry's code.</summary>
    public int Index { get; set; }

    /// <summary>Register of the guard predicate, or −1.</summary>
    public int Guard { get; set; } = -1;

    public bool IsGuardNegated { get; set; }

    public virtual Flow Flow => Flow.Next;

    public abstract void Run(Warp warp, uint lanes);
}

/// <summary>A jump to another place of the code.</summary>
internal sealed class Branch : Instruction
{
    public required int Target { get; init; }

    public override Flow Flow => Flow.Branch;

    public override void Run(Warp warp, uint lanes)
    {
    }
}

/// <summary>A jump by table: <c>brx.idx</c>.</summary>
internal sealed class IndexedBranch : Instruction
{
    public required int Selector { get; init; }

    public required int[] Targets { get; init; }

    public override Flow Flow => Flow.IndexedBranch;

    public int Target(Warp warp, int lane)
    {
        ulong index = warp.Registers[(Selector * 32) + lane];
        return index < (ulong)Targets.Length ? Targets[index] : throw warp.Error(lane, this, $"index {index} of a branch over {Targets.Length} targets");
    }

    public override void Run(Warp warp, uint lanes) => warp.Require(this, Selector, lanes);
}

/// <summary>The end of a thread.</summary>
internal sealed class Exit : Instruction
{
    public override Flow Flow => Flow.Exit;

    public override void Run(Warp warp, uint lanes)
    {
    }
}

/// <summary>An instruction that some lanes of the warp do together; they wait for each other.</summary>
internal abstract class Meeting : Instruction
{
    public override Flow Flow => Flow.Meeting;

    /// <summary>The lanes that the given lane waits for. Lanes that have ended are not waited for.</summary>
    public abstract uint Members(Warp warp, int lane);

    /// <summary>Runs it for lanes that have met; returns false if they go on waiting (at a barrier of the group).</summary>
    public abstract bool Meet(Warp warp, uint lanes);

    public sealed override void Run(Warp warp, uint lanes) => Meet(warp, lanes);
}

/// <summary>A meeting whose lanes are named by a mask operand (<c>.sync</c>).</summary>
internal abstract class MaskedMeeting : Meeting
{
    public required int MemberMask { get; init; }

    public sealed override uint Members(Warp warp, int lane)
    {
        warp.Require(this, MemberMask, 1u << lane);
        uint members = (uint)warp.Registers[(MemberMask * 32) + lane];
        return (members >> lane & 1) != 0 ? members : throw warp.Error(lane, this, $"the member mask 0x{members:x8} does not name the lane itself");
    }
}

/// <summary>A meeting of all lanes that still run (<c>.sync.aligned</c>).</summary>
internal abstract class AlignedMeeting : Meeting
{
    public sealed override uint Members(Warp warp, int lane) => warp.Live;
}
