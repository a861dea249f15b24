#!/usr/bin/python3
"""Writes the C++ file that holds the case files and registries (judge/data.h).

usage: embed.py OUT FILE...    errors.json, requirements.json, mutants.json; the rest are cases
"""
import pathlib
import sys

PIECE = 8000  # characters of one literal; compilers limit them
REGISTRIES = ("errors.json", "requirements.json", "mutants.json")


def literal(text: str) -> str:
    pieces = [text[at:at + PIECE] for at in range(0, len(text), PIECE)]
    return "\n".join(f'R"ams({piece})ams"' for piece in pieces)


def main() -> None:
    out = pathlib.Path(sys.argv[1])
    files = [pathlib.Path(name) for name in sys.argv[2:]]
    lines = ['#include "judge/data.h"', "namespace ams::conform {"]
    cases = sorted(path for path in files if path.name not in REGISTRIES)
    lines.append("const std::vector<CaseText>& case_texts() {")
    lines.append("  static const std::vector<CaseText> all{")
    for path in cases:
        lines.append(f'{{"{path.name}", {literal(path.read_text("utf-8"))}}},')
    lines.append("  };\n  return all;\n}")
    for path in files:
        if path.name in REGISTRIES:
            text = literal(path.read_text("utf-8"))
            lines.append(f"std::string_view {path.stem}_json() {{ return {text}; }}")
    lines.append("}  // namespace ams::conform")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
