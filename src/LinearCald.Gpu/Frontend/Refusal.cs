namespace LinearCald.Gpu.Frontend;

/// <summary>Code that cannot be compiled as things stand in a trial; becomes a <see cref="CaldException"/> if no other trial succeeds.</summary>
internal sealed class Refusal(string message) : CaldException(message);
