"""Where the single-fault proof says nothing, and why: listed by id in vectors/single_fault.json."""

GRAMMAR = "grammar is what the reader steps by: without it there is no value"


def reason(test: dict, left: str) -> str:
    """Why a vector does not become valid; left: the check or exception met instead."""
    if test["check"] == "json_syntax@text":
        return GRAMMAR
    if {"check_order", "stage_order"} & set(test["flags"]):
        return f"two faults on purpose, and then the second one's check refuses it: {left}"
    if "@" in left:
        return f"a second line of defence also refuses it: {left}"
    return "the code behind the check needs what it establishes"
