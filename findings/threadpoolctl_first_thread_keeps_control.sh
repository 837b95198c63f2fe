#!/usr/bin/env bash
# threadpoolctl 3.8.0 with NumPy's own OpenBLAS (pthreads): once a thread has set a limit by a plain call, limits that any
# other thread sets, puts back, or wraps in a with block are ignored without a word.
#
# Up to 3.6.0 the last call counted. Since 3.8.0 the first thread controls OpenBLAS until it ends or leaves a with block. So
# a limit set once at the start of a program makes `with threadpool_limits(...)` in a pool's threads do nothing, and a limit
# that one thread sets and another one puts back (a counter of users, a server's shutdown) stays for ever.
# It takes two cores to see. Exit status 0 while this is so, 1 when it changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
cat >"$place/limits.py" <<'PYTHON'
import threading

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits


def threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"][0]


def elsewhere(function):
    seen = []
    thread = threading.Thread(target=lambda: seen.append(function()))
    thread.start()
    thread.join()
    return seen[0]


def within():
    with threadpool_limits(2, user_api="blas"):
        return threads()


np.dot(np.ones((2, 2)), np.ones((2, 2)))
kept = threadpool_limits(1, user_api="blas")
print(threads(), elsewhere(within), elsewhere(lambda: (kept.restore_original_limits(), threads())[1]))
PYTHON
for version in 3.6.0 3.8.0; do
    "$place/env/bin/pip" install --quiet --disable-pip-version-check "threadpoolctl==$version" numpy==2.4.6
    seen=$(OPENBLAS_NUM_THREADS=2 "$place/env/bin/python" "$place/limits.py")
    echo "threadpoolctl $version: limit 1; within a limit of 2 in another thread; put back by another thread: $seen"
    case "$version" in
    3.6.0) [ "$seen" = "1 2 2" ] ;;
    3.8.0) [ "$seen" = "1 1 1" ] ;;
    esac
done
