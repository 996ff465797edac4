namespace LinearCald.Cli.Tests;

/// <summary>Tests that look at what the device has in use, which is one for all: they run when no other test does.</summary>
[CollectionDefinition(nameof(AloneOnTheDevice), DisableParallelization = true)]
public sealed class AloneOnTheDevice;
