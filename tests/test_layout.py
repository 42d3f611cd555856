"""The rules that keep six packages with everyday names safe and easy to find one's way in."""

import ast
import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("coach", "perception", "corpus", "finetune", "serving", "eval")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
FOLDERS = sorted({path.parent for path in MODULES})
HEAVY = (
    *("numpy", "scipy", "cv2", "av", "mujoco", "matplotlib", "pyarrow", "torch", "ai_edge_litert", "jinja2"),
    *("sqlalchemy", "alembic", "gradio", "openai", "transformers"),
)
NAMED_AFTER_THEIR_LIBRARY = {
    Path("serving/clients/openai.py"),  # a client is called after the protocol it speaks
    Path("perception/poses/mmpose.py"),  # an estimator after what it runs, which never runs in the same process
}
MAX_LINES = 500


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(path: Path) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in ast.walk(_tree(path)) if isinstance(node, ast.Import | ast.ImportFrom)]


def test_the_distribution_lists_exactly_the_six_packages_and_stays_private() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == list(PACKAGES)
    assert "Private :: Do Not Upload" in project["project"]["classifiers"]
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} == set(PACKAGES)


@pytest.mark.parametrize("folder", FOLDERS, ids=_short)
def test_every_folder_is_a_package_whose_init_holds_a_docstring_alone(folder: Path) -> None:
    body = _tree(folder / "__init__.py").body

    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)
    assert isinstance(body[0].value, ast.Constant)


def test_no_package_hides_ours_under_tests() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_no_module_is_called_like_the_standard_library_or_a_dependency() -> None:
    installed = set(importlib.metadata.packages_distributions()) - set(PACKAGES)
    taken = sys.stdlib_module_names | {name.lower() for name in installed}
    stems = {p.stem for p in MODULES if p.relative_to(ROOT) not in NAMED_AFTER_THEIR_LIBRARY} - {"__init__"}

    assert (stems | set(PACKAGES)) & taken == set()
    assert list(ROOT.glob("*.py")) == []


@pytest.mark.parametrize("path", MODULES, ids=_short)
def test_imports_are_absolute_and_take_names_from_our_packages(path: Path) -> None:
    for node in _imports(path):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
        else:
            ours = [alias.name for alias in node.names if alias.name.split(".")[0] in PACKAGES]
            assert not ours, f"line {node.lineno}: write `from {ours[0]} import …`"


@pytest.mark.parametrize("path", sorted((ROOT / "coach" / "domain").glob("*.py")), ids=_short)
def test_the_floor_imports_the_standard_library_and_pydantic_alone(path: Path) -> None:
    allowed = sys.stdlib_module_names | {"pydantic"}
    for node in _imports(path):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        for name in names:
            assert name.startswith("coach.domain") or name.split(".")[0] in allowed, f"line {node.lineno}: {name}"


@pytest.mark.parametrize("path", MODULES, ids=_short)
def test_every_module_says_what_lives_in_it_and_is_not_too_long(path: Path) -> None:
    assert ast.get_docstring(_tree(path))
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def test_the_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['coach', '--help']\n"
        "from coach.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print('heavy:', *[name for name in {HEAVY} if name in sys.modules])"
    )

    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "analyze" in ended.stdout
    assert ended.stdout.splitlines()[-1] == "heavy:"


def _listed_in_readme() -> set[Path]:
    """Return the files and folders of the README's tree; four spaces of indentation are one level."""
    house = (ROOT / "README.md").read_text(encoding="utf-8").split("## The house")[1].split("```")[1]
    listed: set[Path] = set()
    trail: list[str] = []
    for line in house.strip().splitlines()[1:]:
        names = [name.rstrip("/") for name in line.strip().split("  ")[0].split(", ")]
        depth = (len(line) - len(line.lstrip())) // 4
        trail = [*trail[:depth], names[0]]
        listed |= {Path(*trail[:depth], name) for name in names}
    return listed - {Path()}


def test_the_tree_of_the_readme_names_nothing_that_is_gone() -> None:
    assert sorted(str(path) for path in _listed_in_readme() if not (ROOT / path).exists()) == []


def test_the_tree_of_the_readme_names_every_module_and_data_file() -> None:
    wanted = {path.relative_to(ROOT) for path in MODULES if path.name != "__init__.py"}
    wanted |= {path.relative_to(ROOT) for path in FOLDERS}
    wanted |= {path.relative_to(ROOT) for path in (ROOT / "corpus" / "knowledge").glob("*.[cy][sa]*")}
    wanted |= {
        Path("tests"),
        Path("benchmarks"),
        Path("docs"),
        Path("Makefile"),
        Path("pyproject.toml"),
        Path(".ci/run"),
    }

    assert sorted(str(path) for path in wanted - _listed_in_readme()) == []
