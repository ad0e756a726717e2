"""Manifests and determinism: the same input gives the same bytes, and what was written can be proved later.

Digests are those of hashlib and of sha256sum, over the files themselves.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from auditor.digests import folder_sha256
from auditor.errors import AuditorError
from auditor.manifest import load_manifest, verify
from auditor.report.registry import FORMATS
from auditor.services.folder import rules_folder
from tests.support import CAPTURES, COMMAND, ROOT, run_auditor

FOLDER = CAPTURES / "out-of-range"
SCHEMA = json.loads((ROOT / "auditor" / "schemas" / "manifest-1.schema.json").read_text())
MARKED = {name: form.suffixes[0] for name, form in FORMATS.items() if form.suffixes}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a folder with a capture, its policy and waivers, an audit of them, and the manifest of that."""
    for name in ("out-of-range.pcap", "policy.yaml", "waivers.yaml"):
        shutil.copyfile(FOLDER / name, tmp_path / name)
    with (tmp_path / "policy.yaml").open("a") as policy:
        policy.write("waivers: waivers.yaml\n")
    done = run_auditor(
        "audit", "out-of-range.pcap", "--policy", "policy.yaml", "--report", "r.html", "--output", "r.json",
        "--format", "json", "--manifest", "m.json", cwd=tmp_path,
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    return tmp_path


class TestManifest:
    def test_it_names_everything_with_its_digest(self, site: Path) -> None:
        document = json.loads((site / "m.json").read_text())
        jsonschema.validate(document, SCHEMA)
        assert [(one["role"], one["path"]) for one in document["inputs"]] == [
            ("capture", "out-of-range.pcap"), ("policy", "policy.yaml"), ("waivers", "waivers.yaml"),
        ]  # fmt: skip
        assert [one["path"] for one in document["outputs"]] == ["r.json", "r.html"]
        for one in (*document["inputs"], *document["outputs"]):
            assert one["sha256"] == sha256(site / one["path"])
            assert one["bytes"] == (site / one["path"]).stat().st_size

    def test_it_names_no_folder_of_the_machine(self, site: Path) -> None:
        text = (site / "m.json").read_text()
        assert str(site) not in text
        assert str(Path.home()) not in text

    def test_the_whole_folder_can_be_moved(self, site: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        moved = tmp_path_factory.mktemp("moved") / "evidence"
        shutil.copytree(site, moved)
        done = run_auditor("verify", moved / "m.json")
        assert (done.code, done.out.splitlines()[-1]) == (0, "PROVED: 5 files as the manifest says")

    @pytest.mark.parametrize("name", ["out-of-range.pcap", "policy.yaml", "waivers.yaml", "r.html", "r.json"])
    def test_one_bit_is_noticed(self, site: Path, name: str) -> None:
        data = bytearray((site / name).read_bytes())
        data[len(data) // 2] ^= 1
        (site / name).write_bytes(data)
        done = run_auditor("verify", site / "m.json")
        assert done.code == 1
        assert [line.split()[0] for line in done.out.splitlines() if name in line] == ["changed"]
        assert done.out.splitlines()[-1] == "NOT PROVED: 1 of 5 files not as the manifest says"

    def test_what_is_missing_or_no_file_is_told(self, site: Path) -> None:
        (site / "r.html").unlink()
        (site / "policy.yaml").unlink()
        os.mkfifo(site / "policy.yaml")
        states = {
            checked.entry.path: (checked.state, checked.why)
            for checked in verify(load_manifest((site / "m.json").read_bytes()), site)
        }
        assert states["r.html"] == ("missing", "")
        assert states["policy.yaml"] == ("missing", "no regular file is there")
        assert states["r.json"] == ("ok", "")

    def test_standard_input_cannot_be_proved(self, tmp_path: Path) -> None:
        with (FOLDER / "out-of-range.pcap").open("rb") as stream:
            subprocess.run(
                [COMMAND, "audit", "-", "--report", "r.json", "--manifest", "m.json"], cwd=tmp_path, stdin=stream,
                capture_output=True, check=False, timeout=60,
            )  # fmt: skip
        (capture,) = json.loads((tmp_path / "m.json").read_text())["inputs"]
        assert (capture["path"], capture["sha256"]) == ("-", sha256(FOLDER / "out-of-range.pcap"))
        done = run_auditor("verify", tmp_path / "m.json")
        assert (done.code, "unprovable" in done.out) == (1, True)

    def test_of_a_report_rendered_again(self, site: Path) -> None:
        done = run_auditor("report", "r.json", "--report", "again.html", "--manifest", "again.json", cwd=site)
        assert done.code == 0
        document = json.loads((site / "again.json").read_text())
        jsonschema.validate(document, SCHEMA)
        assert document["inputs"][0]["sha256"] == sha256(site / "r.json")
        assert document["outputs"][0]["sha256"] == sha256(site / "r.html")
        assert run_auditor("verify", site / "again.json").code == 0

    @pytest.mark.parametrize("target", ["out-of-range.pcap", "r.html", "no/folder.json"])
    def test_a_manifest_cannot_be_another_file_of_the_run(self, site: Path, target: str) -> None:
        done = run_auditor("audit", "out-of-range.pcap", "--report", "r.html", "--manifest", target, cwd=site)
        assert (done.code, "--manifest" in done.err) == (2, True)
        assert sha256(site / "out-of-range.pcap") == sha256(FOLDER / "out-of-range.pcap")

    @pytest.mark.parametrize(
        "text",
        [
            "", "{}", "[]", "3", '{"schema": "auditor.manifest/1"}', '{"schema": "auditor.report/1"}', "[" * 100_000,
            '{"schema": "auditor.manifest/1", "version": "", "command": "", "rules": "", "options": {}, "inputs": [3]}',
            '{"schema": "auditor.manifest/1", "version": "", "command": "", "rules": "", "options": {}, "inputs": 3}',
        ],
    )  # fmt: skip
    def test_what_is_no_manifest(self, text: str, tmp_path: Path) -> None:
        with pytest.raises(AuditorError):
            load_manifest(text.encode())
        (tmp_path / "m.json").write_text(text)
        done = run_auditor("verify", tmp_path / "m.json")
        assert (done.code, "Traceback" in done.err) == (2, False)

    def test_a_path_that_cannot_be_is_missing(self, tmp_path: Path) -> None:
        row = {"role": "report", "path": "a\x00b\x1b[2J", "sha256": "0" * 64, "bytes": 1}
        document = {
            "schema": "auditor.manifest/1", "version": "", "command": "audit", "rules": "", "options": {},
            "inputs": [], "outputs": [row],
        }  # fmt: skip
        (tmp_path / "m.json").write_text(json.dumps(document))
        done = run_auditor("verify", tmp_path / "m.json")
        assert (done.code, "missing" in done.out, "\x1b" in done.out) == (1, True, False)
        document["outputs"] = []
        (tmp_path / "m.json").write_text(json.dumps(document))
        assert run_auditor("verify", tmp_path / "m.json").code == 1


class TestDeterminism:
    def test_the_same_input_gives_the_same_bytes(self, tmp_path: Path) -> None:
        """In all formats, whatever the folder, the seed of hashes, the zone of time, and the day."""
        made = []
        for number, environment in enumerate(
            (
                {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C.UTF-8"},
                {
                    "PYTHONHASHSEED": "2",
                    "TZ": "Pacific/Kiritimati",
                    "LC_ALL": "C",
                    "SOURCE_DATE_EPOCH": "1",
                    "COLUMNS": "200",
                },
            )
        ):
            folder = tmp_path / str(number)
            shutil.copytree(FOLDER, folder / "captures")
            # A PDF has a date of its own, which SOURCE_DATE_EPOCH may set: test_report_pdf holds its bytes.
            names = [f"report{suffix}" for suffix in MARKED.values() if not suffix.endswith(".pdf")]
            command = [COMMAND, "audit", "captures/out-of-range.pcap", "--policy", "captures/policy.yaml"]
            command += ["--waivers", "captures/waivers.yaml", "--output", "out.txt", "--manifest", "m.json"]
            for name in names:
                command += ["--report", name]
            done = subprocess.run(
                command, cwd=folder, env={**os.environ, **environment}, capture_output=True, timeout=100, check=False
            )
            assert (done.returncode, done.stderr) == (0, b"")
            made.append({name: (folder / name).read_bytes() for name in (*names, "out.txt", "m.json")})
        assert made[0].keys() == made[1].keys()
        for name, data in made[0].items():
            assert data == made[1][name], name

    def test_the_report_names_policy_and_rules(self, site: Path) -> None:
        document = json.loads((site / "r.json").read_text())
        assert document["policy"]["sha256"] == sha256(site / "policy.yaml")
        listed = subprocess.run(
            ["sh", "-c", "find . -name '*.yaml' -type f | sed 's|^./||' | LC_ALL=C sort | xargs sha256sum | sha256sum"],
            cwd=rules_folder(), capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert document["rule_pack"]["sha256"] == listed.stdout.split()[0]
        page = (site / "r.html").read_text()
        assert document["rule_pack"]["sha256"] in page
        assert document["policy"]["sha256"] in page

    def test_the_digest_of_a_folder_tells_names_apart(self, tmp_path: Path) -> None:
        digests = set()
        for names in (("a", "b"), ("a", "c"), ("a",), ("a", "b/c")):
            folder = tmp_path / "-".join(names).replace("/", "_")
            for name in names:
                path = folder / f"{name}.yaml"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("x")
            digests.add(folder_sha256(folder, ".yaml"))
        assert len(digests) == 4


def test_verify_loads_nothing_heavy() -> None:
    probe = (
        "import sys\nfrom auditor.cli import main\ntry: main(['verify', 'none.json'])\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'pandas', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
