"""Asking for memory ahead of its use, from within kernels.

A kernel that reads a little and then computes for a while leaves memory idle meanwhile. A line that it asks for here is
on its way while it computes. The answer is the same without; an index beyond the end of an array does no harm.
"""

from functools import cached_property
from typing import Any

READ = 0
NEAR = 2
"""How near the processor the line is to be, of 0 to 3: in the second cache, as the first one is small."""
DATA = 1


def _code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Build LLVM's own instruction for a place of an array."""
    from llvmlite import ir

    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    name, typed_as = "llvm.prefetch.p0i8", ir.FunctionType(ir.VoidType(), [byte, number, number, number])
    known = builder.module.globals
    function = known[name] if name in known else ir.Function(builder.module, typed_as, name)
    place = builder.bitcast(builder.gep(array.data, [arguments[1]]), byte)
    builder.call(function, [place, *(number(one) for one in (READ, NEAR, DATA))])
    return context.get_dummy_value()


class Prefetch:
    """What kernels call with an array of one dimension and an index; it is nothing outside of them.

    Attributes
    ----------
    py_func
        The code it stands for, by which a kernel's name in the cache changes when this does.
    """

    py_func = staticmethod(_code)

    @cached_property
    def _numba_type_(self) -> Any:  # asked by numba where a kernel names it
        from numba.core import types
        from numba.core.registry import cpu_target
        from numba.extending import intrinsic

        def typed(_: Any, array: Any, index: Any) -> Any:
            return types.void(array, index), _code

        make: Any = intrinsic
        made, known = make(typed), cpu_target.typing_context
        known.refresh()
        return known.resolve_value_type(made)


prefetch: Any = Prefetch()
"""Ask for the line in which an entry of an array lies."""
