"""A digest of the source files that a module's results depend on: the module itself and all that it imports of this
project, directly or not, inside functions too.

Imports are read from the source text and nothing is executed. Names of modules that are built at run time are not seen.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "models")


def code_digest(module: str, root: Path = ROOT) -> str:
    """SHA-256 over the paths and the contents of `import_closure`."""
    digest = hashlib.sha256()
    for path in import_closure(module, root):
        digest.update(f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def import_closure(module: str, root: Path = ROOT) -> list[Path]:
    """The source files of `module` and of every module of `PACKAGES` below `root` that an import of it may execute,
    the packages around them included. Raises FileNotFoundError where `module` has no source file."""
    if _source(module, root) is None:
        raise FileNotFoundError(f"no module {module} below {root}")
    found: dict[str, Path] = {}
    pending, seen = [module], set[str]()
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        if (path := _source(name, root)) is not None:
            found[name] = path
            pending.extend(_with_packages(name))
            pending.extend(
                wider for imported in _imports(path, path.read_bytes()) for wider in _with_packages(imported)
            )
    return sorted(found.values())


@cache
def _imports(path: Path, content: bytes) -> tuple[str, ...]:
    """Everything that a file of that content imports from `PACKAGES`. Whether `b` in `from a import b` is a module does
    not matter here: names without a source file are passed over."""
    found: list[str] = []
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{path}: imports must be absolute")
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        found += [name for name in names if name.split(".")[0] in PACKAGES]
    return tuple(found)


def _with_packages(name: str) -> Iterator[str]:
    """`a.b.c`, `a.b` and `a`: to import the first executes the packages around it."""
    parts = name.split(".")
    return (".".join(parts[:length]) for length in range(len(parts), 0, -1))


def _source(name: str, root: Path) -> Path | None:
    bare = root.joinpath(*name.split("."))
    return next((path for path in (bare.with_suffix(".py"), bare / "__init__.py") if path.is_file()), None)
