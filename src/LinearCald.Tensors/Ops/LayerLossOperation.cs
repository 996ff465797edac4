using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Layerwise distillation (He and Garner 2024, arXiv 2410.06846): the squared distance of two hidden states.</summary>
public static class LayerLossOperation
{
    /// <summary>
    /// scale · Σ over positions below each sample's length and features of (N(student) − N(teacher))², where N is the identity or layer normalisation
    /// without weight and bias (ε 1e-5). The teacher gets no gradient.
    /// </summary>
    /// <param name="student">[batch, length, features]</param>
    /// <param name="teacher">The same shape. Where one side is 16-bit and the other Float32, both are compared in Float32.</param>
    /// <param name="lengths">int32 [batch]: positions from there on do not count; null counts all.</param>
    /// <param name="normalise">Whether both sides are layer-normalised first.</param>
    /// <param name="scale">What turns the sum into the mean the recipe asks for.</param>
    public static Tensor LayerLoss(this Tensor student, Tensor teacher, Tensor? lengths, bool normalise, double scale)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teacher);
        Check.Float("LayerLoss", student);
        Check.Rank("LayerLoss", "student", student, 3);
        Check.Float("LayerLoss", teacher);
        (student, teacher) = (student.To(Wider(student.Type, teacher.Type)), teacher.Detach().To(Wider(student.Type, teacher.Type)));
        Check.SameShape("LayerLoss", student, teacher);
        Check.Int32("LayerLoss", "lengths", lengths);
        Check.Vector("LayerLoss", "lengths", lengths, student.Shape[0]);
        student = student.Contiguous();
        teacher = teacher.Contiguous();
        Tensor loss = Tensor.Allocate(student.Device, student.Type.Statistics(), default);
        student.Device.Backend.LayerMse(student, teacher, lengths, normalise, scale, loss);
        return Tape.Wants(student) ? Tape.Attach(loss, new Node(student, teacher, lengths, normalise, scale)) : loss;
    }

    private static DType Wider(DType a, DType b) => a == b ? a : a.Size() > b.Size() ? a.Statistics() : b.Statistics();

    private sealed class Node : TapeNode
    {
        private readonly Tensor _student;
        private readonly Tensor _teacher;
        private readonly Tensor? _lengths;
        private readonly bool _normalise;
        private readonly double _scale;

        public Node(Tensor student, Tensor teacher, Tensor? lengths, bool normalise, double scale)
        {
            _student = Save(student);
            _teacher = Save(teacher);
            _lengths = SaveOptional(lengths);
            _normalise = normalise;
            _scale = scale;
        }

        // 2 scale (N(s) − N(t)), carried back through N where it normalises; 0 at positions that do not count
        public override void Backward(Tensor gradient)
        {
            Tensor gx = Gradients.Buffer(_student);
            _student.Device.Backend.LayerMseGradient(_student, _teacher, _lengths, _normalise, _scale, gradient, gx);
            Gradients.Add(_student, gx);
        }
    }
}
