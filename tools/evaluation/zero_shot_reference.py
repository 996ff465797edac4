"""An independent zero-shot scorer, to compare `cald eval` with, to the last example.

Needs PyTorch and transformers, nothing of lm-evaluation-harness. It reads the JSON-lines files of a task folder itself, makes the
requests by the harness's rules (written down anew here, on purpose), scores them one at a time in float32, and writes one JSON object
for each question in the format of `cald eval --predictions`. Accuracies go to standard output as JSON.

    python zero_shot_reference.py --model MODEL --data lm_eval --tasks piqa,arc_easy --out reference.jsonl
    cald eval --model MODEL --data lm_eval --task piqa,arc_easy --against reference.jsonl
"""

import argparse
import gzip
import json
import math
import os
import re

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

# Name in the table, other names of its file, and what is reported.
TASKS = {
    "lambada_openai": (["lambada"], ["acc", "perplexity"]),
    "piqa": ([], ["acc", "acc_norm"]),
    "winogrande": (["winogrande_xl"], ["acc"]),
    "wsc273": (["winograd_wsc", "wsc"], ["acc"]),
    "arc_easy": ([], ["acc", "acc_norm"]),
    "arc_challenge": ([], ["acc", "acc_norm"]),
    "sciq": ([], ["acc", "acc_norm"]),
    "logiqa": (["logi_qa"], ["acc", "acc_norm"]),
    "openbookqa": (["openbook_qa"], ["acc", "acc_norm"]),
    "copa": ([], ["acc"]),
    "boolq": ([], ["acc"]),
    "social_iqa": (["siqa"], ["acc"]),
    "commonsense_qa": ([], ["acc"]),
}
EXTENSIONS = [".jsonl", ".jsonl.gz", ".json", ".json.gz"]
HEADING = re.compile("(Question|Passage|Context):")


def find(folder, task):
    names, _ = TASKS[task]
    for stem in [task, *names]:
        for extension in EXTENSIONS:
            path = os.path.join(folder, stem + extension)
            if os.path.exists(path):
                return path
    return None


def rows(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, json.loads(line)


def candidates(row):
    """The (context, continuation, characters) of a question, and the number of the right one (None: one candidate, greedy match)."""
    if "context_options" in row:
        contexts = [context.rstrip() for context in row["context_options"]]
        return [(context, " " + row["continuation"].strip(), len(context)) for context in contexts], row["gold"]
    if "query" in row:
        context = row["query"].rstrip()
        if HEADING.match(context) and not context.endswith("Answer:"):
            context += "\nAnswer:"
        choices = [choice.strip() for choice in row["choices"]]
        return [(context, " " + choice, len(choice)) for choice in choices], row["gold"]
    if "continuation" in row:
        word = row["continuation"].strip()
        return [(row["context"].rstrip(), " " + word, len(word))], None
    raise SystemExit(f"fields {sorted(row)} are of no form that this script knows")


class Scorer:
    def __init__(self, folder, device, context):
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder).float().to(device).eval()
        self.device = device
        self.context = context or getattr(self.model.config, "max_position_embeddings", None)
        tokenizer = self.tokenizer
        self.prefix = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id

    def encode(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False)

    @torch.no_grad()
    def score(self, context, continuation):
        stripped = context.rstrip()
        whole = self.encode(context + continuation)
        head = self.encode(stripped) if stripped else []
        if head:
            rest = whole[len(head):]
        else:
            head, rest = [self.prefix], whole
        if not rest:
            return 0.0, True
        read = (head + rest)[:-1]
        if self.context:
            read = read[-self.context:]
        logits = self.model(torch.tensor([read], device=self.device)).logits[0, -len(rest):].float()
        chosen = torch.tensor(rest, device=self.device)
        likelihoods = torch.log_softmax(logits, -1).gather(1, chosen[:, None]).double().sum().item()
        return likelihoods, bool((logits.argmax(-1) == chosen).all())


def first_largest(values):
    return max(range(len(values)), key=lambda i: (values[i], -i))


def evaluate(scorer, task, path, limit, out):
    right, normalized, sums = [], [], []
    for number, (line, row) in enumerate(rows(path)):
        if number == limit:
            break
        asked, gold = candidates(row)
        scores = [scorer.score(context, continuation) for context, continuation, _ in asked]
        likelihoods = [likelihood for likelihood, _ in scores]
        choice = first_largest(likelihoods)
        choice_norm = first_largest([likelihood / length for likelihood, (_, _, length) in zip(likelihoods, asked)])
        right.append(scores[0][1] if gold is None else choice == gold)
        normalized.append(scores[0][1] if gold is None else choice_norm == gold)
        sums.append(likelihoods[0])
        answer = {"task": task, "line": line, "gold": gold, "choice": choice, "choice_norm": choice_norm, "right": right[-1],
                  "loglikelihoods": likelihoods, "greedy": [greedy for _, greedy in scores]}
        out.write(json.dumps({key: value for key, value in answer.items() if value is not None}) + "\n")
    figures = {"acc": sum(right) / len(right), "acc_norm": sum(normalized) / len(normalized), "perplexity": math.exp(-sum(sums) / len(sums))}
    print(json.dumps({"task": task, "examples": len(right), **{metric: figures[metric] for metric in TASKS[task][1]}}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="model folder in HuggingFace layout")
    parser.add_argument("--data", required=True, help="folder of the tasks' JSON-lines files")
    parser.add_argument("--tasks", default="all", help="names with commas between, or all that the folder has")
    parser.add_argument("--out", required=True, help="file for the answers")
    parser.add_argument("--limit", type=int, help="only the first N questions of a task")
    parser.add_argument("--context", type=int, help="most tokens that the model reads (default: its positions)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()

    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    names = [task for task in TASKS if find(arguments.data, task)] if arguments.tasks == "all" else arguments.tasks.split(",")
    scorer = Scorer(arguments.model, arguments.device, arguments.context)
    with open(arguments.out, "w", encoding="utf-8") as out:
        for name in names:
            task = name if name in TASKS else next((known for known, (aliases, _) in TASKS.items() if name in aliases), None)
            path = find(arguments.data, task) if task else None
            if path is None:
                raise SystemExit(f"{arguments.data}: no file of the task {name}")
            evaluate(scorer, task, path, arguments.limit, out)


if __name__ == "__main__":
    main()
