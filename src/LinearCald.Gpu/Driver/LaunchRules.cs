using System.Globalization;

namespace LinearCald.Gpu.Driver;

/// <summary>What a launch must fulfil on a device; each refusal names the kernel, what it needs and what the device has.</summary>
internal static class LaunchRules
{
    private const int MaximumGridYZ = 65535;
    private const int MaximumGroupZ = 64;
    private const int PortableCluster = 8;

    /// <summary>Extents of grid, group and cluster.</summary>
    public static void CheckShape(string kernel, in LaunchShape shape, string device, DeviceLimits limits)
    {
        Index3 grid = shape.Grid;
        Index3 group = shape.Group;
        if (grid.X < 1 || grid.Y < 1 || grid.Z < 1 || group.X < 1 || group.Y < 1 || group.Z < 1)
        {
            throw new CaldException($"kernel {kernel}: a launch of grid {grid} and group {group} has an empty extent; every extent is at least 1");
        }

        if (grid.Y > MaximumGridYZ || grid.Z > MaximumGridYZ)
        {
            throw new CaldException(
                $"kernel {kernel}: a grid of {grid} groups; a device takes at most {MaximumGridYZ:N0} along y and z: put the long extent on x");
        }

        if (group.Count > limits.GroupThreads || group.X > limits.GroupThreads || group.Z > MaximumGroupZ)
        {
            throw new CaldException(
                $"kernel {kernel}: a group of {group} threads; {device} takes at most {limits.GroupThreads} in all and {MaximumGroupZ} along z");
        }

        int cluster = shape.Cluster;
        if (cluster == 1)
        {
            return;
        }

        if (limits.Capability < 90)
        {
            throw new CaldException($"kernel {kernel}: a cluster of {cluster} groups needs compute capability 9.0; {device} has {Capability(limits.Capability)}");
        }

        if (cluster < 1 || cluster > PortableCluster || grid.X % cluster != 0)
        {
            throw new CaldException($"kernel {kernel}: a cluster of {cluster} groups on a grid of {grid}; a cluster has 1 to {PortableCluster} and divides the grid along x");
        }
    }

    /// <summary>Shared memory and instruction set of a compiled kernel.</summary>
    public static void CheckNeeds(string kernel, CompiledKernel compiled, string device, DeviceLimits limits)
    {
        if (compiled.SharedBytes > limits.GroupSharedBytes)
        {
            throw new CaldException(string.Create(
                CultureInfo.InvariantCulture,
                $"kernel {kernel}: a group of {compiled.Group} threads needs {compiled.SharedBytes:N0} bytes of shared memory; {device} has {limits.GroupSharedBytes:N0} for a group: use smaller tiles or fewer stages"));
        }

        (int needed, bool exactly) = compiled.Target switch
        {
            PtxTarget.Sm80 => (80, false),
            PtxTarget.Sm90 => (90, false),
            _ => (90, true),
        };
        if (exactly ? limits.Capability != needed : limits.Capability < needed)
        {
            throw new CaldException(
                $"kernel {kernel}: it uses instructions of compute capability {Capability(needed)}{(exactly ? " exactly" : " or later")} ({compiled.Target}); {device} has {Capability(limits.Capability)}: use the variant of the kernel for that");
        }
    }

    /// <summary>The registers of a group, once they are known.</summary>
    public static void CheckRegisters(string kernel, Index3 group, int registers, int maximumThreads, string device)
    {
        if (group.Count > maximumThreads)
        {
            throw new CaldException(
                $"kernel {kernel}: {registers} registers a thread leave room for groups of {maximumThreads} threads on {device}; the launch asks for {group}: use smaller groups, or mark the kernel with MaximumRegisters");
        }
    }

    /// <summary>The least that the compiler writes for is Ampere's instruction set.</summary>
    public static void CheckDevice(DeviceLimits limits, string device)
    {
        if (limits.Capability < 80)
        {
            throw new CaldException($"{device} has compute capability {Capability(limits.Capability)}; 8.0 (Ampere) or later is needed: use --device cpu");
        }
    }

    private static string Capability(int capability) => string.Create(CultureInfo.InvariantCulture, $"{capability / 10}.{capability % 10}");
}
