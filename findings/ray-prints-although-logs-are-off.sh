#!/usr/bin/env bash
# Ray prints a lost process on the driver's standard output, although init() was told log_to_driver=False and logging_level=ERROR.
#
# A program whose standard output is its result (JSON, a table) turns the forwarding of logs off, and expects nothing there but
# its own lines. When a process that executes a call is killed, Ray 2.60 prints a paragraph that starts with "(raylet) A worker
# died" there; for a lost node it adds the last 20 lines of that node's log. It goes through a listener for errors that the
# setting does not concern. The colours stay even where the output is a file.
#
# ray 2.60.0, one local node. Output seen:
#   lines on standard output: 2, of the program itself: 1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet ray==2.60.0
cat > "$folder/lose.py" <<'PYTHON'
import os
import signal
import time

import ray

ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")


@ray.remote(max_restarts=0)
class Worker:
    def pid(self):
        return os.getpid()

    def wait(self):
        time.sleep(60)


worker = Worker.remote()
pid = ray.get(worker.pid.remote())
waiting = worker.wait.remote()
time.sleep(1)
os.kill(pid, signal.SIGKILL)
try:
    ray.get(waiting)
except ray.exceptions.RayActorError:
    print("result")
time.sleep(3)
PYTHON
RAY_USAGE_STATS_ENABLED=0 RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO=0 "$folder/venv/bin/python" "$folder/lose.py" > "$folder/out" 2> /dev/null
lines=$(grep -c . "$folder/out")
ours=$(grep -c '^result$' "$folder/out")
echo "lines on standard output: $lines, of the program itself: $ours"
[ "$ours" = 1 ]
grep -q "(raylet)" "$folder/out" || { echo "nothing else is printed any more"; exit 1; }
