# SPDX-License-Identifier: MIT
#
# madeup — results of benchmarks that nobody measured, and the way to bench/.

import sys

from tap import source_root

ROOT = source_root()
sys.path.append(str(ROOT / 'bench'))

from samples import Results  # from bench/, which is on the path now

STEADY = [100e6, 101e6, 99e6, 100.5e6, 99.5e6, 100.2e6, 99.8e6]
NOISY = [60e6, 150e6, 95e6, 100e6, 110e6, 82e6, 131e6]
ABOUT = {'date': '2026-01-01T00:00:00+00:00', 'cpu_model': 'a CPU',
         'num_cpus': 2, 'system': 'a system', 'kernel': '6.1',
         'load_avg': [0, 0, 0], 'quick': False, 'repetitions': 7, 'seed': 1,
         'only': '', 'workers': [1, 2]}
TENON = ('fib', 'tenon', 1)
SERIAL = ('fib', 'serial', 1)


def line(value, **others):
    """What a program prints."""
    return {'median': value, 'cpu_ns': value, 'unit': 'ns', 'operations': 1000,
            'repetitions': 1, 'size': '42', 'version': '1', 'compiler': 'cc',
            'min': value, 'max': value, **others}


def results(values_by_key, **others):
    return Results({key: [line(value, **others) for value in values]
                    for key, values in values_by_key.items()})


def scaled(values, factor):
    return [factor * value for value in values]
