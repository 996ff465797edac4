using LinearCald.Gpu.Driver;

namespace LinearCald.Gpu.Tests.Driver;

/// <summary>A test that needs a GPU; skipped with the reason where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CudaFactAttribute : FactAttribute
{
    public CudaFactAttribute()
    {
        if (!CudaAccelerator.IsAvailable(out string reason))
        {
            Skip = reason;
        }
    }
}
