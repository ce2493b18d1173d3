from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.transcripts.projects import canonical_folder, project_names, project_path


@pytest.fixture
def repository(tmp_path):
    """A main repository with a folder in it."""
    main = tmp_path / "main"
    (main / ".git" / "worktrees" / "x").mkdir(parents=True)
    (main / "src" / "deep").mkdir(parents=True)
    return main


def test_a_folder_counts_under_the_repository_around_it(repository):
    assert project_path(str(repository)) == str(repository)
    assert project_path(str(repository / "src" / "deep")) == str(repository)
    assert project_path(str(repository) + "/src/../") == str(repository)


def test_the_nearest_repository_wins(repository):
    inner = repository / "src" / "deep"
    (inner / ".git").mkdir()

    assert project_path(str(inner)) == str(inner)


def test_a_folder_without_a_repository_is_its_own_project(tmp_path):
    assert project_path(str(tmp_path)) == str(tmp_path)


@pytest.mark.parametrize("target", ["{main}/.git/worktrees/x", "../main/.git/worktrees/x"])
def test_a_worktree_counts_under_its_main_repository(repository, target):
    worktree = repository.parent / "worktree"
    (worktree / "src").mkdir(parents=True)
    (worktree / ".git").write_text(f"gitdir: {target.format(main=repository)}\n")

    assert project_path(str(worktree / "src")) == str(repository)


@pytest.mark.parametrize(("bare", "project"), [("repo.git", "repo.git"), ("repo/.bare", "repo")])
def test_a_worktree_of_a_bare_repository_counts_under_the_shared_folder(tmp_path, bare, project):
    worktree = tmp_path / "worktree"
    worktree.mkdir()
    (worktree / ".git").write_text(f"gitdir: {tmp_path / bare}/worktrees/x\n")

    assert project_path(str(worktree)) == str(tmp_path / project)


@pytest.mark.parametrize(
    "content", ["gitdir: ../main/.git/modules/sub\n", "", "gitdir:\n", "nonsense", "\udcff\0"]
)
def test_a_submodule_or_a_strange_git_file_is_a_repository_of_its_own(repository, content):
    folder = repository / "src"
    (folder / ".git").write_text(content, errors="surrogateescape")

    assert project_path(str(folder)) == str(folder)


@pytest.mark.parametrize(
    ("cwd", "project"),
    [
        ("/gone/cli/.worktrees/3", "/gone/cli"),
        ("/gone/cli/.worktrees/3/src", "/gone/cli"),
        ("/gone/cli/.claude/worktrees/x", "/gone/cli"),
        ("/gone/cli/.worktrees/3/.claude/worktrees/x", "/gone/cli"),
        ("/gone/cli/.worktrees", "/gone/cli/.worktrees"),
        ("/gone/cli/worktrees/3", "/gone/cli/worktrees/3"),
        ("/gone/cli", "/gone/cli"),
        ("/gone/cli/", "/gone/cli"),
        ("-experiments/worktrees", "-experiments/worktrees"),
        ("src/x", "src/x"),
        (r"D:\repo", r"D:\repo"),
        (r"D:\repo\.worktrees\3", r"D:\repo"),
        (r"D:\repo\.claude\worktrees\3\src", r"D:\repo"),
        (r"d:\repo\.worktrees\3", r"D:\repo"),
    ],
)
def test_a_folder_that_is_gone_is_judged_by_its_path(cwd, project):
    assert project_path(cwd) == project


@pytest.mark.parametrize(
    "spelling",
    [
        r"C:\code\orchard",
        r"c:\code\orchard",
        "C:/code/orchard",
        "C:\\code\\orchard\\",
        r"\\?\C:\code\orchard",
        r"c:\code\pears\..\orchard",
    ],
)
def test_a_folder_of_windows_is_one_project_however_it_is_spelled(spelling):
    assert project_path(spelling) == r"C:\code\orchard"


@pytest.mark.parametrize(
    ("spelling", "canonical"),
    [
        (r"\\?\UNC\server\share\x", r"\\server\share\x"),
        ("\\\\wsl.localhost\\Ubuntu\\home\\ida\\", r"\\wsl.localhost\Ubuntu\home\ida"),
        ("/mnt/c/code/orchard/", "/mnt/c/code/orchard"),
        ("/Users/ida/A\u0308pfel", "/Users/ida/\u00c4pfel"),
    ],
)
def test_a_folder_of_a_network_or_of_a_mac_has_one_spelling(spelling, canonical):
    assert canonical_folder(spelling) == canonical_folder(canonical) == canonical


@given(st.text(max_size=30))
def test_a_canonical_folder_is_its_own_spelling(path):
    assert canonical_folder(canonical_folder(path)) == canonical_folder(path)


def test_the_main_repository_of_a_worktree_that_is_gone_is_looked_up(repository):
    assert project_path(str(repository / "src" / ".worktrees" / "x")) == str(repository)


def test_a_relative_path_is_never_looked_up_here(repository, monkeypatch):
    monkeypatch.chdir(repository)

    assert project_path("src") == "src"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/code/cli", "cli"),
        ("/code/cli/", "cli"),
        (r"D:\repo", "repo"),
        (r"e:\Workspace\src\log", "log"),
        ("D:\\", "D:"),
        ("/", "/"),
        ("cli", "cli"),
    ],
)
def test_a_project_is_named_after_the_last_part_of_its_path(path, name):
    assert project_names([path]) == {path: name}


def test_projects_of_the_same_name_are_told_apart_by_the_shortest_ending():
    assert project_names(
        ["/a/src/cli", "/b/src/cli", "/a/home/cli", "/b/docs", "/src/cli", r"C:\x\docs"]
    ) == {
        "/a/src/cli": "a/src/cli",
        "/b/src/cli": "b/src/cli",
        "/a/home/cli": "home/cli",
        "/b/docs": "b/docs",
        "/src/cli": "src/cli",
        r"C:\x\docs": "x/docs",
    }


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), max_size=12))
def test_names_are_distinct_endings_of_the_paths(paths):
    names = project_names("/" + "/".join(parts) for parts in paths)

    assert len(set(names.values())) == len(names)
    assert all(path.endswith(name) for path, name in names.items())
