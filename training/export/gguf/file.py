"""Writing one GGUF file tensor by tensor, so that no second copy of the weights is in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

#: Of matrices; vectors are always fp32.
Precision = Literal["f16", "f32", "q8_0"]

#: Numbers that share a scale in `q8_0`.
_BLOCK = 32


def file_type(precision: Precision) -> int:
    """llama.cpp's number for a precision."""
    import gguf

    kinds = gguf.LlamaFileType
    return {"f32": kinds.ALL_F32, "f16": kinds.MOSTLY_F16, "q8_0": kinds.MOSTLY_Q8_0}[precision].value


def write(writer: Any, tensors: Mapping[str, Tensor], kinds: Mapping[str, Precision]) -> None:
    """Write header, keys and `tensors` of a `gguf.GGUFWriter`, and close it.

    Args:
        kinds: precision of each tensor, by name.
    """
    import gguf

    for name, tensor in tensors.items():
        shape, kind = tuple(tensor.shape), kinds[name]
        if kind == "q8_0":
            stored = gguf.quant_shape_to_byte_shape(shape, gguf.GGMLQuantizationType.Q8_0)
            size, quantised = int(np.prod(stored)), gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor_info(name, stored, np.dtype(np.uint8), size, quantised)
        else:
            dtype: np.dtype[Any] = np.dtype(np.float16 if kind == "f16" else np.float32)
            writer.add_tensor_info(name, shape, dtype, tensor.numel() * dtype.itemsize)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, tensor in tensors.items():
        writer.write_tensor_data(_stored(tensor, kinds[name]))
    writer.close()


def fitting(tensor: Tensor, wanted: Precision) -> Precision:
    """The precision in which a tensor is stored: vectors stay fp32, rows that no block divides become f16."""
    if tensor.ndim < 2:
        return "f32"
    if wanted == "q8_0" and (tensor.ndim > 2 or tensor.shape[-1] % _BLOCK):
        return "f16"
    return wanted


def _stored(tensor: Tensor, kind: Precision) -> NDArray[Any]:
    import gguf

    plain: NDArray[np.float32] = tensor.detach().float().cpu().contiguous().numpy()
    if kind == "q8_0":
        return gguf.quants.quantize(plain, gguf.GGMLQuantizationType.Q8_0)
    return plain.astype(np.float16) if kind == "f16" else plain
