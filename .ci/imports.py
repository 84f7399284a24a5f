"""Fails if imports between the crate's files run in a circle, or from a lower room to a higher one."""

import re
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src"
# Each imports from itself and from those before it only.
ROOMS = (
    "error threads device record parameters probe quadrature allocation accumulation observer learner replay "
    "analysis report"
).split()
USE = re.compile(r"^([ \t]*)(pub(?:\([a-z ]+\))? )?use ([^;]+);", re.M)


def modules(root):
    """Returns the file of every module, by its path in the crate; those of tests are left out."""
    found = {}
    for path in root.rglob("*.rs"):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[0] != "bin" and "tests" not in parts:
            found[parts[:-1] if parts[-1] in ("mod", "lib", "main") else parts] = path
    return found


def code(path):
    """Returns a file without comments, unit tests and what limits who sees a name."""
    text = re.sub(r"#\[cfg\(test\)\]\s*mod \w+ \{.*", "", path.read_text(), flags=re.S)
    text = re.sub(r"\bpub\(in [^)]*\)", "pub", text)
    return "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("//"))


def leaves(tree, prefix=""):
    """Returns what `a::{b, c::{d, e as f}}` imports, as pairs of a path and a name."""
    head, brace, rest = tree.strip().partition("{")
    if not brace:
        path, _, name = head.partition(" as ")
        return [((prefix + path.strip()).split("::"), name.strip() or path.split("::")[-1].strip())]
    found, depth, part = [], 0, ""
    for character in rest[: rest.rindex("}")] + ",":
        if character == "," and depth == 0:
            found += leaves(part, prefix + head) if part.strip() else []
            part = ""
        else:
            depth += (character == "{") - (character == "}")
            part += character
    return found


class Crate:
    def __init__(self, root):
        self.files = modules(root)
        self.names = {module: {} for module in self.files}
        self.uses = {module: [] for module in self.files}
        for module, path in self.files.items():
            text = code(path)
            body = USE.sub("", text)
            for indent, exported, tree in USE.findall(text):
                for parts, name in leaves(tree):
                    if not indent:
                        self.names[module][name] = parts
                    # What is only passed on is no import.
                    if not exported or re.search(rf"\b{name}\b", body):
                        self.uses[module].append(parts)
            for written in re.findall(r"\b\w+(?:::\w+)+", body):
                self.uses[module].append(written.split("::"))

    def resolve(self, module, parts, depth=0):
        """Returns the module that a path is defined in; None if it is in another crate."""
        at, rest = module, list(parts)
        if rest[0] == "crate":
            at, rest = (), rest[1:]
        elif rest[0] in ("self", "super"):
            while rest and rest[0] in ("self", "super"):
                at, rest = at if rest[0] == "self" else at[:-1], rest[1:]
        elif at + (rest[0],) not in self.files:
            return None
        while rest:
            if at + (rest[0],) in self.files:
                at, rest = at + (rest[0],), rest[1:]
            elif rest[0] in self.names[at] and depth < 9:
                # It is defined where this name is taken from.
                return self.resolve(at, self.names[at][rest[0]] + rest[1:], depth + 1) or at
            else:
                break
        return at

    def imports(self):
        """Returns the modules that each module imports from."""
        found = {}
        for module, uses in self.uses.items():
            targets = {self.resolve(module, parts) for parts in uses}
            found[module] = targets - {None, module}
        return found


def circles(imports):
    """Returns the strongly connected components of more than one module (Tarjan)."""
    order, lowest, stack, found = {}, {}, [], []

    def visit(module):
        order[module] = lowest[module] = len(order)
        stack.append(module)
        for target in imports[module]:
            if target not in order:
                visit(target)
            if target in stack:
                lowest[module] = min(lowest[module], lowest[target])
        if lowest[module] == order[module]:
            start = stack.index(module)
            if len(stack) - start > 1:
                found.append(stack[start:])
            del stack[start:]

    for module in imports:
        if module not in order:
            visit(module)
    return found


def named(module):
    return "::".join(module) or "the crate's root"


def main():
    library = Crate(SOURCE).imports()
    faults = []
    for module, targets in library.items():
        # The root declares the rooms and passes their names on.
        for target in targets if module else []:
            if not target or ROOMS.index(target[0]) > ROOMS.index(module[0]):
                faults.append(f"{named(module)} imports {named(target)}, which is above it")
    files = 0
    for imports in library, Crate(SOURCE / "bin" / "burn-lca").imports():
        files += len(imports)
        for circle in circles(imports):
            faults.append("circle: " + ", ".join(sorted(map(named, circle))))
    print("\n".join(sorted(faults)) or f"{files} files, no circle")
    sys.exit(bool(faults))


main()
