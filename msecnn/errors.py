"""What can be wrong with what a person gave us, told in one readable sentence."""


class MsecnnError(Exception):
    """Base of the domain errors; its message is one sentence that page and command line show as it is."""


class DatasetError(MsecnnError):
    """Something is wrong with a data set or its files."""


class MissingPackage(MsecnnError):
    """A package that not every installation has is needed.

    Args:
        error: that its import raised.
        extra: of pyproject.toml, which brings the package along.
    """

    def __init__(self, error: ModuleNotFoundError, *, extra: str) -> None:
        super().__init__(
            f"This needs {error.name}, which is not installed: pip install '.[{extra}]' in a copy of the repository."
        )
