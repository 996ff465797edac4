namespace LinearCald.Gpu.Unoptimised;

/// <summary>Names this assembly for those that look kernels up in it.</summary>
public static class UnoptimisedMark;
