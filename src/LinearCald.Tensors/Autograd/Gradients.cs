using LinearCald.Tensors.Ops;

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
            Complete(input);
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

    /// <summary>
    /// Where a kernel writes the whole gradient of an input; see <see cref="InputGradient"/>. The buffer is contiguous, or with
    /// <paramref name="strided"/> has its rows at one pitch. Every buffer asked for must be written, and then <see cref="InputGradient.Done"/> called.
    /// </summary>
    /// <param name="input">The input; null for one that is absent.</param>
    /// <param name="strided">Whether the kernel writes rows at a pitch.</param>
    public static InputGradient For(Tensor? input, bool strided = true)
    {
        if (input is not { NeedsGradient: true })
        {
            return default;
        }

        return Place(input, strided) is { } place
            ? new InputGradient(place, null)
            : new InputGradient(Tensor.Allocate(input.Device, input.Type, input.Shape), input);
    }

    /// <summary>As <see cref="For"/>, with a buffer even where the gradient is not wanted: for kernels that write all of several gradients.</summary>
    public static InputGradient ForAny(Tensor input, bool strided = true) =>
        input.NeedsGradient ? For(input, strided) : new InputGradient(Tensor.Allocate(input.Device, input.Type, input.Shape), null);

    /// <summary>
    /// The place of an input's gradient, counted as written from now on; null if something has arrived there already. A view hands on to the place within
    /// the tensor that it views.
    /// </summary>
    public static Tensor? Place(Tensor input, bool strided)
    {
        if (input.Producer is null)
        {
            if (!input.RequiresGradient || input.HasGradient)
            {
                return null;
            }

            input.HasGradient = true;
            return input.LeafBuffer();
        }

        if (input.GradientSlot is not null)
        {
            return null;
        }

        if (input.Producer.InputPlace(strided) is { } place)
        {
            return place;
        }

        Tensor fresh = Tensor.Allocate(input.Device, input.Type, input.Shape);
        Replace(input, fresh);
        return fresh;
    }

    /// <summary>The place of a part of an input's gradient if nothing has arrived there yet, counted as written from now on; else null.</summary>
    /// <param name="strided">Whether any layout with rows at one pitch will do, or only a contiguous one.</param>
    public static Tensor? PlaceOfPart(Tensor input, int dimension, int start, int length, bool strided)
    {
        if (input.Producer is null || (input.GradientSlot is not null && input.PartialGradient?.Dimension != dimension))
        {
            return null;
        }

        Shape shape = input.Shape.With(dimension, length);
        Strides strides = Strides.Contiguous(input.Shape);
        Tensor? slot = input.GradientSlot;
        if (!RowView.HasRows(shape, strides, out long pitch) || (!strided && pitch != shape.Last) || (slot is not null && !input.PartialGradient!.IsFree(start, start + length)))
        {
            return null;
        }

        return Part(input, dimension, start, length, out _);
    }

    /// <summary>
    /// The buffer for a part of an input's gradient: when <paramref name="accumulate"/> is true the gradient must be added there, otherwise written. What no
    /// part covers is set to 0 only when the gradient as a whole is needed.
    /// </summary>
    public static Tensor Part(Tensor input, int dimension, int start, int length, out bool accumulate)
    {
        if (input.Producer is null || (input.GradientSlot is not null && input.PartialGradient is null))
        {
            Tensor whole = Target(input, out accumulate);
            if (!accumulate)
            {
                whole.Device.Backend.Fill(whole, 0);
            }

            return PartOf(whole, dimension, start, length);
        }

        if (input.GradientSlot is null)
        {
            Replace(input, Tensor.Allocate(input.Device, input.Type, input.Shape));
            input.PartialGradient = new PartialGradient(dimension, input.Shape[dimension]);
        }

        Tensor slot = input.GradientSlot!;
        PartialGradient partial = input.PartialGradient!;
        accumulate = partial.Dimension != dimension || !partial.IsFree(start, start + length);
        if (!accumulate)
        {
            partial.Write(start, start + length);
            if (partial.IsWhole)
            {
                input.PartialGradient = null;
            }
        }
        else if (partial.Dimension != dimension || !partial.IsWritten(start, start + length))
        {
            Complete(input);
        }

        return PartOf(slot, dimension, start, length);
    }

    /// <summary>Sets to 0 what no part has written.</summary>
    public static void Complete(Tensor input)
    {
        if (input.PartialGradient is { } partial)
        {
            Tensor slot = input.GradientSlot!;
            foreach ((int start, int length) in partial.Gaps())
            {
                slot.Device.Backend.Fill(PartOf(slot, partial.Dimension, start, length), 0);
            }

            input.PartialGradient = null;
        }
    }

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
        input.PartialGradient = null;
    }

    private static Tensor PartOf(Tensor whole, int dimension, int start, int length) =>
        whole.View(whole.Shape.With(dimension, length), whole.Strides, whole.Offset + (start * whole.Strides[dimension]));

    private static Tensor Packed(Tensor gradient)
    {
        Tensor packed = Tensor.Allocate(gradient.Device, gradient.Type, gradient.Shape);
        gradient.Device.Backend.Copy(gradient, packed);
        return packed;
    }
}
