"""What a kernel, a copy or a call is, by its name.

Names of CUDA's and HIP's libraries, of torch's own kernels, of Triton's and of communication
libraries, from torch 1.9 on. A name that is not known is "other", never a guess.
"""

from __future__ import annotations

import functools
import re


def _any(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts), re.IGNORECASE)


_COMMUNICATION = _any(
    *("nccl", "rccl", "msccl", "nvshmem", "all_?reduce", "all_?gather", "reduce_?scatter"),
    *("all_?to_?all", "all2all", "cross_device_reduce", "one_?shot", "two_?shot", "multimem"),
)
_KINDS = (
    ("communication", _COMMUNICATION),
    ("attention", _any("flash", "fmha", "attention", "mha_(fwd|bwd)", "sdpa", "attn")),
    (
        "layout",
        _any("nchw_?(to|2)_?nhwc", "nhwc_?(to|2)_?nchw", "nhwcAddPadding", "nchwAddPadding"),
    ),
    ("layout", _any("batched_transpose_", "tensorTransform")),
    ("matrix-vector", _any("gemv", "gemmSN", "splitKreduce", "dot_kernel")),
    ("small convolution", _any("depthwise", "grouped_direct", "_dw_", "c1_k1")),
    (
        "convolution",
        _any("conv(?!ert)", "fprop", "dgrad", "wgrad", "scudnn", "cudnn.*gemm", "winograd"),
    ),
    ("convolution", _any("fft2d", "cgemm", "igemm_", "miopensp3")),
    ("matrix product", _any("gemm", "cijk_", "nvjet", "cutlass.*(mma|tensorop)", "matmul", "_mm_")),
    ("matrix product", _any("wmma", "_bmm", "marlin", "gptq", "awq")),
    ("embedding", _any("embedding", "indexSelect", "index_select")),
    ("loss", _any("log_?softmax", "nll_loss", "cross_?entropy")),
    ("softmax", _any("softmax")),
    (
        "norm",
        _any("batch_?norm", "bn_(fw|bw)", "layer_?norm", "group_?norm", "rms_?norm", "cunn_Ba"),
    ),
    ("optimizer", _any("multi_tensor_apply", "fused_?adam", "fused_?sgd", "adagrad")),
    ("fused", _any("^triton_")),
    (
        "elementwise",
        _any("elementwise", "CUDAFunctor", "BinaryFunctor", "dropout", "CatArrayBatch"),
    ),
    ("reduction", _any("reduce", "sum_kernel", "cub::")),
)
_TENSOR = _any(
    *("tensorop", "tensor16x", "tensor8x", "s1688", "s16816", "s884", "h884", "h1688", "h16816"),
    *("i8816", "i16832", "hmma", "imma", "qmma", "tf32", "wgmma", "gmma", "hgemm", "h?16816cudnn"),
    *("bf16", "fp16", "f16(?!_f32f32_f32)", "half", "bfloat16", "e4m3", "e5m2", "fp8", "nvjet"),
    r"Cijk_\w+?_(H|B|I8|F8|4xi8)\w*?_MT",
)
MISALIGNED = _any("align[12](?![0-9])")
_DOUBLE = _any("dgemm", "d884", "<double", r"Cijk_\w+?_DB_")
_SINGLE = _any(
    *("sgemm", "scudnn", "simt", "f32f32_f32", "<float", "fp32", "cgemm", "fft2d", "winograd"),
    r"Cijk_[A-Za-z]+_[A-Za-z]+_(S_B|SB)_",
)


@functools.cache
def kernel(name: str) -> str:
    """What a kernel computes: "matrix product", "elementwise", "communication" ... or "other"."""
    for kind, pattern in _KINDS:
        if pattern.search(name):
            return kind
    return "other"


@functools.cache
def precision(name: str) -> str:
    """What a matrix product or convolution computes in: "tensor", "single", "double" or ""."""
    if _DOUBLE.search(name):
        return "double"
    if _TENSOR.search(name):
        return "tensor"
    return "single" if _SINGLE.search(name) else ""


