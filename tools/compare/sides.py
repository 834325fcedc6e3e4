"""Processes that are timed in turn."""

import json
import os
import signal
import subprocess
import time


class Failed(Exception):
    """A side ended, or said something else than it was asked for."""


class Process:
    """One side of a case. Between its turns it is stopped, so that no thread of it can spin."""

    def __init__(self, name, command, env, log):
        self.name, self.log = name, log
        with open(log, "w") as err:
            self.process = subprocess.Popen(
                command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, text=True,
                start_new_session=True,
            )
        self.info = self._read()

    def _read(self):
        line = self.process.stdout.readline()
        try:
            return json.loads(line)
        except ValueError:
            self.kill()
            with open(self.log) as f:
                tail = f.read().strip().splitlines()[-1:] or ["nothing on standard error"]
            raise Failed(f"{self.name}: {tail[0]} (see {self.log})") from None

    def ask(self, request):
        try:
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer tells why
        return self._read()

    def _signal(self, number):
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def pause(self):
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)
        time.sleep(0.02)

    def kill(self):
        self._signal(signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                pass  # what the process did not read


def turn(side, request):
    """One request to a side that is stopped otherwise."""
    side.resume()
    try:
        return side.ask(request)
    finally:
        side.pause()
