namespace LinearCald.Data.ZeroShot;

/// <summary>A text whose last part is scored: log p(<see cref="Continuation"/> | <see cref="Context"/>).</summary>
/// <param name="Context">
/// What the model reads first. May end in a blank where the task's own text does: the scorer moves trailing blanks to the continuation. Empty where a task
/// has nothing to read, in which case the end-of-text token stands before the continuation.
/// </param>
/// <param name="Continuation">What is scored, the blank that separates it from the context included. Never empty.</param>
/// <param name="Characters">
/// The divisor of the normalised accuracy: code points of the choice without the separating blank. (The harness speaks of byte lengths
/// and counts characters; where the choices are contexts it counts the context.)
/// </param>
public sealed record ZeroShotCandidate(string Context, string Continuation, int Characters);

/// <summary>One question of a task.</summary>
/// <param name="Candidates">
/// Two or more to choose from, the choice being the first of the highest score; or a single one, which counts as right when each of its tokens is
/// the most probable one (greedy match).
/// </param>
/// <param name="Gold">Index of the right candidate; null when there is one candidate only.</param>
/// <param name="Line">Line of the file, from 1.</param>
public sealed record ZeroShotExample(IReadOnlyList<ZeroShotCandidate> Candidates, int? Gold, int Line);
