namespace LinearCald;

/// <summary>
/// The one exception family of LinearCald: something the user can act on. The message says what was wrong, where, and what to do.
/// Anything else that escapes is a defect of ours.
/// </summary>
public class CaldException : Exception
{
    /// <param name="message">What was wrong, where (operation, file, tensor; both shapes or types), and what to do.</param>
    /// <param name="inner">The cause, when another exception was translated.</param>
    public CaldException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
