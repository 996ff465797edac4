using LinearCald.Tensors.Autograd;

namespace LinearCald.Tensors.Ops;

/// <summary>Output distillation (Hinton, Vinyals and Dean 2015): KL(p_T ‖ p_S) of distributions softened by a temperature.</summary>
public static class KlDivergenceOperation
{
    /// <summary>student and teacher logits [rows, classes] → scale · Σ over rows of KL, one element. The teacher gets no gradient.</summary>
    /// <param name="scale">For example 1/rows for the mean, times temperature² where the recipe asks for it.</param>
    public static Tensor KlDivergence(this Tensor student, Tensor teacher, double temperature, double scale)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teacher);
        Check.Float("KlDivergence", student);
        Check.SameShape("KlDivergence", student, teacher);
        if (!(temperature > 0))
        {
            throw new CaldException($"KlDivergence: temperature {temperature} must be positive");
        }

        student = student.Contiguous();
        teacher = teacher.Contiguous();
        Tensor loss = Tensor.Allocate(student.Device, student.Type.Statistics(), default);
        student.Device.Backend.KlDivergence(student, teacher, temperature, scale, loss);
        return Tape.Wants(student) ? Tape.Attach(loss, new Node(student, teacher, temperature, scale)) : loss;
    }

    private sealed class Node : TapeNode
    {
        private readonly Tensor _student;
        private readonly Tensor _teacher;
        private readonly double _temperature;
        private readonly double _scale;

        public Node(Tensor student, Tensor teacher, double temperature, double scale)
        {
            _student = Save(student);
            _teacher = Save(teacher);
            _temperature = temperature;
            _scale = scale;
        }

        // d/ds Σ p_T (log p_T − log p_S) = (p_S − p_T) / temperature
        public override void Backward(Tensor gradient)
        {
            Tensor gx = Gradients.Buffer(_student);
            _student.Device.Backend.KlDivergenceGradient(_student, _teacher, _temperature, _scale, gradient, gx);
            Gradients.Add(_student, gx);
        }
    }
}
