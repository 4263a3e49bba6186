"""Runs a program on a terminal of its own and plays a dialogue with it. Reads a job as JSON on stdin, writes what happened as JSON on stdout."""
import base64, fcntl, json, os, pty, select, signal, sys, termios, time

job = json.load(sys.stdin)
main, terminal = pty.openpty()
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for descriptor in (0, 1, 2):
        os.dup2(terminal, descriptor)
    os.closerange(3, 64)
    os.chdir(job["cwd"])
    os.execve(job["command"][0], job["command"], job["env"])

output = b""
status = None
timed_out = False
deadline = time.monotonic() + job.get("timeout", 40)


def echo():
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def pump(seconds):
    global output
    if select.select([main], [], [], seconds)[0]:
        try:
            output += os.read(main, 65536)
        except OSError:
            pass


def ended():
    global status
    if status is None:
        done, raw = os.waitpid(pid, os.WNOHANG)
        if done:
            status = os.waitstatus_to_exitcode(raw)
    return status is not None


steps = []
position = 0
for step in job["steps"]:
    wanted = step.get("expect", "").encode()
    while output.find(wanted, position) == -1 and not ended() and time.monotonic() < deadline:
        pump(0.05)
    found = output.find(wanted, position)
    steps.append({"found": found != -1, "echo": echo()})
    if found == -1:
        break
    position = found + len(wanted)
    # What was typed must have arrived before the next thing happens.
    until = time.monotonic() + step.get("afterMs", 0) / 1000
    while time.monotonic() < until:
        pump(max(0, until - time.monotonic()))
    if "send" in step:
        os.write(main, step["send"].encode())
    if "signal" in step:
        os.kill(pid, getattr(signal, step["signal"]))
    if "hangup" in step:
        os.close(terminal)
        os.close(main)
        break

while not ended():
    if time.monotonic() > deadline:
        timed_out = True
        os.kill(pid, signal.SIGKILL)
        deadline += 5
    if job["steps"] and "hangup" in job["steps"][-1]:
        time.sleep(0.02)
    else:
        pump(0.05)
if not (job["steps"] and "hangup" in job["steps"][-1]):
    while select.select([main], [], [], 0.05)[0]:
        pump(0)
    echo_after = echo()
else:
    echo_after = None
json.dump({"status": status, "output": base64.b64encode(output).decode(), "steps": steps, "echoAfter": echo_after, "timedOut": timed_out}, sys.stdout)
