#!/usr/bin/env python3
"""Where the rounding error of the golden RoBERTa, Wav2Vec2, Mamba and Mamba-2 models comes from.

    python3 tools/precision/rounding_sources.py tests/fixtures/seed0/mamba [--format bf16|tf32] [--top 5] [--exact REGEX]

Computes a case in float64 on the CPU and rounds, as mixed precision does, the operands of products (`name.x` and `name.w`; in the input's gradient `name.gx` and `name.gx.w`, in the
weight's `name.gw` and `name.gw.x`) and, in bf16, what is stored between operations: first everything, then one place at a time. Prints for the tensors with the largest error
|x - ref| / |ref| (the rule of `cald verify`) each place's share of the sum of squares. A place and the operand that reads it are rounded once in truth and are both listed.
`--exact` leaves places unrounded. What the models compute with more digits (docs/gpu.md) is not left out by itself: that is
'^fe..conv.[xw]$|^fe[3-6].conv.gx|^fp|[.]att[.]|^head.dense|[.]in[.]' in tf32 (attention over at most 256 keys), and in bf16, of Wav2Vec2, '^f[ep]'. Needs PyTorch alone.
"""
import argparse, json, os, re, struct, sys
import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
KINDS = {"F32": np.float32, "F64": np.float64, "I64": np.int64, "I32": np.int32}


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if name != "__metadata__":
            first, end = entry["data_offsets"]
            values = np.frombuffer(data[8 + size + first : 8 + size + end], dtype=KINDS[entry["dtype"]]).reshape(entry["shape"])
            tensors[name] = torch.from_numpy(values.copy())
    return tensors


def to_bf16(x):
    return x.to(torch.float32).to(torch.bfloat16).to(x.dtype)


def to_tf32(x):
    bits = x.to(torch.float32).contiguous().view(torch.int32)
    return ((bits + 0x1000) & ~0x1FFF).view(torch.float32).to(x.dtype)


class Rounding:
    """Rounds at the places that `chosen` takes, and remembers all that there are."""

    function = staticmethod(to_bf16)
    chosen = staticmethod(lambda place: False)
    places = set()

    @classmethod
    def at(cls, x, place):
        cls.places.add(place)
        return cls.function(x) if cls.chosen(place) else x


class Store(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, place):
        ctx.place = place
        return Rounding.at(x, place).clone()

    @staticmethod
    def backward(ctx, g):
        return Rounding.at(g, ctx.place + "'"), None


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, place):
        ctx.save_for_backward(x, w)
        ctx.place = place
        return Rounding.at(x, place + ".x") @ Rounding.at(w, place + ".w").t()

    @staticmethod
    def backward(ctx, g):
        (x, w), place = ctx.saved_tensors, ctx.place
        rows = Rounding.at(g, place + ".gw").reshape(-1, g.shape[-1])
        return Rounding.at(g, place + ".gx") @ Rounding.at(w, place + ".gx.w"), rows.t() @ Rounding.at(x, place + ".gw.x").reshape(-1, x.shape[-1]), None


class Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, stride, padding, groups, place):
        ctx.save_for_backward(x, w)
        ctx.rest = stride, padding, groups, place
        return F.conv1d(Rounding.at(x, place + ".x"), Rounding.at(w, place + ".w"), None, stride, padding, 1, groups)

    @staticmethod
    def backward(ctx, g):
        (x, w), (stride, padding, groups, place) = ctx.saved_tensors, ctx.rest
        gx = torch.nn.grad.conv1d_input(x.shape, Rounding.at(w, place + ".gx.w"), Rounding.at(g, place + ".gx"), stride, padding, 1, groups) if ctx.needs_input_grad[0] else None
        return gx, torch.nn.grad.conv1d_weight(Rounding.at(x, place + ".gw.x"), w.shape, Rounding.at(g, place + ".gw"), stride, padding, 1, groups), None, None, None, None


