using LinearCald.Distillation.Recipes;
using LinearCald.Tensors;

namespace LinearCald.Distillation.Training;

/// <summary>
/// What a recipe's precision means. Parameters, optimiser state, norms, softmax, losses and reductions are float32 always; the precision is that of the matrix products
/// and, for the 16-bit formats, of the activations between embeddings and head.
/// </summary>
public static class PrecisionPolicy
{
    /// <summary>The type of activations; null for float32.</summary>
    public static DType? ComputeType(this Precision precision) => precision switch
    {
        Precision.Bf16 => DType.BFloat16,
        Precision.Fp16 => DType.Float16,
        _ => null,
    };

    /// <summary>How far one operation may be from its reference: ‖x − ref‖ / ‖ref‖.</summary>
    public static double OperatorBudget(this Precision precision) => precision == Precision.Fp32 ? 1e-5 : precision.ModelBudget();

    /// <summary>How far a model's outputs and gradients may be from their reference.</summary>
    public static double ModelBudget(this Precision precision) => precision switch
    {
        Precision.Fp32 => 1e-4,
        Precision.Tf32 => 1e-3,
        _ => 1e-2,
    };

    /// <summary>Refuses what the device has no kernels for.</summary>
    /// <exception cref="CaldException">The device computes in fp32 only.</exception>
    public static void Check(this Precision precision, Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (precision != Precision.Fp32 && !device.HasReducedPrecision)
        {
            throw new CaldException(
                $"precision {RecipeSchema.NameOf(precision)}: {device.Name} trains in fp32; leave --precision out, or set teacher.precision and training.precision to fp32");
        }
    }

    /// <summary>Checks the precision and sets the device's float32 products to it.</summary>
    /// <exception cref="CaldException">The device computes in fp32 only.</exception>
    public static void Apply(this Precision precision, Device device)
    {
        precision.Check(device);
        device.TensorFloat32 = precision != Precision.Fp32;
    }
}
