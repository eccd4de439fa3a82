# SPDX-License-Identifier: MIT
#
# machine — where and when a measurement was made, in the words of Google
# Benchmark's "context".

import datetime
import glob
import os
import platform
import subprocess


def _read(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read().strip()
    except OSError:
        return ''


def _cpu(field):
    for line in _read('/proc/cpuinfo').splitlines():
        name, _, value = line.partition(':')
        if name.strip() == field:
            return value.strip()
    return ''


def _bytes(text):
    units = {'K': 1 << 10, 'M': 1 << 20}
    if text and text[-1] in units:
        return int(text[:-1]) * units[text[-1]]
    return int(text or 0)


def _caches():
    found = []
    for index in sorted(glob.glob('/sys/devices/system/cpu/cpu0/cache/index*')):
        shared = _read(f'{index}/shared_cpu_list')
        found.append({
            'type': _read(f'{index}/type'),
            'level': int(_read(f'{index}/level') or 0),
            'size': _bytes(_read(f'{index}/size')),
            'num_sharing': shared.count(',') + shared.count('-') + 1,
        })
    return found


def _is_scaled():
    governor = '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'
    return _read(governor) not in ('', 'performance')


def _system():
    for line in _read('/etc/os-release').splitlines():
        name, _, value = line.partition('=')
        if name == 'PRETTY_NAME':
            return value.strip('"')
    return platform.system()


def cpu_count():
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0))


def _revision():
    """Of the sources that were measured; '' where there is no history."""
    try:
        result = subprocess.run(
            ['git', '-C', os.path.dirname(os.path.abspath(__file__)),
             'describe', '--always', '--dirty'],
            capture_output=True, text=True, check=False)
    except OSError:
        return ''
    return result.stdout.strip() if result.returncode == 0 else ''


def context():
    return {
        'revision': _revision(),
        'date': datetime.datetime.now().astimezone().isoformat(
            timespec='seconds'),
        'host_name': platform.node(),
        'num_cpus': cpu_count(),
        'mhz_per_cpu': int(float(_cpu('cpu MHz') or 0)),
        'cpu_scaling_enabled': _is_scaled(),
        'caches': _caches(),
        'load_avg': list(os.getloadavg()),
        'library_build_type': 'release',
        'cpu_model': _cpu('model name') or platform.machine(),
        'architecture': platform.machine(),
        'system': _system(),
        'kernel': platform.release(),
    }
