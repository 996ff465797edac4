namespace LinearCald.Distillation.Recipes;

// The named choices of a recipe. In YAML a value is written in kebab case: SourceInit is `source-init`.

/// <summary>Where examples come from, and with that their columns and classes.</summary>
public enum TaskKind
{
    /// <summary>The small text classification sample that travels with the program.</summary>
    Sample,

    /// <summary>Tab-separated files train.tsv, valid.tsv and test.tsv; the label is the last column.</summary>
    Tsv,

    /// <summary>Files with one JSON object a line.</summary>
    Jsonl,
    Sst2,
    Qnli,
    Qqp,
    Mrpc,
    Rte,

    /// <summary>The aclImdb folder: train/pos, train/neg, test/pos, test/neg.</summary>
    Imdb,

    /// <summary>Language modelling on the public-domain text that travels with the program.</summary>
    LmSample,

    /// <summary>Language modelling on plain text or JSON lines, also compressed.</summary>
    Corpus,

    /// <summary>Language modelling on tokens in Megatron's indexed form, as the Pile of Pythia is distributed.</summary>
    Megatron,

    /// <summary>The spoken digits that travel with the program.</summary>
    SpeechSample,

    /// <summary>Audio files listed in transcripts.tsv.</summary>
    Transcripts,

    /// <summary>TED-LIUM 3: STM transcripts beside SPHERE recordings.</summary>
    TedLium,

    /// <summary>SLURP: JSON lines beside FLAC files.</summary>
    Slurp,

    /// <summary>VoxCeleb1 with the split of SUPERB.</summary>
    VoxCeleb,

    /// <summary>LibriSpeech's folders.</summary>
    LibriSpeech,
}

/// <summary>What becomes of clips that cannot be used: a file that is missing or broken, a clip that is too short, a transcript that does not fit.</summary>
public enum BadClipRule
{
    /// <summary>The run does not begin: all of them are listed.</summary>
    Error,

    /// <summary>They are left out, counted and reported.</summary>
    Skip,
}

/// <summary>What happens where one document ends and the next begins in a row of tokens.</summary>
public enum DocumentRule
{
    /// <summary>Nothing: rows run across documents, as the reference trains.</summary>
    Mixed,

    /// <summary>Recurrent states start again, and no document sees another.</summary>
    Separate,
}

/// <summary>Sizes of a Mamba mixer.</summary>
public enum MixerSizes
{
    /// <summary>expand × width, with a time-step rank of ⌈width / 16⌉.</summary>
    Own,

    /// <summary>Those of Mamba-2.8B whatever the width, as the reference inherits them: inner width 5,120 and rank 160.</summary>
    Inherited,
}

/// <summary>Which parameters are decayed.</summary>
public enum DecayRule
{
    /// <summary>Every weight of a linear map, convolution or embedding.</summary>
    Weights,

    /// <summary>The weights of the new mixers only.</summary>
    Mixer,

    /// <summary>Everything in the new mixers but biases and norms, so A_log and D too: the reference's language-model script.</summary>
    WholeMixer,

    /// <summary>Everything but what is called `bias` and the weights of norms called `layer_norm`, so A_log, D, dt_bias and other norms too: the reference's speech script.</summary>
    Whole,
}

/// <summary>What is reported, and what chooses the best checkpoint. See <see cref="TaskMetrics"/>.</summary>
public enum TaskMetric
{
    Accuracy,
    F1,
    Matthews,

    /// <summary>Language models: exp of the mean cross-entropy a token.</summary>
    Perplexity,

    /// <summary>Language models: cross-entropy in bits over the bytes of the text.</summary>
    BitsPerByte,

    /// <summary>Speech recognition: words substituted, inserted and deleted over the words of the references.</summary>
    Wer,

    /// <summary>The same of characters.</summary>
    Cer,

    /// <summary>Speech classification: the share of clips whose targets are all right.</summary>
    JointAccuracy,
}

/// <summary>The linear-time mixer that takes the place of self-attention.</summary>
public enum MixerKind
{
    /// <summary>Linformer attention, for RoBERTa.</summary>
    Linformer,

    /// <summary>Mamba, for GPT-NeoX.</summary>
    Mamba,

    /// <summary>A Mamba-2 in each direction, for Wav2Vec2.</summary>
    BiMamba2,
}