_OLDEST = (
    (9, 0, _any("sm90", "hopper", "wgmma", "nvjet")),
    (8, 0, _any("ampere", "sm8[069]", "cutlass_8\\d", "tf32")),
    (7, 5, _any("turing", "sm75", "cutlass_75")),
    (7, 0, _any("volta", "sm70", "884")),
)


def capability(names: list[str]) -> tuple[int, int]:
    """The compute capability that kernels of these names need at the least; (0, 0): unknown."""
    for major, minor, pattern in _OLDEST:
        if any(pattern.search(name) for name in names):
            return major, minor
    return 0, 0


_IN = _any("htod", "host ?to ?device", "(host|pageable|pinned) -> device")
_BACK = _any("dtoh", "device ?to ?host", "device -> (host|pageable|pinned)")
_PEER = _any("ptop", "peer")


@functools.cache
def copy(name: str) -> str:
    """Where a copy goes: "in" (from the host), "back" (to it), "peer" or "within" the device."""
    if _IN.search(name):
        return "in"
    if _BACK.search(name):
        return "back"
    return "peer" if _PEER.search(name) else "within"


MEMCPY = _any("memcpy")
LAUNCH = _any("launch", "memset")
ALLOCATE = _any(
    *("^(cuda|hip)(Malloc|Free|HostAlloc|HostRegister)", "^cuMem(Alloc|Free|Create|Map|Set|Unmap)"),
    "^hipHostMalloc",
)
LOAD_CODE = _any(
    "^Lazy Function Loading",
    "ModuleLoad",
    "LibraryLoad",
    "LinkAdd",
    "LinkComplete",
    "FuncGetAttributes$",
)

READ_A_VALUE = frozenset(
    {
        *("aten::item", "aten::_local_scalar_dense", "aten::is_nonzero"),
        *("aten::equal", "aten::allclose"),
    }
)
UNKNOWN_SHAPE = frozenset(
    {
        *("aten::nonzero", "aten::nonzero_numpy", "aten::masked_select", "aten::bincount"),
        *("aten::_unique2", "aten::unique_dim", "aten::unique_consecutive", "aten::_unique"),
        *("aten::repeat_interleave", "torchvision::nms", "aten::masked_scatter"),
    }
)
LOADER = _any(
    r"enumerate\(DataLoader\)",
    r"dataloader\.py\(\d+\): __next__",
    r"(dataset|data|loader)\w*\.py\(\d+\): (__getitems?__|__next__|collate\w*|\w*batch)$",
    r"data/_utils/(fetch|collate)\.py",
    r"\bnext[ _]?batch\b",
    r"\bget[ _]?batch\b",
    r"\bload(ing)?[ _](batch|data)\b",
    r"\bdata[ _-]?load(ing|er)?\b",
    r"\b(data|batch)[ _]fetch\b|\bfetch[ _](data|batch)\b",
)
COMPILE = _any(
    *("dynamo_timed", "compile_inner", "^inductor_compile", "^compile_fx", "^GraphLowering"),
    *("create_aot_dispatcher_function", "^entire_frame_compile", "^backend_compile"),
    *(r"torch/_dynamo/convert_frame\.py\(\d+\): _compile", r"torch/_inductor/compile_fx\.py"),
    r"triton/compiler/compiler\.py\(\d+\): compile",
)
OPTIMIZER = _any(r"^Optimizer\.(step|zero_grad)#", r"^#+ ?optimizer ?#+$")
ANOMALY = _any("_is_any_true", r"traceback\.py\(\d+\)", r"anomaly_mode\.py")
LOOKS = frozenset({"aten::isnan", "aten::any", "aten::_is_any_true"}) | READ_A_VALUE
PROFILER = _any("^Activity Buffer Request", "^Buffer Flush", "^Instrumentation$")
COMMUNICATE = _any(
    "^c10d::", "^nccl:", "^rccl:", "^gloo:", "^record_param_comms", "^_?c10d_functional"
)
# What torch 1.9 wrote down as an operator, and what is none
NO_OPERATOR = _any(
    "^ProfilerStep#", "^Optimizer\\.", "^enumerate\\(", "^#", "DataParallel\\.forward$"
)
