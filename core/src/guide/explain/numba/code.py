"""LLVM's code after all passes: its loops, and what each does on which line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_LABEL = re.compile(r'^(?:"([^"]+)"|([\w.$-]+)):')
_TO = re.compile(r'label %(?:"([^"]+)"|([\w.$-]+))')
_DBG = re.compile(r"!dbg !(\d+)")
_LOCATION = re.compile(
    r"^!(\d+) = (?:distinct )?!DILocation\(line: (\d+), (?:column: \d+, )?(.*)\)"
)
_SCOPE = re.compile(r"scope: !(\d+)")
_INLINED = re.compile(r"inlinedAt: !(\d+)")
_FILE = re.compile(r'^!(\d+) = !DIFile\(filename: "((?:[^"\\]|\\.)*)"')
_OWN_FILE = re.compile(r"^!(\d+) = distinct !DISubprogram\(.*?\bfile: !(\d+)")
_CALL = re.compile(r'\bcall\b[^@%]*@(?:"([^"]+)"|([\w.$]+))\(')
_VECTOR = re.compile(r"<(\d+) x (double|float|half|i\d+)>")


@dataclass(slots=True)
class Instruction:
    """One line of LLVM's code; `lines` are those of the source, the innermost first."""

    text: str
    lines: tuple[tuple[str, int], ...]

    @property
    def called(self) -> str:
        """The name of what it calls; "" if it calls nothing that has a name."""
        match = _CALL.search(self.text)
        return (match[1] or match[2]) if match else ""


@dataclass(slots=True)
class CodeLoop:
    """A loop of LLVM's: the instructions of its blocks. `inner` says that no loop is in it."""

    instructions: list[Instruction] = field(default_factory=list)
    inner: bool = True

    def lines(self, file: str) -> set[int]:
        """The lines of a file that it comes from."""
        return {
            line for one in self.instructions for name, line in one.lines if name == file and line
        }

    def calls(self, file: str) -> list[tuple[int, str]]:
        """Line and name of all that it calls, but for the markers of LLVM's own."""
        return [
            (next((line for name, line in one.lines if name == file), 0), one.called)
            for one in self.instructions
            if one.called
        ]

    @property
    def lanes(self) -> dict[str, int]:
        """The most elements side by side, by type: {"double": 8}."""
        found: dict[str, int] = {}
        for one in self.instructions:
            for count, kind in _VECTOR.findall(one.text):
                found[kind] = max(found.get(kind, 0), int(count))
        return found


def read_loops(ir: str) -> list[CodeLoop]:
    """All natural loops in a module of LLVM's."""
    where = _locations(ir)
    loops = []
    for body in re.findall(r"^define .*?\{\n(.*?)^\}", ir, re.MULTILINE | re.DOTALL):
        loops += _loops(_blocks(body, where))
    return loops


def _locations(ir: str) -> dict[str, tuple[tuple[str, int], ...]]:
    files: dict[str, str] = {}
    owners: dict[str, str] = {}
    parents: dict[str, str] = {}
    places: dict[str, tuple[int, str, str]] = {}
    for text in ir.splitlines():
        if not text.startswith("!"):
            continue
        if match := _FILE.match(text):
            files[match[1]] = match[2].replace("\\5C", "\\").replace('\\"', '"')
        elif match := _OWN_FILE.match(text):
            owners[match[1]] = match[2]
        elif match := _LOCATION.match(text):
            scope, inlined = _SCOPE.search(match[3]), _INLINED.search(match[3])
            at = inlined[1] if inlined else ""
            places[match[1]] = int(match[2]), scope[1] if scope else "", at
        elif "!DILexicalBlock" in text and (scope := _SCOPE.search(text)):
            parents[text[1 : text.index(" ")]] = scope[1]

    def file_of(scope: str) -> str:
        while scope in parents:
            scope = parents[scope]
        return files.get(owners.get(scope, ""), "")

    def chain(number: str) -> tuple[tuple[str, int], ...]:
        found: list[tuple[str, int]] = []
        while number in places and len(found) < 30:
            line, scope, number = places[number]
            found.append((file_of(scope), line))
        return tuple(found)

    return {number: chain(number) for number in places}


@dataclass(slots=True)
class _Block:
    to: list[str] = field(default_factory=list)
    instructions: list[Instruction] = field(default_factory=list)


def _blocks(body: str, where: dict[str, tuple[tuple[str, int], ...]]) -> dict[str, _Block]:
    blocks = {"": _Block()}
    block = blocks[""]
    for text in body.splitlines():
        if match := _LABEL.match(text):
            name = match[1] or match[2]
            if not block.to and not block.instructions:  # the entry block has its own name
                blocks.pop("", None)
            block = blocks.setdefault(name, _Block())
        elif text.strip():
            dbg = _DBG.search(text)
            lines = where.get(dbg[1], ()) if dbg else ()
            block.instructions.append(Instruction(text.strip(), lines))
            block.to += [one or other for one, other in _TO.findall(text)]
    return blocks


def _loops(blocks: dict[str, _Block]) -> list[CodeLoop]:
    before: dict[str, list[str]] = {name: [] for name in blocks}
    for name, block in blocks.items():
        for to in block.to:
            before.setdefault(to, []).append(name)
    heads: dict[str, set[str]] = {}
    for tail, head in _back_edges(blocks):
        members, ahead = heads.setdefault(head, {head}), [tail]
        while ahead:
            name = ahead.pop()
            if name not in members:
                members.add(name)
                ahead += before.get(name, [])
    found = []
    for head, members in heads.items():
        inner = not any(other in members for other in heads if other != head)
        loop = CodeLoop([], inner)
        for name in blocks:  # in their order
            if name in members:
                loop.instructions += blocks[name].instructions
        found.append(loop)
    return found


def _back_edges(blocks: dict[str, _Block]) -> list[tuple[str, str]]:
    """Edges to a block that is still open in a walk in depth: for LLVM's code, loops' ends."""
    found, state = [], dict.fromkeys(blocks, 0)
    start = next(iter(blocks), None)
    if start is None:
        return []
    stack = [(start, iter(blocks[start].to))]
    state[start] = 1
    while stack:
        name, ahead = stack[-1]
        to = next(ahead, None)
        if to is None:
            state[name] = 2
            stack.pop()
        elif state.get(to) == 1:
            found.append((name, to))
        elif state.get(to) == 0:
            state[to] = 1
            stack.append((to, iter(blocks[to].to)))
    return found
