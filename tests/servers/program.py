"""What every server program here shares: one JSON line when ready, JSON commands on stdin, an end that leaves nothing.

The one who started it talks in lines: `{"do": "...", ...}` in, one JSON line out per command, in order. When stdin
closes (the starter is gone, however it went) or SIGTERM comes, `stop` runs and the process ends.
"""

import ctypes
import json
import signal
import socket
import sys


def free_ports(count):
    """Ports nobody listens on now; held together so that they differ."""
    held = [socket.socket() for _ in range(count)]
    for s in held:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def die_with_parent():
    """For children: SIGTERM when we are killed without a chance to clean up (Linux; elsewhere stdin's end must do)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGTERM)


def say(value):
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def serve(ready, commands, stop):
    """Prints `ready`, obeys stdin until it ends, then `stop()`. `commands`: name -> function(request) -> dict."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    try:
        say(ready)
        for line in sys.stdin:
            if not line.strip():
                continue
            try:
                request = json.loads(line)
                answer = commands[request["do"]](request) or {}
                answer.setdefault("ok", True)
            except KeyError as error:
                answer = {"ok": False, "error": "unknown: %s" % error}
            except Exception as error:  # the starter decides what a failed command means
                answer = {"ok": False, "error": "%s: %s" % (type(error).__name__, error)}
            say(answer)
    except (KeyboardInterrupt, BrokenPipeError):
        pass
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stop()
