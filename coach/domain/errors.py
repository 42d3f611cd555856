"""The error tree. A message says what happened, with which value, and what to do."""


class CoachError(Exception):
    """Anything a user can act on; caught once, in the command line and in the app."""


class InputError(CoachError):
    """This file or value cannot be used."""


class SetupError(CoachError):
    """This machine or command line lacks something; the message names what to install or choose."""


class ServiceError(CoachError):
    """A server gave nothing usable."""


class DataError(CoachError):
    """A bad record in a data file; the message names file and place."""
