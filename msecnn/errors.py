"""What can be wrong with what a person gave us, told in one readable sentence."""


class MsecnnError(Exception):
    """Base of the domain errors; its message is one sentence that page and command line show as it is."""


class DatasetError(MsecnnError):
    """Something is wrong with a data set or its files."""
