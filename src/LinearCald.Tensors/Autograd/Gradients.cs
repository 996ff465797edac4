namespace LinearCald.Tensors.Autograd;

/// <summary>How gradient rules hand gradients to the inputs of their operation.</summary>
internal static class Gradients
{
    /// <summary>
    /// The buffer that a kernel should write an input's gradient to, for kernels that can add to what is there: when <paramref name="accumulate"/>
    /// is true the kernel must add, otherwise it must overwrite every element. The buffer is contiguous.
    /// </summary>
    public static Tensor Target(Tensor input, out bool accumulate)
    {
        if (input.Producer is null)
        {
            Tensor buffer = input.LeafBuffer();
            accumulate = input.HasGradient;
            input.HasGradient = true;
            return buffer;
        }

        if (input.GradientSlot is { } slot)
        {
            if (slot.Storage.Pins == 1)
            {
                accumulate = true;
                return slot;
            }

            Tensor own = Tensor.Allocate(input.Device, input.Type, input.Shape);
            input.Device.Backend.Copy(slot, own);
            Replace(input, own);
            accumulate = true;
            return own;
        }

        Tensor fresh = Tensor.Allocate(input.Device, input.Type, input.Shape);
        Replace(input, fresh);
        accumulate = false;
        return fresh;
    }

    /// <summary>
    /// A buffer for the whole gradient of an operation's only input, to be handed to <see cref="Add"/>: the input's own place where nothing has arrived yet,
    /// so that nothing is copied.
    /// </summary>
    public static Tensor Buffer(Tensor input) => input.Producer is null && input.RequiresGradient && !input.HasGradient
        ? input.LeafBuffer()
        : Tensor.Allocate(input.Device, input.Type, input.Shape);

    /// <summary>Adds a finished gradient to what the input has. The tensor may be shared with others: it is not written to.</summary>
    public static void Add(Tensor input, Tensor gradient)
    {
        if (!input.NeedsGradient)
        {
            return;
        }

        if (ReferenceEquals(gradient, input.GradientBuffer))
        {
            input.HasGradient = true;
            return;
        }

        if (gradient.Shape != input.Shape)
        {
            throw new InvalidOperationException($"gradient of shape {gradient.Shape} for an input of shape {input.Shape}");
        }

        if (input.Producer is null || input.GradientSlot is not null)
        {
            Tensor target = Target(input, out bool accumulate);
            if (accumulate)
            {
                input.Device.Backend.AddInPlace(target, gradient.IsContiguous ? gradient : Packed(gradient));
            }
            else
            {
                input.Device.Backend.Copy(gradient, target);
            }
        }
        else
        {
            Replace(input, gradient.IsContiguous ? gradient : Packed(gradient));
        }
    }

    internal static void Replace(Tensor input, Tensor? slot)
    {
        slot?.Storage.Pin();
        input.GradientSlot?.Storage.Unpin();
        input.GradientSlot = slot;
    }

    private static Tensor Packed(Tensor gradient)
    {
        Tensor packed = Tensor.Allocate(gradient.Device, gradient.Type, gradient.Shape);
        gradient.Device.Backend.Copy(gradient, packed);
        return packed;
    }
}
