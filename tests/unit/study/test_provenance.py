"""What results were made from is named by digests that depend on names and contents alone."""

import hashlib

import provenance


def test_coded_scenes_have_one_digest_over_their_names_and_contents(tmp_path):
    contents = {"b/r1.bpk": b"1", "a/r2.bpk": b"2", "a/r10.bpk": b"3", "a/r0.bpk": b"4", "c/r1.bpk": b"5"}
    for name, content in {**contents, "a/.r1.part.bpk": b"half", "a/r1.json": b"{}"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    lines = [f"{hashlib.sha256(contents[name]).hexdigest()}  {name}\n" for name in sorted(contents)]
    expected = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert provenance.streams(tmp_path) == {"files": 5, "sha256": expected}
