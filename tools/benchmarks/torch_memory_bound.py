#!/usr/bin/env python3
"""PyTorch's memory-bound operations that the other peers' script has no row for: element-wise forward pass, casts, a whole sum, fused AdamW.

    python3 torch_memory_bound.py        # needs a CUDA device; JSON lines with the names of `cald bench --device cuda`
"""
import json
import statistics

import torch
import torch.nn.functional as F

DEVICE = "cuda"


def median_ms(run, runs=30, warm=5):
    """Median time of a run on the device, from events around each."""
    for _ in range(warm):
        run()
    times = []
    for _ in range(runs):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        run()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end))
    return statistics.median(times)


def show(op, shape, ms, moved):
    """One row; moved: bytes that a run reads and writes."""
    print(json.dumps({"op": op, "shape": shape, "ms": round(ms, 4), "gbs": round(moved / ms / 1e6, 1)}), flush=True)


def main():
    torch.manual_seed(0)
    x = torch.randn(8192, 4096, device=DEVICE)
    out = torch.empty_like(x)
    show("copy", "8192x4096", median_ms(lambda: out.copy_(x)), 8 * x.numel())
    show("gelu_fwd_fp32", "8192x4096", median_ms(lambda: F.gelu(x)), 8 * x.numel())
    leaf = x.clone().requires_grad_()
    gradient = torch.randn_like(x)
    show("gelu_fwdbwd_fp32", "8192x4096", median_ms(lambda: torch.autograd.grad(F.gelu(leaf), leaf, gradient)), 20 * x.numel())
    show("cast_fp32_bf16", "8192x4096", median_ms(lambda: x.to(torch.bfloat16)), 6 * x.numel())
    v = torch.randn(1 << 28, device=DEVICE)
    show("sum_fp32", str(v.numel()), median_ms(lambda: v.sum()), 4 * v.numel())
    del v
    p = torch.randn(125_000_000, device=DEVICE, requires_grad=True)
    p.grad = torch.randn_like(p)
    optimizer = torch.optim.AdamW([p], lr=1e-3, fused=True)
    show("adamw_fp32", str(p.numel()), median_ms(optimizer.step), 28 * p.numel())


if __name__ == "__main__":
    main()
