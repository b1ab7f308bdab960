"""Which system calls a sandbox may make: a BPF program for `bwrap --seccomp`.

Namespaces and dropped capabilities already refuse most of what is refused here; this is the second
fence, and the only one before keyrings, virtual-machine sockets (which no network namespace holds) and
terminal injection.
"""

from __future__ import annotations

import errno
import platform
import struct

#: Calls that a shell's work never needs: (x86_64, aarch64) numbers.
_REFUSED = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "pidfd_getfd": (438, 438), "userfaultfd": (323, 282),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "bpf": (321, 280), "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171),
    "sethostname": (170, 161), "setdomainname": (171, 162), "syslog": (103, 116),
}  # fmt: skip
_CLONE, _IOCTL, _SOCKET, _CLONE3 = (56, 220), (16, 29), (41, 198), (435, 435)
_NEW_NAMESPACES = 0x7E020000
_TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
_FAMILIES = (1, 2, 10, 16)  # unix, IPv4, IPv6, netlink
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _FIRST, _SECOND = 0, 4, 16, 24  # offsets in struct seccomp_data, little-endian
_ALLOW = 0x7FFF0000


def supported() -> bool:
    return platform.machine() in _MACHINES


def program() -> bytes:
    """The filter as an array of `struct sock_filter`."""
    column, arch = _MACHINES[platform.machine()]
    return b"".join(
        [
            _op(_LOAD, _ARCH),
            _op(_EQUAL, arch, 1, 0),
            _refuse(errno.ENOSYS),
            _op(_LOAD, _NUMBER),
            _op(_AT_LEAST, _X32, 0, 1),
            _refuse(errno.ENOSYS),
            # With ENOSYS the C library falls back on clone, whose flags can be read.
            _op(_EQUAL, _CLONE3[column], 0, 1),
            _refuse(errno.ENOSYS),
            *(
                _op(_EQUAL, numbers[column], 0, 1) + _refuse(errno.EPERM)
                for numbers in _REFUSED.values()
            ),
            _on(_CLONE[column], _FIRST, _op(_ANY_BIT, _NEW_NAMESPACES, 0, 1) + _refuse(errno.EPERM)),
            _on(_IOCTL[column], _SECOND, _one_of(_TERMINAL_INPUT) + _refuse(errno.EPERM)),
            _on(_SOCKET[column], _FIRST, _none_of(_FAMILIES) + _refuse(errno.EAFNOSUPPORT)),
            _op(_RETURN, _ALLOW),
        ]
    )


def _op(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("<HBBI", code, then, otherwise, value)


def _refuse(number: int) -> bytes:
    return _op(_RETURN, 0x00050000 | number)


def _on(number: int, argument: int, body: bytes) -> bytes:
    """Look at an argument of one call; what `body` does not decide is allowed."""
    body = _op(_LOAD, argument) + body + _op(_RETURN, _ALLOW)
    return _op(_EQUAL, number, 0, len(body) // 8) + body


def _one_of(values: tuple[int, ...]) -> bytes:
    """Go on to the next instruction for one of the values, else skip it."""
    last = len(values)
    return b"".join(
        _op(_EQUAL, value, last - at, 0) for at, value in enumerate(values)
    ) + _op(0x05, 1)  # fmt: skip


def _none_of(values: tuple[int, ...]) -> bytes:
    """Skip the next instruction for one of the values, else go on to it."""
    last = len(values)
    return b"".join(_op(_EQUAL, value, last - at, 0) for at, value in enumerate(values))
