namespace LinearCald.Gpu;

/// <summary>What PTX is written for.</summary>
public enum PtxTarget
{
    /// <summary>Any GPU from Ampere on: tensor cores through mma.sync, cp.async.</summary>
    Sm80 = 80,

    /// <summary>Hopper and later: mbarrier transactions, bulk copies, clusters.</summary>
    Sm90 = 90,

    /// <summary>Hopper only: wgmma, register reallocation.</summary>
    Sm90a = 901,
}
