from __future__ import annotations

import os
from pathlib import Path

import pytest

from aggregator.errors import TranscriptsUnreadableError
from aggregator.transcripts.discovery import LONGEST_STORED_PATH, find_transcripts, storable_name


def put(path: Path, content: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def names(found, folder: Path) -> list[str]:
    return [str(file.path.relative_to(folder)) for file in found.transcripts]


def test_all_transcripts_are_found_in_the_order_of_their_paths(tmp_path):
    for name in ["b/2.jsonl", "b/1.jsonl", "b.jsonl", "a/x/y/3.jsonl", "a/notes.txt", "a/4.json"]:
        put(tmp_path / name)

    found = find_transcripts([tmp_path])

    assert names(found, tmp_path) == ["a/x/y/3.jsonl", "b/1.jsonl", "b/2.jsonl", "b.jsonl"]
    assert found.unreadable == {}


def test_a_file_is_told_as_its_folder_shows_it(tmp_path):
    path = put(tmp_path / "1.jsonl", b"12345")
    os.utime(path, ns=(0, 1_700_000_000_123_456_789))

    [file] = find_transcripts([tmp_path]).transcripts

    assert (file.path, file.name, file.size) == (path, str(path), 5)
    assert file.modified_ns == path.stat().st_mtime_ns


def test_files_of_sub_agents_are_told_apart_by_their_place_below_the_folder(tmp_path):
    folder = tmp_path / "subagents"
    put(folder / "agent-1.jsonl")
    put(folder / "p" / "s" / "subagents" / "workflows" / "w.jsonl")
    put(folder / "p" / "s.jsonl")

    found = find_transcripts([folder])

    assert [(file.path.name, file.is_main) for file in found.transcripts] == [
        ("agent-1.jsonl", False),
        ("w.jsonl", False),
        ("s.jsonl", True),
    ]


def test_a_folder_given_twice_is_listed_once(tmp_path):
    put(tmp_path / "p" / "1.jsonl")

    found = find_transcripts([tmp_path, tmp_path / "p", tmp_path])

    assert names(found, tmp_path) == ["p/1.jsonl"]


def test_links_are_followed_but_not_in_circles(tmp_path):
    outside = put(tmp_path / "outside" / "1.jsonl").parent
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    (outside / "circle").symlink_to(folder)

    found = find_transcripts([folder])

    assert names(found, folder) == ["link/1.jsonl"]


def test_what_is_no_file_is_told_and_never_opened(tmp_path):
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "broken.jsonl").symlink_to(tmp_path / "nowhere")
    (tmp_path / "circle.jsonl").symlink_to(tmp_path / "circle.jsonl")
    os.mkfifo(tmp_path / "pipe.jsonl")
    put(tmp_path / "fine.jsonl")

    found = find_transcripts([tmp_path])

    assert names(found, tmp_path) == ["fine.jsonl"]
    assert found.unreadable == {
        tmp_path / "folder.jsonl": "it is not a file",
        tmp_path / "broken.jsonl": "No such file or directory",
        tmp_path / "circle.jsonl": "Too many levels of symbolic links",
        tmp_path / "pipe.jsonl": "it is not a file",
    }


@pytest.fixture
def nobody():
    """Run the test as another user if it is run by root, who may read everything."""
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)
    yield
    os.seteuid(me)


def test_a_folder_that_may_not_be_listed_is_told(home, request):
    home.chmod(0o755)
    closed = put(home / "closed" / "1.jsonl").parent
    closed.chmod(0)
    request.getfixturevalue("nobody")

    assert find_transcripts([home]).unreadable == {closed: "Permission denied"}
    with pytest.raises(TranscriptsUnreadableError, match="Permission denied"):
        find_transcripts([closed], must_exist=True)


def test_a_missing_folder_is_empty_unless_it_must_exist(tmp_path):
    missing, file = tmp_path / "missing", put(tmp_path / "1.jsonl")

    assert find_transcripts([missing, file]).transcripts == []
    with pytest.raises(TranscriptsUnreadableError, match=r"missing: there is no such folder"):
        find_transcripts([missing], must_exist=True)
    with pytest.raises(TranscriptsUnreadableError, match=r"1\.jsonl: it is not a folder"):
        find_transcripts([file], must_exist=True)


def test_a_name_can_be_stored_whatever_bytes_it_is_made_of():
    assert storable_name(Path("/code/ü.jsonl")) == "/code/ü.jsonl"
    assert storable_name(Path(os.fsdecode(b"/code/\xff.jsonl"))) == r"/code/\xff.jsonl"


def test_long_names_are_shortened_and_stay_different():
    names = {storable_name(Path("/" + "ü/" * 2_000 + end)) for end in ("1.jsonl", "2.jsonl")}

    assert len(names) == 2
    assert all(len(name.encode()) <= LONGEST_STORED_PATH for name in names)
