using System.Diagnostics;
using LinearCald.Nn;
using LinearCald.Tensors;
using LinearCald.Tensors.Autograd;
using LinearCald.Tensors.Memory;
using LinearCald.Tensors.Ops;

namespace LinearCald.Models.Language.Generation;

/// <summary>Why a text has ended.</summary>
public enum GenerationEnd
{
    /// <summary>It has not.</summary>
    None,

    /// <summary>The model gave the token that ends a text.</summary>
    EndOfText,

    /// <summary>It has as many new tokens as were asked for.</summary>
    Length,
}

/// <summary>
/// Continues one prompt token by token. The prompt goes through the model in chunks, then every step reads one token with what the model remembers: for recurrent models
/// the cost of a step and the memory do not depend on the position.
/// </summary>
public sealed class TokenGenerator : IDisposable
{
    private readonly CausalLanguageModel _model;
    private readonly Device _device;
    private readonly GenerationOptions _options;
    private readonly ForwardContext _context;
    private readonly DecodingState _state;
    private readonly TokenSampler _sampler;
    private readonly float[] _logits;
    private readonly int[] _prompt;
    private readonly int[] _last = [0];
    private long _started;
    private long _firstToken;
    private long _lastToken;

    /// <param name="model">Any causal language model.</param>
    /// <param name="device">Where it is.</param>
    /// <param name="prompt">Tokens to continue, at least one.</param>
    /// <param name="options">How.</param>
    /// <param name="computeType">The type of activations; null for float32.</param>
    /// <exception cref="CaldException">The prompt is empty, has a token outside the vocabulary, or is with the new tokens longer than the model's positions.</exception>
    public TokenGenerator(CausalLanguageModel model, Device device, ReadOnlySpan<int> prompt, GenerationOptions options, DType? computeType = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        if (prompt.Length == 0)
        {
            throw new CaldException("the prompt is empty: a language model continues a text; give it at least one token to begin with");
        }

        foreach (int token in prompt)
        {
            if ((uint)token >= (uint)model.VocabularySize)
            {
                throw new CaldException($"token {token} of the prompt is beyond the vocabulary of {model.VocabularySize} of this {model.Architecture}; the tokenizer belongs to another model");
            }
        }

        if (model.MaximumPositions is { } most && prompt.Length + options.MaxNewTokens > most)
        {
            throw new CaldException(
                $"a prompt of {prompt.Length} tokens and {options.MaxNewTokens} new ones are more than the {most} positions of this {model.Architecture}; shorten the prompt" +
                $"{(prompt.Length < most ? $", or ask for at most {most - prompt.Length} new tokens" : "")} (a converted student has no such limit)");
        }

        _model = model;
        _device = device;
        _options = options;
        _prompt = prompt.ToArray();
        _context = new ForwardContext { ComputeType = computeType };
        _sampler = new TokenSampler(options);
        foreach (int token in _prompt)
        {
            _sampler.Observe(token);
        }

        _logits = new float[model.VocabularySize];
        _state = model.NewDecodingState(1, prompt.Length + options.MaxNewTokens);
    }

    /// <summary>New tokens so far, the one that ends the text not counted.</summary>
    public int NewTokens { get; private set; }

    /// <summary>Whether and why the text has ended.</summary>
    public GenerationEnd End { get; private set; }

    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens => _prompt.Length;

    /// <summary>Bytes that the model remembers of the text so far.</summary>
    public long StateBytes => _state.Bytes;

    /// <summary>From the first call of <see cref="Next"/> until the first token was chosen: the prompt's pass.</summary>
    public TimeSpan TimeToFirstToken => NewTokens == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(_started, _firstToken);

    /// <summary>Steps a second, the prompt's pass not counted; NaN below two tokens.</summary>
    public double TokensPerSecond => NewTokens < 2 ? double.NaN : (NewTokens - 1) / Stopwatch.GetElapsedTime(_firstToken, _lastToken).TotalSeconds;

    /// <summary>The next token, null at the end of the text: see <see cref="End"/>.</summary>
    /// <exception cref="CaldException">The model's logits are no numbers.</exception>
    public int? Next()
    {
        if (End != GenerationEnd.None)
        {
            return null;
        }

        if (NewTokens == _options.MaxNewTokens)
        {
            End = GenerationEnd.Length;
            return null;
        }

        if (NewTokens == 0)
        {
            _started = Stopwatch.GetTimestamp();
            Prefill();
        }
        else
        {
            Read(_last, true);
        }

        int token = _sampler.Next(_logits, NewTokens);
        if (token == _options.EndOfText)
        {
            End = GenerationEnd.EndOfText;
            return null;
        }

        _last[0] = token;
        NewTokens++;
        _lastToken = Stopwatch.GetTimestamp();
        if (NewTokens == 1)
        {
            _firstToken = _lastToken;
        }

        return token;
    }

    public void Dispose()
    {
        _state.Dispose();
        _sampler.Dispose();
    }

    private void Prefill()
    {
        for (int from = 0; from < _prompt.Length; from += _options.PrefillChunk)
        {
            int to = Math.Min(from + _options.PrefillChunk, _prompt.Length);
            Read(_prompt.AsSpan(from, to - from), to == _prompt.Length);
        }
    }

    // Logits are made for the last token of the prompt and for every new one.
    private void Read(ReadOnlySpan<int> tokens, bool wantsLogits)
    {
        using Tape.Pause pause = Tape.Paused();
        using MemoryScope scope = MemoryScope.Begin();
        LanguageInput input = new(Tensor.From(_device, new Shape(1, tokens.Length), tokens));
        Tensor hidden = _model.Encode(input, _context, null, _state);
        if (wantsLogits)
        {
            _model.Logits(hidden.Narrow(1, tokens.Length - 1, 1)).To(DType.Float32).CopyTo<float>(_logits);
        }
    }
}
