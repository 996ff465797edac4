using LinearCald.Tensors.Memory;

namespace LinearCald.Tensors.Autograd;

/// <summary>
/// One recorded operation with a single output. A subclass stands in the file of its operation, keeps what its gradient needs with <see cref="Save"/>,
/// and gives the inputs their gradients through <see cref="Gradients"/>.
/// </summary>
internal abstract class TapeNode
{
    private readonly Storage?[] _saved = new Storage?[12];
    private int _savedCount;

    public Tensor Output { get; set; } = null!;

    /// <summary>Sends the gradient of the output on to the inputs.</summary>
    /// <param name="gradient">d loss / d output, shape of the output, contiguous.</param>
    public abstract void Backward(Tensor gradient);

    /// <summary>
    /// For a node whose output is a view: where within the gradient of its input the output's gradient belongs, if nothing has arrived there yet; counted as
    /// written from now on. Null where there is no such place: then the gradient goes through <see cref="Backward"/>.
    /// </summary>
    /// <param name="strided">Whether any layout with rows at one pitch will do, or only a contiguous one.</param>
    public virtual Tensor? InputPlace(bool strided) => null;

    /// <summary>Drops what was saved; called once, after the gradient was taken or when the tape is dropped.</summary>
    public void Release()
    {
        for (int i = 0; i < _savedCount; i++)
        {
            _saved[i]!.Unpin();
            _saved[i] = null;
        }

        _savedCount = 0;
    }

    /// <summary>Keeps a tensor's memory until this node's gradient has been taken.</summary>
    protected Tensor Save(Tensor tensor)
    {
        Storage storage = tensor.Storage;
        storage.Pin();
        _saved[_savedCount++] = storage;
        return tensor;
    }

    protected Tensor? SaveOptional(Tensor? tensor) => tensor is null ? null : Save(tensor);
}
