"""Finds the packages: each folder with an `__init__.py` is one below `natya`, and this folder is `natya` itself."""

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py


class Modules(build_py):
    """Installs every module but this one."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """Leave `setup` out of the modules of `natya`."""
        return [found for found in super().find_package_modules(package, package_dir) if found[1] != "setup"]


setup(packages=["natya", *(f"natya.{name}" for name in find_packages())], cmdclass={"build_py": Modules})
