using System.CommandLine;
using System.Globalization;
using System.Text;
using LinearCald.Data.Tokenizers;
using LinearCald.Distillation.Conversion;
using LinearCald.Distillation.Reporting;
using LinearCald.Distillation.Training;
using LinearCald.Models.Language;
using LinearCald.Models.Language.Generation;
using LinearCald.Nn;
using LinearCald.Tensors;

namespace LinearCald.Cli.Commands;

/// <summary>`cald generate`: continues a text with a saved language model.</summary>
internal sealed class GenerateCommand : CaldCommand
{
    private static readonly Argument<string?> Prompt = new("PROMPT")
    {
        Description = "The text to continue; - reads it from standard input",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string> Model = new("--model")
    {
        Description = "Model folder (config.json, safetensors, tokenizer) of a language model, transformer or student",
        HelpName = "DIR",
        Required = true,
    };

    private static readonly Option<string?> PromptFile = new("--prompt-file") { Description = "Read the prompt from a file (UTF-8)", HelpName = "FILE" };

    private static readonly Option<int?> MaxNewTokens = CommonOptions.WholeNumber("--max-new-tokens", "Stop after so many tokens (default: 128)", 1, int.MaxValue);

    private static readonly Option<int?> MinNewTokens = CommonOptions.WholeNumber("--min-new-tokens", "No end of text before so many tokens", 0, int.MaxValue);

    private static readonly Option<double?> Temperature = CommonOptions.Number("--temperature", "Divide logits by T and draw at random; 0: always the most likely token (default: 0, or 1 with --top-k or --top-p)", "T", 0, 1000);

    private static readonly Option<int?> TopK = CommonOptions.WholeNumber("--top-k", "Draw from the k most likely tokens only", 1, int.MaxValue);

    private static readonly Option<double?> TopP = CommonOptions.Number("--top-p", "Draw from the most likely tokens that together have probability p only", "P", 1e-9, 1);

    private static readonly Option<double?> RepetitionPenalty = CommonOptions.Number("--repetition-penalty", "Divide positive logits of tokens that were there already by θ and multiply negative ones; 1 is none", "θ", 1e-3, 1000);

    private static readonly Option<string[]> Stop = new("--stop")
    {
        Description = @"Stop before this text (\n for a line end); may be repeated",
        HelpName = "TEXT",
        AllowMultipleArgumentsPerToken = false,
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<bool> IgnoreEnd = new("--ignore-end") { Description = "Go on when the model ends the text" };

    private static readonly Option<bool> BenchmarkPositions = new("--benchmark-positions")
    {
        Description = "Instead of a text: time a token at the beginning (tokens 1 to 100) and behind 8,000 others (tokens 8,001 to 8,100)",
    };

    public GenerateCommand()
        : base(
            "generate",
            "Continues a text with a saved language model, transformer or converted student, and streams it to the terminal.",
            "--model LM \"It is a truth universally acknowledged\"",
            "--model LM --temperature 0.8 --top-p 0.95 --seed 7 \"Once upon a time\"",
            "--model LM --prompt-file letter.txt --max-new-tokens 400 --stop \"\\n\\n\"",
            "--model LM - < prompt.txt --json # one JSON object with the text and the figures",
            "--model STUDENT --benchmark-positions")
    {
        Add(Prompt);
        Add(Model);
        Add(PromptFile);
        Add(MaxNewTokens);
        Add(MinNewTokens);
        Add(Temperature);
        Add(TopK);
        Add(TopP);
        Add(RepetitionPenalty);
        Add(Stop);
        Add(IgnoreEnd);
        Add(BenchmarkPositions);
        Add(CommonOptions.Seed);
        CommonOptions.AddCompute(this);
        Add(CommonOptions.Json);
    }

    public override int Execute(Session session)
    {
        bool benchmark = session.Arguments.GetValue(BenchmarkPositions);
        string prompt = benchmark ? "" : ReadPrompt(session);
        StopStrings stops = new((session.Arguments.GetValue(Stop) ?? []).Select(Unescape));
        string folder = ModelSource.Resolve(session.Arguments.GetValue(Model)!, "--model FOLDER");
        if (ModelKinds.Of(folder) is var kind and not ModelKind.Language)
            throw new CaldException($"{folder} has {ModelKinds.Name(kind)}, which cannot continue a text; give the folder of a language model");
        Device device = RunOptions.DeviceOf(session);
        DType? type = session.Arguments.GetValue(CommonOptions.Precision)?.ComputeType();
        Tokenizer tokenizer = Tokenizer.Load(folder);
        using LayeredLanguageModel model = LanguageModelFiles.Load(folder, BuildContext.For(device, 0));
        if (benchmark)
            return GenerationBenchmark.Run(session, model, device, type);
        int[] tokens = tokenizer.Encode(prompt, addSpecialTokens: false).Ids;
        using TokenGenerator generator = new(model, device, tokens, OptionsOf(session, tokenizer.EosId ?? model.Configuration.EndToken), type);
        return Stream(session, generator, tokenizer, stops);
    }

    private static int Stream(Session session, TokenGenerator generator, Tokenizer tokenizer, StopStrings stops)
    {
        StopRequest interrupt = new();
        using Interrupts interrupts = session.HandleInterrupts(interrupt);
        TokenTextStream characters = new(tokenizer);
        StringBuilder text = new();
        while (!interrupt.IsRequested && stops.Found is null && generator.Next() is { } token)
            Write(stops.Append(characters.Append(token)));
        Write(stops.Append(characters.Flush()));
        Write(stops.Flush());
        string end = interrupt.IsRequested ? "interrupted" : stops.Found is not null ? "stop" : generator.End == GenerationEnd.EndOfText ? "end_of_text" : "length";
        if (session.Json)
        {
            session.Terminal.Out.WriteLine(new JsonLine().Add("text", text.ToString()).Add("end", end)
                .Add("prompt_tokens", generator.PromptTokens).Add("new_tokens", generator.NewTokens)
                .Add("seconds_to_first_token", generator.TimeToFirstToken.TotalSeconds).Add("tokens_per_second", generator.TokensPerSecond).Add("state_bytes", generator.StateBytes));
        }
        else
        {
            session.Terminal.Out.WriteLine();
            session.Note(Figures(generator, end));
        }

        return interrupt.IsRequested ? CommandLine.Failed : CommandLine.Done;

        void Write(string piece)
        {
            text.Append(piece);
            if (session.Json || piece.Length == 0)
                return;
            session.Terminal.Out.Write(piece);
            session.Terminal.Out.Flush();
        }
    }

    private static string Figures(TokenGenerator generator, string end) => string.Create(CultureInfo.InvariantCulture,
        $"{generator.PromptTokens} + {generator.NewTokens} tokens ({end}) · first token after {generator.TimeToFirstToken.TotalMilliseconds:F0} ms")
        + (double.IsNaN(generator.TokensPerSecond) ? "" : string.Create(CultureInfo.InvariantCulture, $" · {generator.TokensPerSecond:F1} tokens/s"))
        + string.Create(CultureInfo.InvariantCulture, $" · state {generator.StateBytes / 1024.0:N1} KiB");

    private static GenerationOptions OptionsOf(Session session, int? endOfText)
    {
        int? k = session.Arguments.GetValue(TopK);
        double? p = session.Arguments.GetValue(TopP);
        int most = session.Arguments.GetValue(MaxNewTokens) ?? 128;
        return new GenerationOptions
        {
            MaxNewTokens = most,
            MinNewTokens = session.Arguments.GetValue(MinNewTokens) ?? 0,
            Temperature = session.Arguments.GetValue(Temperature) ?? (k is null && p is null ? 0 : 1),
            TopK = k ?? 0,
            TopP = p ?? 1,
            RepetitionPenalty = session.Arguments.GetValue(RepetitionPenalty) ?? 1,
            EndOfText = session.Arguments.GetValue(IgnoreEnd) ? null : endOfText,
            Seed = (ulong)(session.Arguments.GetValue(CommonOptions.Seed) ?? 0),
        };
    }

    private static string ReadPrompt(Session session)
    {
        string? given = session.Arguments.GetValue(Prompt), file = session.Arguments.GetValue(PromptFile);
        if (given is not null && file is not null)
            throw new CaldException("a prompt and --prompt-file were given; give one of them");
        string prompt = file is not null ? FromFile(file)
            : given == "-" ? Utf8(session.Terminal.Input(), "standard input")
            : given ?? throw new CaldException("no prompt given: write the text to continue behind the options, or give --prompt-file FILE, or - to read standard input");
        return prompt.Length > 0 ? prompt : throw new CaldException("the prompt is empty: a language model continues a text; give it at least a word to begin with");
    }

    private static string FromFile(string path)
    {
        if (!File.Exists(path))
            throw new CaldException($"--prompt-file {path} {(Directory.Exists(path) ? "is a folder; name a file in it" : "does not exist")}");
        return Utf8(File.OpenRead(path), path);
    }

    private static string Utf8(Stream stream, string name)
    {
        using StreamReader reader = new(stream, new UTF8Encoding(false, throwOnInvalidBytes: true));
        try
        {
            return reader.ReadToEnd();
        }
        catch (DecoderFallbackException e)
        {
            throw new CaldException($"{name} is not UTF-8 text; save the prompt as UTF-8", e);
        }
    }

    private static string Unescape(string text) => text.Replace("\\n", "\n", StringComparison.Ordinal).Replace("\\t", "\t", StringComparison.Ordinal);
}
