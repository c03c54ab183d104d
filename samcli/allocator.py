"""The allocator of the process: large tensors that come and go keep their pages."""

from __future__ import annotations

import sys

_MMAP_THRESHOLD, _TRIM_THRESHOLD, _TOP_PAD = -3, -1, -2


def keep_freed_memory() -> bool:
    """Let glibc keep what was freed, instead of giving every activation of a network back to the system.

    By default a block of some megabytes is mapped when a tensor is made and unmapped when it goes, so that each pass
    meets new pages, and the system clears every one of them: a tenth to a third of a training step on the CPU
    (docs/performance.md). To be called before there are tensors. The process holds its peak memory until it ends.

    Returns:
        Whether it was done; False where the C library is another one.

    >>> keep_freed_memory() in (True, False)
    True
    """
    if not sys.platform.startswith("linux"):
        return False
    import ctypes  # the help of a command does without

    try:
        library = ctypes.CDLL("libc.so.6")
        mallopt = library.mallopt
    except (OSError, AttributeError):
        return False
    settings = ((_MMAP_THRESHOLD, 1 << 30), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 1 << 26))
    return all(mallopt(name, value) == 1 for name, value in settings)
