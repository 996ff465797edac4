using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>
/// A part of a network that computes in Float16 between <see cref="Parameter"/> and <see cref="Leave"/> while the rest has formats of more range: Float16 has three more binary
/// digits than BFloat16 in the same bytes and time, but gradients of real losses lie below its smallest number. They enter the part multiplied by one factor for all, which
/// brings their norm to a fixed size, and the gradients of the part's parameters are divided by it in Float32. The factor follows from each pass's gradient, on the device:
/// nothing is tried and left out, as a scale of the whole loss would have to. Only what passes through <see cref="Parameter"/> may be used within.
/// </summary>
/// <remarks>
/// Every element is at most the norm, so that gradients may grow by 65504/8 on their way before one overflows; what is lost below is 3e-8/8 · √n of the norm of n elements, 8e-5
/// for 5e8 of them.
/// </remarks>
public sealed class GradientScale
{
    private const double Norm = 8;

    /// <summary>
    /// Keeps gradients whose squares vanish in Float32 from growing beyond <see cref="Norm"/>. A square is rounded by at most 2⁻¹⁵⁰, subnormal or not, so that the norm computed
    /// of n elements is too small by at most 2⁻⁷⁵ · √n, which is below 8e-19 up to n = 9e8. From norms of 1e-11 on it changes no digit.
    /// </summary>
    private const double Least = 1e-19;

    private readonly Tensor _unit;

    /// <param name="device">Where the part computes.</param>
    public GradientScale(Device device)
    {
        _unit = Tensor.Allocate(device, DType.Float32, new Shape(1));
    }

    /// <summary>A parameter, or what enters from another part, as this one uses it.</summary>
    /// <param name="parameter">Float32.</param>
    public Tensor Parameter(Tensor parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return Tape.Wants(parameter)
            ? Tape.Attach(parameter.View(parameter.Shape, parameter.Strides, parameter.Offset), new ParameterNode(parameter, _unit))
            : parameter;
    }

    /// <summary>The part's result in Float32. It has one: the factor belongs to the gradient that arrives here.</summary>
    public Tensor Leave(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (!Tape.Wants(x))
        {
            return x.To(DType.Float32);
        }

        if (x.Type == DType.Float32)
        {
            return Tape.Attach(x.View(x.Shape, x.Strides, x.Offset), new LeaveNode(x, _unit));
        }

        Tensor y = Tensor.Allocate(x.Device, DType.Float32, x.Shape);
        x.Device.Backend.Copy(x, y);
        return Tape.Attach(y, new LeaveNode(x, _unit));
    }

    private sealed class LeaveNode : TapeNode
    {
        private readonly Tensor _x;
        private readonly Tensor _unit;

        public LeaveNode(Tensor x, Tensor unit)
        {
            _x = x;
            _unit = Save(unit);
        }

        // unit = ‖g‖ / 8 + least; dx = g / unit
        public override void Backward(Tensor gradient)
        {
            Backend backend = gradient.Device.Backend;
            Tensor work = Like(gradient, gradient.Shape), sum = Like(gradient, _unit.Shape), norm = Like(gradient, _unit.Shape);
            backend.Unary(Activation.Square, gradient, work);
            backend.Sum(work, sum);
            backend.Unary(Activation.Sqrt, sum, norm);
            backend.Affine(norm, 1 / Norm, Least, _unit);
            backend.Binary(BinaryKind.Divide, gradient, _unit, work);
            Gradients.Add(_x, work.To(_x.Type));
        }

        private static Tensor Like(Tensor gradient, in Shape shape) => Tensor.Allocate(gradient.Device, gradient.Type, shape);
    }

    private sealed class ParameterNode : TapeNode
    {
        private readonly Tensor _parameter;
        private readonly Tensor _unit;

        public ParameterNode(Tensor parameter, Tensor unit)
        {
            _parameter = parameter;
            _unit = Save(unit);
        }

        // dp = g · unit
        public override void Backward(Tensor gradient)
        {
            Tensor own = Gradients.Buffer(_parameter);
            gradient.Device.Backend.Binary(BinaryKind.Multiply, gradient, _unit, own);
            Gradients.Add(_parameter, own);
        }
    }
}
