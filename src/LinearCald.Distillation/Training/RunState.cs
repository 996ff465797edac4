using System.Text.Json;
using LinearCald.Distillation.Guidance;
using LinearCald.Nn;
using LinearCald.Nn.Files;
using LinearCald.Nn.Optimisers;

namespace LinearCald.Distillation.Training;

/// <summary>One evaluation of a run.</summary>
/// <param name="Step">Updates completed.</param>
/// <param name="Value">The task's metric.</param>
public sealed record EvaluationPoint(int Step, double Value);

/// <summary>What a run knows besides its tensors.</summary>
public sealed record RunProgress
{
    /// <summary>Updates completed.</summary>
    public int Step { get; init; }

    public long OptimiserStep { get; init; }

    public long GuideCounter { get; init; }

    /// <summary>Time spent in all processes that worked on the run.</summary>
    public double Seconds { get; init; }

    /// <summary>Step of the best evaluation; −1 before the first.</summary>
    public int BestStep { get; init; } = -1;

    public Evaluation? Best { get; init; }

    /// <summary>The scale of the losses, in float16.</summary>
    public LossScalerState? LossScale { get; init; }

    /// <summary>Updates left out because their gradient was not finite.</summary>
    public int Skipped { get; init; }

    /// <summary>Those of them that came last, with no good update since.</summary>
    public int SkippedInARow { get; init; }

    public IReadOnlyList<EvaluationPoint> Evaluations { get; init; } = [];
}

/// <summary>
/// The checkpoints of a run: <c>checkpoints/step-NNNNNN/</c> with the model, the optimiser's moments, what the guide keeps, and
/// <c>state.json</c>. Order of data and dropout masks are functions of seed and step, so that this is all there is to resume to the same bits.
/// </summary>
internal sealed class RunState(string folder, Module model, AdamW optimiser, Guide guide)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private readonly CheckpointFolders _folders = new(folder);

    public void Save(RunProgress progress, int keep)
    {
        RunProgress complete = progress with { OptimiserStep = optimiser.Step, GuideCounter = guide.Counter };
        _folders.Write(progress.Step, temporary =>
        {
            SafetensorsWriter.Write(Path.Combine(temporary, "model.safetensors"), StateDict.Payloads(model.NamedParameters().Select(p => (p.Name, p.Parameter.Value))));
            SafetensorsWriter.Write(Path.Combine(temporary, "optimizer.safetensors"), StateDict.Payloads(optimiser.State()));
            IReadOnlyCollection<TensorPayload> kept = StateDict.Payloads(guide.State());
            if (kept.Count > 0)
            {
                SafetensorsWriter.Write(Path.Combine(temporary, "guide.safetensors"), kept);
            }

            AtomicFile.WriteText(Path.Combine(temporary, "state.json"), JsonSerializer.Serialize(complete, Json));
        });
        _folders.KeepLast(keep);
    }

    /// <summary>Restores the newest checkpoint; null when there is none.</summary>
    /// <exception cref="CaldException">A checkpoint is damaged or of another model.</exception>
    public RunProgress? Restore()
    {
        _folders.Recover();
        IReadOnlyList<long> steps = _folders.Steps();
        if (steps.Count == 0)
        {
            return null;
        }

        string path = _folders.PathOf(steps[^1]);
        RunProgress progress;
        try
        {
            progress = JsonSerializer.Deserialize<RunProgress>(File.ReadAllBytes(Path.Combine(path, "state.json")), Json)
                ?? throw new JsonException("empty");
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            throw new CaldException($"{path}/state.json cannot be read ({e.Message}); delete this checkpoint folder to resume from the one before", e);
        }

        using (WeightsReader weights = WeightsReader.Open(Path.Combine(path, "model.safetensors")))
        {
            StateDict.Load(model, weights, new LoadRules());
        }

        Read(Path.Combine(path, "optimizer.safetensors"), optimiser.State());
        Read(Path.Combine(path, "guide.safetensors"), guide.State());
        optimiser.Step = progress.OptimiserStep;
        guide.Counter = progress.GuideCounter;
        return progress;
    }

    private static void Read(string path, IEnumerable<(string Name, Tensors.Tensor Value)> tensors)
    {
        (string Name, Tensors.Tensor Value)[] wanted = [.. tensors];
        if (wanted.Length == 0)
        {
            return;
        }

        using WeightsReader reader = WeightsReader.Open(path);
        foreach ((string name, Tensors.Tensor value) in wanted)
        {
            if (!reader.Contains(name) || reader.Entry(name).ElementCount != value.Count)
            {
                throw new CaldException($"{path} has no tensor {name} of {value.Count} elements; the checkpoint belongs to another recipe, start afresh with another --out");
            }

            StateDict.Read(reader, name, value);
        }
    }
}
