"""A folder of files is a registry of backends: each file holds `create(**options)`."""

import importlib
import importlib.util
import pkgutil
from typing import Any, Generic, TypeVar, cast

from coach.domain.errors import SetupError

T = TypeVar("T")


class Backends(Generic[T]):
    """The backends of one kind: the modules of one package, loaded by name."""

    def __init__(self, package: str, kind: str, extra: str | None = None) -> None:
        """Remember where the backends live; nothing is imported yet.

        Args:
            package: Dotted name of the folder, such as `perception.poses`.
            kind: What one of them is called in messages, such as `pose estimator`.
            extra: The extra that installs what they need; each one's own name when left out.
        """
        self.package = package
        self.kind = kind
        self.extra = extra

    def names(self) -> list[str]:
        """Return the names of the backends, sorted: the files of the folder."""
        spec = importlib.util.find_spec(self.package)
        if spec is None or spec.submodule_search_locations is None:
            raise ValueError(f"{self.package} is not a package")
        return sorted(m.name for m in pkgutil.iter_modules(spec.submodule_search_locations))

    def load(self, name: str, **options: Any) -> T:
        """Import one backend and return what its `create(**options)` makes.

        Raises:
            SetupError: No such backend, or it needs a package that is not installed.
        """
        if name not in self.names():
            raise SetupError(f"no {self.kind} '{name}'; choose from {', '.join(self.names())}")
        try:
            module = importlib.import_module(f"{self.package}.{name}")
        except ModuleNotFoundError as problem:
            raise SetupError(
                f"{self.kind} '{name}' needs the package '{problem.name}': pip install 'liftcoach[{self.extra or name}]'"
            ) from problem
        return cast(T, module.create(**options))