class Gelu(torch.autograd.Function):
    """Behind a product: of the unrounded sums; its argument is stored, and so is its gradient."""

    @staticmethod
    def forward(ctx, x, place):
        ctx.save_for_backward(Rounding.at(x, place + "pre"))
        ctx.place = place
        return F.gelu(x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        slope = 0.5 * (1 + torch.erf(x / 2**0.5)) + x * torch.exp(-x * x / 2) / (2 * np.pi) ** 0.5
        return Rounding.at(g * slope, ctx.place + "pre'"), None


class Attention(torch.autograd.Function):
    """The sums of rows in the gradient are taken of unrounded outputs."""

    @staticmethod
    def forward(ctx, q, k, v, mask, scale, place):
        q, k, v = (Rounding.at(t, f"{place}{n}.x") for t, n in ((q, "q"), (k, "k"), (v, "v")))
        p = (q @ k.transpose(-1, -2) * scale).masked_fill(~mask, -1e30).softmax(-1)
        output = Rounding.at(p, place + "p.x") @ v
        ctx.save_for_backward(q, k, v, p, output)
        ctx.rest = scale, place
        return output

    @staticmethod
    def backward(ctx, g):
        (q, k, v, p, output), (scale, place) = ctx.saved_tensors, ctx.rest
        g = Rounding.at(g, place + "g.x")
        ds = p * (g @ v.transpose(-1, -2) - (g * output).sum(-1, keepdim=True)) * scale
        gq = Rounding.at(ds, place + "ds.gx") @ k
        return gq, Rounding.at(ds, place + "ds.gw").transpose(-1, -2) @ q, Rounding.at(p, place + "p.gw").transpose(-1, -2) @ g, None, None, None


class Ssd(torch.autograd.Function):
    """The scan of Mamba-2 as one chunk: x [b, h, l, p], delta [b, h, l], a and d [h], b and c [b, h, l, n]."""

    @staticmethod
    def forward(ctx, x, delta, a, b, c, d, place):
        x, b, c = Rounding.at(x, place + "u.x"), Rounding.at(b, place + "b.x"), Rounding.at(c, place + "c.x")
        sums, length = (delta * a[:, None]).cumsum(-1), x.shape[2]
        decay = torch.exp((sums[..., :, None] - sums[..., None, :]).masked_fill(~torch.ones(length, length).tril().bool(), -1e30))
        scores = c @ b.transpose(-1, -2)
        ctx.save_for_backward(x, delta, a, b, c, d, decay, scores)
        ctx.place = place
        return Rounding.at(scores * decay * delta[..., None, :], place + "weights.x") @ x + d[:, None, None] * x

    @staticmethod
    def backward(ctx, g):
        (x, delta, a, b, c, d, decay, scores), place = ctx.saved_tensors, ctx.place
        g = Rounding.at(g, place + "g.x")
        slopes = g @ x.transpose(-1, -2) * decay * delta[..., None, :]
        du = Rounding.at(scores * decay, place + "weights.gx").transpose(-1, -2) @ g
        from_below = (slopes * scores).tril(-1).flip(-2).cumsum(-2).flip(-2)
        crossing = torch.stack([from_below[..., k, :k].sum(-1) for k in range(x.shape[2])], -1)
        gdelta = (x * du).sum(-1) + a[:, None] * crossing
        gb = Rounding.at(slopes, place + "slopes.gw").transpose(-1, -2) @ c
        gc = Rounding.at(slopes, place + "slopes.gx") @ b
        return delta[..., None] * du + d[:, None, None] * g, gdelta, (delta * crossing).sum((0, 2)), gb, gc, (x * g).sum((0, 2, 3)), None


def product(x, w, bias, place):
    y = Product.apply(x, w, place)
    return y if bias is None else y + bias


def speech(config, inputs, p):
    """Outputs and loss of a Wav2Vec2, recogniser or classifier."""
    large, epsilon, heads = config["do_stable_layer_norm"], config["layer_norm_eps"], config["num_attention_heads"]
    frames, h = inputs["attention_mask"].sum(-1), inputs["input_values"].double()[:, None]
    norm = lambda x, name, e=epsilon: F.layer_norm(x, (x.shape[-1],), p[name + "weight"], p[name + "bias"], e)
    for i, (kernel, stride) in enumerate(zip(config["conv_kernel"], config["conv_stride"])):
        name, place = f"wav2vec2.feature_extractor.conv_layers.{i}.", f"fe{i}."
        frames = (frames - kernel) // stride + 1
        y, bias = Convolution.apply(h, p[name + "conv.weight"], stride, 0, 1, place + "conv"), p.get(name + "conv.bias")
        y = y if bias is None else y + bias[:, None]
        if large or i == 0:
            y = Store.apply(y, place + "y")
            if large:
                y = norm(y.transpose(1, 2), name + "layer_norm.", 1e-5).transpose(1, 2)
            else:
                y = F.group_norm(y, y.shape[1], p[name + "layer_norm.weight"], p[name + "layer_norm.bias"], 1e-5)
            y = F.gelu(Store.apply(y, place + "n"))
        else:
            y = Gelu.apply(y, place)
        h = Store.apply(y, place + "h")
    name = "wav2vec2.feature_projection."
    h = product(Store.apply(norm(h.transpose(1, 2), name + "layer_norm."), "fp.n"), p[name + "projection.weight"], p[name + "projection.bias"], "fp.proj")
    mask = torch.arange(h.shape[1])[None] < frames[:, None]
    h, name = h * mask[..., None], "wav2vec2.encoder.pos_conv_embed.conv."
    g, v = p[name + "parametrizations.weight.original0"], p[name + "parametrizations.weight.original1"]
    taps, groups = config["num_conv_pos_embeddings"], config["num_conv_pos_embedding_groups"]
    around = Convolution.apply(Store.apply(h, "pos.x").transpose(1, 2), v * (g / v.norm(dim=(0, 1), keepdim=True)), 1, taps // 2, groups, "pos.conv")
    around = Store.apply(Gelu.apply(around + p[name + "bias"][:, None], "pos."), "pos.y")
    h = h + around[..., : h.shape[1]].transpose(1, 2)
    h = h if large else norm(h, "wav2vec2.encoder.layer_norm.")
    states = [h]
    for layer in range(config["num_hidden_layers"]):
        name, place = f"wav2vec2.encoder.layers.{layer}.", f"l{layer}."

        def attention(x):
            x, batch, length, width = Store.apply(x, place + "att.in"), *x.shape
            parts = []
            for n in "qkv":
                y = product(x, p[f"{name}attention.{n}_proj.weight"], p[f"{name}attention.{n}_proj.bias"], f"{place}{n}_proj")
                parts.append(Store.apply(y, f"{place}att.s{n}").view(batch, length, heads, -1).transpose(1, 2))
            y = Attention.apply(*parts, mask[:, None, None], (width // heads) ** -0.5, place + "att.")
            y = Store.apply(y.transpose(1, 2).reshape(batch, length, width), place + "att.out")
            return product(y, p[name + "attention.out_proj.weight"], p[name + "attention.out_proj.bias"], place + "out_proj")

        def feed_forward(x):
            up, down = name + "feed_forward.intermediate_dense.", name + "feed_forward.output_dense."
            y = product(Store.apply(x, place + "ff.in"), p[up + "weight"], p[up + "bias"], place + "up")
            return product(Store.apply(Gelu.apply(y, place + "ff."), place + "ff.h"), p[down + "weight"], p[down + "bias"], place + "down")

        if large:
            a = h + attention(norm(h, name + "layer_norm."))
            h = a + feed_forward(norm(a, name + "final_layer_norm."))
        else:
            a = norm(h + attention(h), name + "layer_norm.")
            h = norm(a + feed_forward(a), name + "final_layer_norm.")
        states.append(h)
    h = norm(h, "wav2vec2.encoder.layer_norm.") if large else h
    labels = inputs["labels"]
    if labels.dim() == 2:
        logits = h @ p["lm_head.weight"].t() + p["lm_head.bias"]
        loss = F.ctc_loss(
            logits.log_softmax(-1).transpose(0, 1), labels.clamp(min=0), frames, (labels >= 0).sum(-1), blank=config["pad_token_id"], reduction="mean", zero_infinity=True)
    else:
        pooled = ((h @ p["projector.weight"].t() + p["projector.bias"]) * mask[..., None]).sum(1) / frames[:, None]
        logits = pooled @ p["classifier.weight"].t() + p["classifier.bias"]
        loss = F.cross_entropy(logits, labels)
    return states, logits, loss


def roberta(config, inputs, p):
    """Outputs and loss of a RoBERTa, classifier or masked language model."""
    epsilon, heads, ids, mask = config["layer_norm_eps"], config["num_attention_heads"], inputs["input_ids"], inputs["attention_mask"].bool()
    norm = lambda x, name: F.layer_norm(x, (x.shape[-1],), p[name + "weight"], p[name + "bias"], epsilon)
    real = (ids != config["pad_token_id"]).long()
    name = "roberta.embeddings."
    words = p[name + "word_embeddings.weight"]
    positions = p[name + "position_embeddings.weight"][real.cumsum(-1) * real + config["pad_token_id"]]
    h = norm(words[ids] + p[name + "token_type_embeddings.weight"][0] + positions, name + "LayerNorm.")
    states = [h]
    for layer in range(config["num_hidden_layers"]):
        name, place, (batch, length, width) = f"roberta.encoder.layer.{layer}.", f"l{layer}.", h.shape
        x, parts = Store.apply(h, place + "att.in"), []
        for n in ("query", "key", "value"):
            y = product(x, p[f"{name}attention.self.{n}.weight"], p[f"{name}attention.self.{n}.bias"], f"{place}{n}")
            parts.append(Store.apply(y, f"{place}att.s{n[0]}").view(batch, length, heads, -1).transpose(1, 2))
        y = Attention.apply(*parts, mask[:, None, None], (width // heads) ** -0.5, place + "att.")
        y = Store.apply(y.transpose(1, 2).reshape(batch, length, width), place + "att.out")
        a = norm(h + product(y, p[name + "attention.output.dense.weight"], p[name + "attention.output.dense.bias"], place + "out"), name + "attention.output.LayerNorm.")
        y = product(Store.apply(a, place + "ff.in"), p[name + "intermediate.dense.weight"], p[name + "intermediate.dense.bias"], place + "up")
        y = Store.apply(Gelu.apply(y, place + "ff."), place + "ff.h")
        h = norm(a + product(y, p[name + "output.dense.weight"], p[name + "output.dense.bias"], place + "down"), name + "output.LayerNorm.")
        states.append(h)
    labels = inputs["labels"]
    if labels.dim() == 1:
        y = torch.tanh(h[:, 0] @ p["classifier.dense.weight"].t() + p["classifier.dense.bias"])
        logits = y @ p["classifier.out_proj.weight"].t() + p["classifier.out_proj.bias"]
    else:
        y = F.gelu(product(Store.apply(h, "head.in"), p["lm_head.dense.weight"], p["lm_head.dense.bias"], "head.dense"))
        logits = product(Store.apply(norm(y, "lm_head.layer_norm."), "head.n"), words, p["lm_head.bias"], "head.out")
    return states, logits, F.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1))


def rms_norm(x, w, epsilon):
    return w * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + epsilon)


def short_convolution(x, p, name):
    w = p[name + "conv1d.weight"]
    y = F.conv1d(x.transpose(1, 2), w, p[name + "conv1d.bias"], padding=w.shape[-1] - 1, groups=w.shape[0])
    return F.silu(y[..., : x.shape[1]]).transpose(1, 2)


def mamba_mixer(x, p, name, place, config):
    width, states, rank = config["intermediate_size"], config["state_size"], config["time_step_rank"]
    u, z = product(x, p[name + "in_proj.weight"], None, place + "in").split([width, width], -1)
    z = Store.apply(z, place + "z")
    u = Store.apply(short_convolution(Store.apply(u, place + "u0"), p, name), place + "u")
    r, b, c = product(u, p[name + "x_proj.weight"], None, place + "x_proj").split([rank, states, states], -1)
    r, b, c = Store.apply(r, place + "r"), Store.apply(b, place + "b"), Store.apply(c, place + "c")
    delta = F.softplus(Store.apply(product(r, p[name + "dt_proj.weight"], None, place + "dt_proj"), place + "dt") + p[name + "dt_proj.bias"])
    a, h, outputs = -p[name + "A_log"].exp(), torch.zeros(x.shape[0], width, states), []
    for t in range(x.shape[1]):
        h = torch.exp(delta[:, t, :, None] * a) * h + (delta[:, t] * u[:, t])[..., None] * b[:, t, None, :]
        outputs.append((h * c[:, t, None, :]).sum(-1))
    y = (torch.stack(outputs, 1) + p[name + "D"] * u) * F.silu(z)
    return product(Store.apply(y, place + "y"), p[name + "out_proj.weight"], None, place + "out")


def mamba2_mixer(x, p, name, place, config):
    heads, groups, states = config["num_heads"], config["n_groups"], config["state_size"]
    inner, batch, length = heads * config["head_dim"], *x.shape[:2]
    z, ubc, delta = product(x, p[name + "in_proj.weight"], None, place + "in").split([inner, inner + 2 * groups * states, heads], -1)
    z, ubc, delta = Store.apply(z, place + "z"), Store.apply(ubc, place + "ubc0"), Store.apply(delta, place + "dt")
    ubc = Store.apply(short_convolution(ubc, p, name), place + "ubc")
    u, b, c = ubc.split([inner, groups * states, groups * states], -1)
    each = lambda t: t.reshape(batch, length, groups, states).repeat_interleave(heads // groups, 2).transpose(1, 2)
    y = Ssd.apply(
        u.reshape(batch, length, heads, -1).transpose(1, 2), F.softplus(delta + p[name + "dt_bias"]).transpose(1, 2), -p[name + "A_log"].exp(), each(b), each(c), p[name + "D"], place + "ssd.")
    y = Store.apply(y.transpose(1, 2).reshape(batch, length, inner), place + "y")
    y = Store.apply(rms_norm(y * F.silu(z), p[name + "norm.weight"], config["layer_norm_epsilon"]), place + "yn")
    return product(y, p[name + "out_proj.weight"], None, place + "out")


def language(config, inputs, p):
    """Outputs and loss of a Mamba or Mamba-2 language model."""
    mixer, epsilon, ids = mamba2_mixer if config["model_type"] == "mamba2" else mamba_mixer, config["layer_norm_epsilon"], inputs["input_ids"]
    h, states = p["backbone.embeddings.weight"][ids], []
    for layer in range(config["num_hidden_layers"]):
        name, place = f"backbone.layers.{layer}.", f"l{layer}."
        h = h + mixer(Store.apply(rms_norm(h, p[name + "norm.weight"], epsilon), place + "n"), p, name + "mixer.", place, config)
        states.append(h)
    states.append(rms_norm(h, p["backbone.norm_f.weight"], epsilon))
    logits = states[-1] @ p.get("lm_head.weight", p["backbone.embeddings.weight"]).t()
    return states, logits, F.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1))


def run(config, inputs, weights, chosen):
    Rounding.chosen = staticmethod(chosen)
    parameters = {name: values.double().requires_grad_(True) for name, values in weights.items()}
    states, logits, loss = {"wav2vec2": speech, "roberta": roberta}.get(config["model_type"], language)(config, inputs, parameters)
    loss.backward()
    results = {f"hidden_states.{i}": state.detach() for i, state in enumerate(states)}
    results |= {"logits": logits.detach(), "loss": loss.detach()}
    return results | {"grad." + name: values.grad for name, values in parameters.items() if values.grad is not None}


def errors(actual, expected):
    gradients = [t for name, t in expected.items() if name.startswith("grad.")]
    rms = (sum(float(t.pow(2).sum()) for t in gradients) / sum(t.numel() for t in gradients)) ** 0.5
    least = lambda name, t: 0.01 * rms * t.numel() ** 0.5 if name.startswith("grad.") else 0.0
    return {name: float((actual[name] - t).norm()) / max(float(t.norm()), least(name, t)) for name, t in expected.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--format", choices=("bf16", "tf32"), default="bf16")
    parser.add_argument("--top", type=int, default=5)
    parser.add_argument("--exact", default="(?!)", help="places that stay unrounded")
    options = parser.parse_args()
    with open(os.path.join(options.folder, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    inputs, weights, reference = (read(os.path.join(options.folder, f"{n}.safetensors")) for n in ("inputs", "model", "expected"))
    exact = run(config, inputs, weights, lambda place: False)
    known = {n: t for n, t in exact.items() if n in reference and t.shape == reference[n].shape}
    agreement = errors({n: reference[n].double() for n in known}, known)
    print(f"{os.path.basename(os.path.normpath(options.folder))} {options.format}: in float64 within {sorted(agreement.values())[-2]:.2g} of the fixture")

    # In tf32 only operands are rounded, and the first convolution of a wave is in float32.
    Rounding.function = staticmethod(to_bf16 if options.format == "bf16" else to_tf32)
    operand = re.compile(r"[.](x|w|gx|gw)$")
    places = sorted(p for p in Rounding.places if not re.search(options.exact, p) and (options.format == "bf16" or (operand.search(p) and not p.startswith("fe0."))))
    together = errors(run(config, inputs, weights, lambda place: place in places), exact)
    alone = {place: errors(run(config, inputs, weights, lambda other: other == place), exact) for place in places}
    for name in sorted(together, key=together.get, reverse=True)[: options.top]:
        total = sum(alone[place][name] ** 2 for place in places)
        shares = "  ".join(f"{place} {alone[place][name] ** 2 / total:.0%}" for place in sorted(places, key=lambda place: alone[place][name], reverse=True)[:12])
        print(f"{together[name]:.3g} {name}\n    of {total ** 0.5:.3g} from single places: {shares}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
