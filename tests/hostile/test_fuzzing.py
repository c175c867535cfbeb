"""A coverage-guided fuzzer finds nothing in the decoders; needs the extra `fuzz`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("atheris", reason="the extra `fuzz` is not installed")

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "scripts" / "fuzz_decoders.py"
ENTRY = {"id": "ab" * 32, "kind": "file", "name": "a", "size": 7}
SEEDS = {
    "footer": bytes(8),
    "trailer": bytes(40) + b"AURAPEND",
    "tree": json.dumps({"entries": [ENTRY]}, separators=(",", ":")).encode(),
    "version": b'{"author":"","created_at":"2026-01-01T00:00:00.000000Z","description":"","documents":{}}',
    "chunks": bytes(36),
    "operation": b'{"id":"a","replica":"b","sequence":1,"type":"commit","check":"00"}',
    "label": b'{"version":"' + b"ab" * 32 + b'","number":1,"name":"First"}',
}


@pytest.mark.slow
@pytest.mark.parametrize("decoder", list(SEEDS))
def test_a_fuzzer_finds_nothing(decoder: str, tmp_path: Path) -> None:
    """H11: twenty thousand inputs that reach new code, in 400 MB: our errors, or something consistent."""
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "one").write_bytes(SEEDS[decoder])
    limits = ["-runs=20000", "-seed=1", "-max_len=2000", "-rss_limit_mb=400"]
    done = subprocess.run(
        [sys.executable, SCRIPT, decoder, *limits, tmp_path / "seeds"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Done 20000 runs" in done.stderr
