"""Args of an op. What is missing or has another type is the request's fault and no verdict."""
from . import encoding


def octets(args: dict, name: str, size: int = None) -> bytes:
    """args.NAME in unpadded base64url; size: of that many bytes."""
    raw = encoding.unb64(args[name]) if isinstance(args.get(name), str) else None
    if raw is None or size not in (None, len(raw)):
        raise TypeError(f"args.{name}: no base64url of {size or 'any number of'} bytes")
    return raw


def listed(args: dict, name: str, size: int = None) -> list:
    """args.NAME, an array of what `octets` takes."""
    return [octets({name: one}, name, size) for one in args[name]]


def text(args: dict, name: str) -> str:
    if not isinstance(args[name], str):
        raise TypeError(f"args.{name}: no string")
    return args[name]


def number(args: dict, name: str) -> int:
    if type(args[name]) is not int or args[name] < 0:
        raise TypeError(f"args.{name}: no number")
    return args[name]


def value(args: dict, name: str):
    """The value of the AMS-CJ text in args.NAME."""
    return encoding.decode(octets(args, name))
