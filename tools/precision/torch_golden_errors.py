#!/usr/bin/env python3
"""PyTorch's own rounding error on the golden fixtures: the models of transformers, on a GPU, in tf32, in bfloat16 and in float16.

    python3 tools/precision/torch_golden_errors.py tests/fixtures/seed0 [--precisions fp32,tf32,bf16,fp16] [--device cuda] [--top 3] [--json FILE]

Prints for every model case the worst error ratio and the tensors it is at, with the error rule of `cald verify`: |x - ref| / |ref|, where a reference's norm counts as at
least a hundredth of what the root mean square of its group (all gradients, or one output) would give it. float32 weights and gradients throughout; tf32 stands for
float32 tensors with tf32 products and convolutions, bf16 and fp16 for autocast, fp16 with the loss scaled by 1024. Attention is `eager` unless --attention says otherwise.
"""
import argparse, glob, json, os, sys, time
import torch
from safetensors.torch import load_file
from transformers import AutoConfig
import transformers

FLOOR = 0.01
SCALE = 1024.0


def norm(x):
    return float(x.double().norm())


class Meter:
    def __init__(self):
        self.entries = []

    def add(self, name, group, actual, expected):
        actual, expected = actual.detach().double().cpu(), expected.double().cpu()
        if actual.shape != expected.shape:
            actual = actual.reshape(expected.shape)
        self.entries.append((name, group, norm(actual - expected), norm(expected), expected.numel()))

    def ratios(self):
        result = []
        for group in {e[1] for e in self.entries}:
            members = [e for e in self.entries if e[1] == group]
            rms = (sum(e[3] ** 2 for e in members) / max(1, sum(e[4] for e in members))) ** 0.5
            for name, _, error, size, count in members:
                scale = max(size, FLOOR * rms * count ** 0.5)
                result.append((0.0 if error == 0 else error / scale if scale > 0 else float("inf"), name))
        return sorted(result, reverse=True)


def load(folder, attention, device):
    config = AutoConfig.from_pretrained(folder)
    kind = getattr(transformers, config.architectures[0])
    try:
        model = kind.from_pretrained(folder, attn_implementation=attention, dtype=torch.float32)
    except (TypeError, ValueError):
        model = kind.from_pretrained(folder)
    return model.float().to(device).eval()


def run(folder, precision, attention, device):
    inputs, expected = load_file(os.path.join(folder, "inputs.safetensors")), load_file(os.path.join(folder, "expected.safetensors"))
    model = load(folder, attention, device)
    arguments = {k: v.to(device) for k, v in inputs.items()}
    if "labels" not in arguments:  # the language models are their own labels
        arguments["labels"] = arguments["input_ids"]
    fast = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = fast
    torch.backends.cudnn.allow_tf32 = fast
    half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision)
    with torch.autocast(device_type=device, dtype=half or torch.bfloat16, enabled=half is not None):
        output = model(**arguments, output_hidden_states=True)
    scale = SCALE if precision == "fp16" else 1.0
    (output.loss.float() * scale).backward()
    meter = Meter()
    for i, state in enumerate(output.hidden_states):
        name = f"hidden_states.{i}"
        if name in expected and state.numel() == expected[name].numel():
            meter.add(name, name, state.float(), expected[name])
    meter.add("logits", "logits", output.logits.float(), expected["logits"])
    meter.add("loss", "loss", output.loss.float(), expected["loss"])
    missing = []
    parameters = dict(model.named_parameters())
    for name in (k for k in expected if k.startswith("grad.")):
        parameter = parameters.get(name[5:])
        if parameter is None or parameter.grad is None:
            missing.append(name[5:])
            continue
        meter.add(name, "grad", parameter.grad.float() / scale, expected[name])
    return meter.ratios(), missing


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--precisions", default="fp32,tf32,bf16,fp16")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--attention", default="eager")
    parser.add_argument("--top", type=int, default=3)
    parser.add_argument("--json")
    options = parser.parse_args()
    cases = sorted(os.path.dirname(p) for p in glob.glob(os.path.join(options.folder, "**", "config.json"), recursive=True))
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, {torch.cuda.get_device_name() if options.device == 'cuda' else 'cpu'}, attention {options.attention}", flush=True)
    rows = []
    for precision in options.precisions.split(","):
        for folder in cases:
            case, start = os.path.basename(folder), time.time()
            try:
                ratios, missing = run(folder, precision, options.attention, options.device)
            except Exception as error:  # one case that a version cannot run must not cost the others
                print(f"{precision:5s} {case:20s} not run: {type(error).__name__}: {str(error)[:200]}", flush=True)
                continue
            worst = "  ".join(f"{e:.3g} {n}" for e, n in ratios[: options.top])
            print(f"{precision:5s} {case:20s} worst {worst}   ({len(ratios)} compared, {time.time() - start:.1f} s)" + (f" missing {missing[:3]}" if missing else ""), flush=True)
            rows.append({"precision": precision, "case": case, "worst": ratios[0][0], "where": ratios[0][1], "ratios": {n: e for e, n in ratios}})
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
