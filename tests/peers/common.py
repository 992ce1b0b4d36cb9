"""What the comparisons share: how jre is run, where shared data lies, how a comparison is told.

A script takes names in here, compares, calls told() once for each thing compared, and ends with done()."""
import os
import subprocess
import sys
import tempfile

BUILD = os.environ.get("JRE_BUILD", "build")
DATA = os.environ.get("JRE_TEST_DATA", "../shared")
os.environ.setdefault("JRE_WEIGHTS", os.path.abspath(os.path.join(DATA, "weights")))
disagreed = []


def data(path):
    """A path in the shared data; None when it is not there."""
    path = os.path.abspath(os.path.join(DATA, path))
    return path if os.path.exists(path) else None


def folder():
    """A scratch folder, gone when the script ends."""
    return tempfile.TemporaryDirectory(prefix="jre-peers-")


def jre(*words, good=(0, 3)):
    """Runs jre and gives what it printed; ends the script when it fails."""
    run = subprocess.run([os.path.join(BUILD, "jre"), *words], capture_output=True, text=True)
    if run.returncode not in good:
        sys.exit(f"jre {' '.join(words)} ended with status {run.returncode}\n{run.stdout}{run.stderr}")
    return run.stdout


def told(name, count, worst, within):
    """Tells a comparison; one that compares nothing, or differs by more than `within`, fails the script."""
    print(f"{name}: {count} compared, worst difference {worst:.3g}", flush=True)
    if not count or not worst <= within:
        print(f"{name}: at most {within:g} was expected")
        disagreed.append(name)


def skipped(name, why):
    print(f"{name}: skipped, {why}", flush=True)


def done():
    sys.exit(1 if disagreed else 0)
