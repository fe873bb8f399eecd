"""What this CPU computes exactly with OpenVINO, and fast."""

from __future__ import annotations

from functools import cache

import numpy as np

from steamdino.features.runtimes.openvino_loading import LOADING, without_telemetry

PRODUCTS = ("FullyConnected", "MatMul")
"""OpenVINO's names of a matrix product in a compiled graph."""

LARGEST_U8, LARGEST_I8 = 255, 127


@cache
def computes_bf16() -> bool:
    """Whether this CPU has instructions for bf16, with which inference is about twice as fast as in f32.

    OpenVINO lists bf16 as a capability of CPUs on which it emulates it, slowly, or fails. So a small product is
    compiled, and the name of its kernel tells: `brgemm_avx512_amx_bf16`, but `jit_gemm_bf16` where it is emulated.
    """
    kernel = _kernel_of_product("bf16")
    return kernel.endswith("bf16") and not kernel.startswith("jit_gemm")


def _kernel_of_product(precision: str) -> str:
    """The name of the kernel that multiplies matrices in a precision on this CPU, empty if there is none."""
    with LOADING, without_telemetry():
        import openvino as ov
        from openvino import opset13 as ops

        core = ov.Core()
        if precision.upper() not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            return ""
        given = ops.parameter([16, 64], np.float32)
        product = ops.matmul(given, ops.constant(np.ones((64, 64), np.float32)), False, True)
        try:
            compiled = core.compile_model(
                ov.Model([ops.result(product)], [given], "product"),
                "CPU",
                {"INFERENCE_PRECISION_HINT": precision},
            )
        except RuntimeError:
            return ""
        kinds = [node.get_rt_info() for node in compiled.get_runtime_model().get_ordered_ops()]
        names = [str(kind["primitiveType"].value) for kind in kinds if kind["layerType"].value in PRODUCTS]
    return names[0] if names else ""


@cache
def computes_int8() -> bool:
    """Whether this CPU adds up products of 8-bit numbers in 32 bits: with VNNI or AMX on x86, and on ARM.

    Older CPUs add pairs of products in 16 bits. Large sums saturate there, so a model that is quantised to 8 bits gives
    other vectors, without notice. One such sum is computed here and compared with the right result.
    """
    with LOADING, without_telemetry():
        import openvino as ov
        from openvino import opset13 as ops

        given = ops.parameter([16, 64], np.float32)
        quantised = ops.fake_quantize(
            given, *(np.float32(limit) for limit in (0, LARGEST_U8, 0, LARGEST_U8)), levels=256
        )
        weights = ops.convert(ops.constant(np.full((64, 64), LARGEST_I8, np.int8)), np.float32)
        product = ops.matmul(quantised, ops.multiply(weights, np.float32(1)), False, True)
        compiled = ov.Core().compile_model(
            ov.Model([ops.result(product)], [given], "sum"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
        )
        (found,) = compiled([np.full((16, 64), LARGEST_U8, np.float32)]).values()
    return bool(np.allclose(found, 64 * LARGEST_U8 * LARGEST_I8, rtol=1e-3))
