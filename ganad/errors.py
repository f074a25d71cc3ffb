"""The one kind of error that is meant to be read by a user: what was wrong, what was seen, what to do."""


class GanadError(Exception):
    """Something the user can mend. Its text is shown as it is, without a traceback."""


class ConfigError(GanadError):
    """A setting out of its range, or settings that do not fit together."""


class DataError(GanadError):
    """Images or labels that cannot be used: the text names the file, what was found and what was expected."""


class RunError(GanadError):
    """A run that does not exist, is not finished, or cannot do what was asked of it."""


class Stopped(Exception):
    """Somebody asked the work to stop. Not an error: it is caught where the work was started."""
