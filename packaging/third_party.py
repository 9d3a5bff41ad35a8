"""Prints the licences of the crates and other works that the program contains, and their texts.

Most licences ask that their text accompanies binaries. Usage: third_party.py [CARGO-OPTION…]
"""

import json
import pathlib
import subprocess
import sys

NAMES = ("license", "licence", "copying", "notice", "unlicense")


def metadata(options):
    """Metadata of the packages for this system."""
    host = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    host = next(line.split()[1] for line in host.splitlines() if line.startswith("host:"))
    known = []
    if "--features" in options:
        known = options[options.index("--features"):][:2]
    if "--target" in options:
        host = options[options.index("--target") + 1]
    command = ["cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={host}"]
    return json.loads(subprocess.run(command + known, check=True, capture_output=True).stdout)


def linked(data):
    """Packages that are part of the program, without those of build scripts and tests."""
    nodes = {node["id"]: node for node in data["resolve"]["nodes"]}
    left, found = [data["resolve"]["root"]], set()
    while left:
        node = left.pop()
        if node in found:
            continue
        found.add(node)
        for dependency in nodes[node]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                left.append(dependency["pkg"])
    found.discard(data["resolve"]["root"])
    packages = (package for package in data["packages"] if package["id"] in found)
    return sorted(packages, key=lambda package: (package["name"], package["version"]))


def texts(package):
    """Texts of licences in the folder of a package, and one level below."""
    folder = pathlib.Path(package["manifest_path"]).parent
    # C libraries are in a folder of their crate, such as libopus in opusic-sys.
    near = sorted(folder.iterdir()) + sorted(folder.glob("*/*"))
    files = [path for path in near if path.name.lower().startswith(NAMES) and path.suffix != ".rs"]
    if package["license_file"]:
        files.append(folder / package["license_file"])
    for path in files:
        if path.is_file():
            yield path.read_text(encoding="utf-8", errors="replace").strip()


def main():
    packages = linked(metadata(sys.argv[1:]))
    users = {}
    print("Partita contains these crates, under these licences; the texts follow.\n")
    for package in packages:
        name = f"{package['name']} {package['version']}"
        print(f"{name}: {package['license'] or 'see its text'}")
        for text in texts(package):
            users.setdefault(text, set()).add(name)
    font = pathlib.Path("assets/fonts/OFL.txt").read_text(encoding="utf-8").strip()
    users.setdefault(font, set()).add("the font Inter")
    for licence in sorted(pathlib.Path("assets/web/vendor").glob("*/LICENSE")):
        text = licence.read_text(encoding="utf-8").strip()
        users.setdefault(text, set()).add(f"{licence.parent.name}, of the web page")
    for text, names in sorted(users.items(), key=lambda entry: sorted(entry[1])):
        print("\n" + "=" * 80 + "\n" + ", ".join(sorted(names)) + "\n" + "-" * 80 + "\n" + text)


main()
