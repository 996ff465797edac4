namespace LinearCald.Cli.Verification;

/// <summary>Outcome of comparing this implementation with one fixture folder.</summary>
/// <param name="Case">Name of the folder.</param>
/// <param name="Device">What computed.</param>
/// <param name="Worst">Largest error ratio ‖x − ref‖ / ‖ref‖; for a tokenizer the number of fields that differ. NaN never passes.</param>
/// <param name="Budget">The largest that is allowed.</param>
/// <param name="Where">The worst place, in words; empty when there is nothing to say.</param>
internal sealed record VerifyResult(string Case, string Device, double Worst, double Budget, string Where)
{
    public bool Pass => Worst <= Budget;
}

/// <summary>Knows one kind of fixture folder.</summary>
internal interface IFixtureVerifier
{
    /// <summary>What such a folder holds, for the message when a folder is of no known kind.</summary>
    string Expects { get; }

    /// <summary>The folder is of this kind.</summary>
    bool Recognises(string folder);

    /// <summary>Computes and compares.</summary>
    /// <exception cref="CaldException">The folder is damaged.</exception>
    VerifyResult Verify(string folder, string device);
}