/// <summary>Which Linformer projections are one tensor.</summary>
public enum ShareMode
{
    /// <summary>Two projections a layer: one for keys, one for values.</summary>
    None,

    /// <summary>One projection a layer, for keys and values.</summary>
    Kv,

    /// <summary>One projection for keys and values of all layers.</summary>
    Layer,
}

/// <summary>How a Linformer projection starts.</summary>
public enum ProjectionInit
{
    /// <summary>Every entry drawn from N(0, 1), as the reference does.</summary>
    Normal,

    /// <summary>Each slot averages a run of neighbouring positions, plus noise of standard deviation `init_noise`.</summary>
    Pool,
}

/// <summary>Shape of the learning rate after the warm-up.</summary>
public enum ScheduleKind
{
    Linear,
    Cosine,
    Constant,
    Exponential,

    /// <summary>A cosine to 0, but never below final_lr, in the warm-up neither: the reference's language-model script.</summary>
    ClampedCosine,
}

/// <summary>Which of several equally good evaluations is the best one.</summary>
public enum BestRule
{
    /// <summary>A later evaluation must be better: metric &gt; best.</summary>
    First,

    /// <summary>A later evaluation that is as good replaces the best: metric ≥ best.</summary>
    Last,
}

/// <summary>Number format of the computation; master weights are always float32.</summary>
public enum Precision
{
    Fp32,
    Tf32,
    Bf16,
    Fp16,
}

/// <summary>How the teacher guides the student.</summary>
public enum GuidanceMode
{
    /// <summary>Task loss only, from source weights.</summary>
    Unguided,

    /// <summary>Frozen fine-tuned teacher; the student starts from its weights, head included.</summary>
    Target,

    /// <summary>Frozen fine-tuned teacher; the student starts from the source weights and a fresh head.</summary>
    SourceInit,

    /// <summary>The teacher is fine-tuned at the same time, on the same batches.</summary>
    Trajectory,

    /// <summary>The frozen teacher is replaced by the next stored checkpoint of its own fine-tuning.</summary>
    Waypoint,

    /// <summary>Target guidance up to the switch step, then the task loss alone.</summary>
    Hybrid,
}

/// <summary>A named set of the choices that make up the distillation losses; docs/recipes.md tabulates them.</summary>
public enum LossConvention
{
    /// <summary>The reference's text scripts.</summary>
    Nlp,

    /// <summary>The reference's language-model script.</summary>
    Lm,

    /// <summary>The reference's speech script.</summary>
    Speech,

    /// <summary>`nlp` without the padded positions.</summary>
    Masked,
}

/// <summary>Which of the hidden states 0 … n (0 = embedding output, n = number of layers) are compared.</summary>
public enum LayerEntries
{
    /// <summary>0 … n.</summary>
    All,

    /// <summary>1 … n − 1.</summary>
    Inner,

    /// <summary>1 … n.</summary>
    Outputs,
}

/// <summary>What is done to both hidden states before their difference is taken.</summary>
public enum StateNormalisation
{
    None,

    /// <summary>Layer norm without weight and bias, ε = 1e-5, in float32.</summary>
    Layernorm,
}

/// <summary>Whether padded positions enter the distillation losses and their means.</summary>
public enum PaddingRule
{
    Counted,
    Masked,
}

/// <summary>How the terms of the layers become one number.</summary>
public enum LayerReduction
{
    Sum,
    Mean,
}

/// <summary>What the Kullback–Leibler sum is divided by.</summary>
public enum KlReduction
{
    /// <summary>The number of examples.</summary>
    Batch,

    /// <summary>The number of positions (of valid ones where padding is masked).</summary>
    Tokens,
}

/// <summary>Whether the guiding teacher applies dropout.</summary>
public enum TeacherMode
{
    /// <summary>Dropout on, as the reference does.</summary>
    Train,

    /// <summary>Dropout off: the same input always gives the same target.</summary>
    Eval,
}

/// <summary>How long the schedule of a trajectory teacher is.</summary>
public enum TeacherSchedule
{
    /// <summary>Laid out over the student's steps though advanced only once in `update_cycle` of them, as the reference does.</summary>
    Student,

    /// <summary>Laid out over the teacher's own updates, so that it warms up and decays fully.</summary>
    Own,
}
