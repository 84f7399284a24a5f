"""Measures on the devices of another process, and takes them away.

    remote.py EXAMPLE FOLDER

Serves two devices on loopback with the example `remote`, and trains twice, with sweeps here and
there: all rows must be the same. Then the server is killed while a training is measured: the
training must go on to its end without LCA, what was recorded must stay, and the error must say
which device it was.
"""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import duckdb


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def is_up(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def serve(example, port):
    server = subprocess.Popen([example, "serve", "--port", str(port)], stdout=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not is_up(port):
        if server.poll() is not None or time.monotonic() > end:
            server.kill()
            sys.exit("the server does not listen")
        time.sleep(0.05)
    return server


def train(example, folder, *options):
    command = [example, "train", "--output", str(folder), *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def succeed(training):
    error = training.communicate()[1]
    if training.returncode:
        sys.exit(f"a training failed: {error}")


def steps(run):
    return duckdb.sql(f"SELECT count(*), max(iteration) + 1 FROM '{run}/steps/*.parquet'").fetchall()[0]


def compare(here, there):
    for table, column in {"steps": "probe_seconds", "tensors": None, "classes": None}.items():
        rows = f"SELECT * {f'EXCLUDE ({column})' if column else ''} FROM "
        one, other = (f"{rows}'{run}/{table}/*.parquet'" for run in (here, there))
        count = duckdb.sql(f"SELECT count(*) FROM ({one})").fetchall()[0][0]
        for a, b in ((one, other), (other, one)):
            differ = duckdb.sql(f"SELECT count(*) FROM ({a} EXCEPT {b})").fetchall()[0][0]
            if not count or differ:
                sys.exit(f"{table}: {differ} of {count} rows differ")
        print(f"{table}: {count} rows are the same")


def main(example, folder):
    folder, port = Path(folder), free_port()
    there = ["--host", f"ws://127.0.0.1:{port}"]
    server = serve(example, port)
    try:
        succeed(train(example, folder / "here"))
        succeed(train(example, folder / "there", *there))
        compare(folder / "here/lca", folder / "there/lca")
        devices = json.loads((folder / "there/lca/run.json").read_text())["probes"][0]["devices"]
        if len(devices) != 2 or not all("emote" in device for device in devices):
            sys.exit(f"run.json names these devices: {devices}")

        run = folder / "cut/lca"
        training = train(example, folder / "cut", "--epochs", "4", *there)
        # Until an epoch is on disk, and the next one is measured.
        end = time.monotonic() + 300
        while not list((run / "steps").glob("*.parquet")) or steps(run)[0] < 45:
            if training.poll() is not None or time.monotonic() > end:
                sys.exit(f"the training ended too soon, or none of it was recorded: {run}")
            time.sleep(0.1)
        server.send_signal(signal.SIGKILL)
        error = training.communicate(timeout=300)[1]
        count, end = steps(run)
        if training.returncode == 0 or "device" not in error:
            sys.exit(f"the server was killed, and the training said {training.returncode}: {error}")
        if not 45 <= count < 180 or count != end:
            sys.exit(f"{count} steps were recorded up to iteration {end}")
        if not (folder / "cut/train/epoch-4").is_dir():
            sys.exit("the training ended with the server")
        print(f"{count} steps were recorded before the server was killed, and the training ended with")
        print(error[error.rindex("error: ") :].strip())
    finally:
        server.kill()


main(sys.argv[1], sys.argv[2])
