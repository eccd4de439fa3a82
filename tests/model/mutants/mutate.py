#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# mutate.py — writes a copy of shipped source with one piece of it replaced.
#
# usage: mutate.py --list SPEC
#        mutate.py NAME SPEC SOURCE... -- OUTPUT...   (as many as sources)
#
# The list has a line per mutant: its name, and the file that it changes.
#
# SPEC has a section per mutant: `file` (the end of a source's path), `old` and
# `new`. Comments and the amount of white space do not matter. `old` must occur
# exactly once, or this fails: a mutant that no longer applies is an error.

import configparser
import re
import sys


def read_spec(path):
    spec = configparser.ConfigParser(
        interpolation=None, delimiters=("=",), comment_prefixes=(";",))
    with open(path) as file:
        spec.read_file(file)
    return spec


def without_comments(text):
    return re.sub(r"//[^\n]*", "", text)


def pattern_of(old):
    """Any white space, or none, between the tokens of `old`."""
    tokens = re.findall(r"\w+|[^\w\s]", old)
    return r"\s*".join(re.escape(token) for token in tokens)


def replaced(text, name, mutant):
    pattern = pattern_of(mutant["old"])
    found = re.findall(pattern, text)
    if len(found) != 1:
        sys.exit(f"{name}: found {len(found)} times, not once: {mutant['old']}")
    return re.sub(pattern, lambda match: mutant["new"], text)


def main(arguments):
    if arguments[0] == "--list":
        for name, mutant in read_spec(arguments[1]).items():
            if name != "DEFAULT":
                print(name, mutant["file"])
        return
    name, spec_path, *paths = arguments
    mutant = read_spec(spec_path)[name]
    middle = paths.index("--")
    applied = 0
    for source, output in zip(paths[:middle], paths[middle + 1:]):
        with open(source) as file:
            text = without_comments(file.read())
        if source.endswith(mutant["file"]):
            text = replaced(text, name, mutant)
            applied += 1
        with open(output, "w") as file:
            file.write(text)
    if applied != 1:
        sys.exit(f"{name}: no source is {mutant['file']}")


main(sys.argv[1:])
