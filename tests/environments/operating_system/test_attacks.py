"""Attacks on the real sandbox: none gets out, and the next episode does not notice.

Each runs with small limits and a short time. What of the host an attack must not reach is a secret
that the test puts where the attack looks for it.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.environments.operating_system.machines import SMALL, needs_sandbox, settles
from tmbr.environments.operating_system import Computer, Output

pytestmark = needs_sandbox


@dataclass
class Host:
    """What lies open on the host: a secret in files, in an environment, in a process, on sockets."""

    secret: str
    folder: Path
    port: int
    listeners: list[socket.socket]
    process: subprocess.Popen[bytes]
    home: Path = field(default_factory=Path.home)

    def untouched(self) -> bool:
        for listener in self.listeners:
            listener.setblocking(False)
            try:
                listener.accept()
            except BlockingIOError:
                continue
            return False
        return (
            (self.folder / "secret").read_text() == self.secret
            and sorted(path.name for path in self.folder.iterdir()) == ["secret"]
            and self.process.poll() is None
        )


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    secret = f"secret{uuid.uuid4().hex}"
    (tmp_path / "secret").write_text(secret)
    at_home = Path.home() / f".{secret}"
    at_home.write_text(secret)
    tcp, unix = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)
    unix.bind(f"\0{secret[:20]}")
    unix.listen()
    code = f"import time; time.sleep(600)  # {secret}"
    process = subprocess.Popen([sys.executable, "-c", code], env={"SECRET": secret})
    try:
        yield Host(secret, tmp_path, tcp.getsockname()[1], [tcp, unix], process)
    finally:
        at_home.unlink()
        process.kill()
        process.wait()
        tcp.close()
        unix.close()


def attack(host: Host, script: str, seconds: float = 6.0) -> tuple[Output, str]:
    """Run an attack in a sandbox; its output, and what the same shell says afterwards. All that must
    hold after any attack is checked here."""
    known = {
        "FOLDER": str(host.folder), "PORT": str(host.port), "ABSTRACT": host.secret[:20],
        "HOST_HOME": str(host.home), "HOST_PID": str(host.process.pid),
    }  # fmt: skip
    computer = Computer(SMALL)
    try:
        computer.run("\n".join(f"{name}='{value}'" for name, value in known.items()))
        started = time.monotonic()
        output = computer.run(script, seconds)
        assert time.monotonic() - started < seconds + 6
        for _ in range(3):  # what replaces a lost shell may be told so only when it is used
            after = computer.run("echo still $((40 + 2))", 6).text
            if ALIVE in after:
                break
        computer.state_key()
    finally:
        computer.close()
    assert host.secret not in output.text.replace(str(host.folder), "")
    assert host.untouched()
    assert settles(), "something of the sandbox is left"
    first = min(path.name for path in Path("/usr/bin").iterdir())
    following = Computer(SMALL)
    try:
        seen = following.run("pwd; ls -A /home /tmp /srv; echo $FOLDER; id -u; ls /usr/bin | head -1")
        assert seen == Output(NEW.format(first=first), status=0)
    finally:
        following.close()
    return output, after


NEW = "/root\n/home:\n\n/srv:\n\n/tmp:\n\n0\n{first}\n"
ALIVE = "still 42\n"
PYTHON = (
    "python3 - <<'END'\nimport ctypes, os, socket\nlibc = ctypes.CDLL(None, use_errno=True)\n{}\nEND\n"
)

#: Attacks after which the same shell must still answer: name -> (script, what its output must say).
HELD: dict[str, tuple[str, str]] = {
    "disk filler": ("dd if=/dev/zero of=/tmp/x bs=1M count=900; rm /tmp/x", "limit exceeded"),
    "disk filler in /dev/shm": ("dd if=/dev/zero of=/dev/shm/x bs=1M count=900", "No space left"),
    "files without end": ("for i in {1..6000}; do : > /tmp/f$i; done 2>&1 | tail -1", "No space left"),
    "a file of a terabyte": (
        "truncate -s 1T /tmp/x; fallocate -l 1T /tmp/y; echo $?", "limit exceeded"),
    "device nodes by writing to /dev": ("echo x > /dev/new; rm /dev/null", "Read-only file system"),
    "memory bomb": ('python3 -c "x = bytearray(1 << 30)"; echo $?', "137"),
    "memory bomb in a pipe": ("head -c 1G /dev/zero | tail; echo ${PIPESTATUS[1]}", "137"),
    "open files": (PYTHON.format("for i in range(9999): os.dup(0)"), "Too many open files"),
    "the host's home": (
        "ls -A ~ $HOST_HOME; cat ~/.ssh/* $HOST_HOME/.secret*; grep -r secret /root /home", ""),
    "the host's files": ("cat $FOLDER/secret; find / -name 'secret*' -not -path '/usr/*'", "No such"),
    "the host's environment": ("env; cat /proc/*/environ | tr '\\0' '\\n'", "TERM=xterm"),
    "processes of the host": ("ps -eo args; cat /proc/$HOST_PID/cmdline; kill -9 $HOST_PID", "No such"),
    "the host's passwords": ("cat /etc/shadow; ls /etc/ssh", "root:*:"),
    "keys of the kernel": (
        PYTHON.format("print(libc.syscall(250, 0, -4, 1), ctypes.get_errno());"
                      "print(libc.syscall(248, b'user', b'a', b'b', 1, -4), ctypes.get_errno())"),
        "-1 1\n-1 1"),
    "writing to the kernel": (
        "echo 1 > /proc/sys/vm/overcommit_memory; echo x > /proc/sys/kernel/core_pattern; ls /sys",
        "Read-only file system"),
    "writing to the host's folder": ("mkdir -p $FOLDER; echo x > $FOLDER/secret; ls $FOLDER", "secret"),
    "loopback": ("(exec 3<>/dev/tcp/127.0.0.1/$PORT) && echo connected", "refused"),
    "the network": (
        "(exec 3<>/dev/tcp/192.0.2.1/80); cat /proc/net/dev | tail -n +3 | cut -d: -f1", "unreachable"),
    "sockets of the host": (
        PYTHON.format("s = socket.socket(socket.AF_UNIX)\n"
                      "try: s.connect('\\0' + os.popen('true').read()) or print('connected')\n"
                      "except OSError as e: print(e)\n"
                      "try: socket.socket(40, socket.SOCK_STREAM)\n"
                      "except OSError as e: print(e.errno)"), "97"),
    "abstract sockets": (
        "python3 -c \"import socket, sys; socket.socket(socket.AF_UNIX).connect('\\0' + sys.argv[1])\""
        " $ABSTRACT 2>&1 | tail -1", "Connection refused"),
    "raw sockets": (PYTHON.format("socket.socket(2, socket.SOCK_RAW, 1)"), "PermissionError"),
    "mount": (
        "mount -t tmpfs x /mnt; mount -o remount,rw /proc/sys; mount --bind / /mnt; umount -l /usr;"
        " ls /mnt /usr | head -3", "permission denied"),
    "a namespace": ("unshare -r id; unshare -m true; nsenter -t 1 -m true; ls /mnt", "not permitted"),
    "clone with namespaces": (
        PYTHON.format("print(libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0), ctypes.get_errno())"),
        "-1 1"),
    "ptrace": (
        PYTHON.format("print(libc.ptrace(16, 1, 0, 0), ctypes.get_errno())"), "-1 1"),
    "memory of another process": (
        PYTHON.format("print(libc.syscall(310, 1, 0, 0, 0, 0, 0), ctypes.get_errno())"), "-1 1"),
    "mknod": ("mknod /tmp/disk b 254 0; mknod /tmp/memory c 1 1; ls /tmp", "not permitted"),
    "setuid": (
        "cp /bin/bash /tmp/b && chmod 4755 /tmp/b && setpriv --reuid=65534 --regid=65534"
        " --clear-groups /tmp/b -p -c 'id -u; cat /etc/shadow'", "Permission denied"),
    "capabilities": (
        "setpriv --inh-caps +sys_admin --ambient-caps +sys_admin true; grep CapEff /proc/self/status",
        "CapEff:\t00000000800000fb"),
    "symbolic links": (
        "ln -s / /tmp/a; ln -s /proc/1/root /tmp/b; ln -s /proc/self/cwd/../../../../.. /tmp/c;"
        " for l in a b c; do ls /tmp/$l/work /tmp/$l$FOLDER; done", "No such file"),
    "hard links": ("ln /proc/1/exe /tmp/x; ln /dev/null /tmp/n; ln /etc/shadow /usr/s", "cross-device"),
    "descriptors": ("ls -l /proc/1/fd /proc/*/fd; ls /proc/1/root/ /proc/1/cwd/..", "pipe:"),
    "chroot": (PYTHON.format("os.mkdir('/tmp/j'); os.chroot('/tmp/j')"), "PermissionError"),
    "file handles": (
        PYTHON.format("print(libc.syscall(304, -100, 0, 0), ctypes.get_errno())"), "-1 1"),
    "kernel programs": (
        PYTHON.format("for n in (321, 425, 298, 175, 246, 169):"
                      " print(libc.syscall(n, 0, 0, 0, 0), end=' ')"),
        "-1 -1 -1 -1 -1 -1"),
    "typing into the terminal": (
        PYTHON.format("import fcntl\ntry: fcntl.ioctl(0, 0x5412, b'x')\nexcept OSError as e: print(e)"
                      "\nt = os.open('/dev/tty', os.O_RDWR)\nfcntl.ioctl(t, 0x5412, b'x')"),
        "Operation not permitted"),
    "control sequences": (
        "printf '\\e[2J\\e]0;title\\a\\e[31mred\\e[0m\\x07\\e[6n\\e[5n\\eP+q\\e\\\\\\x08\\x7f end\\n'",
        "red end\n"),
    "bytes that are no text": ("head -c 3000 /dev/urandom; echo; printf 'a\\0b\\n'", "ab\n"),
    "deep folders": (
        PYTHON.format("for i in range(3900): os.mkdir('d'); os.chdir('d')\nprint('deep')"), "deep"),
    "names with newlines": (
        "cd /tmp; touch $'a\\nb' $'\\e[31mc' -- '-rf' $'d\\n<1:'; ls | cat; find . | wc -l", "7\n"),
    "a daemon": (
        "(setsid nohup sleep 987 >/dev/null 2>&1 &) ; sleep 0.5; pgrep -f 'sleep 987' | wc -l", "1"),
    "killing the first process": ("kill -9 1; kill -9 -1; echo survived", "survived"),
    "a variable of megabytes": ("x=$(head -c 3M /dev/zero | tr '\\0' x); echo ${#x}", "3145728"),
    "marks in the output": ("declare -f __end | cat; echo '<00:'; echo ':00>'", ":00>"),
}  # fmt: skip
#: Attacks that may cost the shell its life; another takes its place.
FATAL: dict[str, str] = {
    "fork bomb": ":() { : | : & }; :",
    "fork bomb that detaches": "f() { (setsid bash -c 'sleep 100 & exec sleep 100' & f) & f; }; f",
    "fork bomb in Python": "python3 -c 'import os\nwhile 1: os.fork()'",
    "endless output": "yes $'\\e[31mnoise'",
    "endless output without lines": "cat /dev/zero",
    "endless sleep": "sleep infinity",
    "endless sleep that ignores signals": "trap '' INT TERM HUP QUIT TSTP; while :; do sleep 9; done",
    "endless work": "while :; do :; done",
    "endless reading": "cat",
    "deleting everything": "rm -rf --no-preserve-root / 2>/dev/null",
    "the end of the shell": "exit 3",
    "another program in the shell's place": "exec sleep 3",
    "a shell that is stopped": "kill -STOP $$",
    "a shell that kills itself": "kill -9 $$",
    "closed descriptors": "exec 250<&- 251>&- 249>&- 0<&-",
    "noise on the shell's own descriptors": "head -c 20M /dev/zero >&251",
    "redefined builtins": "builtin() { :; }; printf() { :; }; declare() { :; }; eval() { :; }",
    "options that end a shell": "set -eu; false; echo $nothing",
    "a terminal that is closed": "exec 0<&- 1>&- 2>&-; stty raw",
    "a raw terminal": "stty raw -isig; cat",
}


def test_there_are_enough() -> None:
    assert len(HELD) + len(FATAL) >= 25


@pytest.mark.parametrize("name", HELD)
def test_the_sandbox_holds(host: Host, name: str) -> None:
    script, said = HELD[name]
    output, after = attack(host, script)
    assert said in output.text
    assert after == ALIVE


@pytest.mark.parametrize("name", FATAL)
def test_the_sandbox_goes_on(host: Host, name: str) -> None:
    _, after = attack(host, FATAL[name], 2.0)
    if name == "deleting everything":
        assert ALIVE in after or "no other can be started" in after
    elif not FATAL[name].endswith("cat"):  # there the next script is what `cat` reads
        assert ALIVE in after  # what forks on in the background may still complain
