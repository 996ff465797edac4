namespace LinearCald.Gpu;

/// <summary>
/// The compiler replaces a call of this member by instructions of its own; the body is what the debug device runs. Every marked member has an
/// emitter in the front end's table, which a test checks.
/// </summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property | AttributeTargets.Constructor)]
internal sealed class IntrinsicAttribute : Attribute;
