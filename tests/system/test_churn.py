#!/usr/bin/env python3
"""Sandboxes one after the other and side by side: what the host counts is the same afterwards. SBX_LONG=1 makes it a thousand
and a hundred."""
import os, re, subprocess, time
from concurrent.futures import ThreadPoolExecutor
from sbxtest import SandboxTest, descendants, main

LONG = os.environ.get('SBX_LONG') == '1'
CYCLES, BESIDE = (1000, 100) if LONG else (30, 6)
WARM_UP = 10
KERNEL_KIB = 24  # a cycle; groups that are gone are kept by the kernel for a while, and other work is seen too


def kernel_memory():
    """KiB that the kernel cannot take back."""
    with open('/proc/meminfo') as f:
        v = dict(re.findall(r'^(\w+):\s*(\d+)', f.read(), re.M))
    return sum(int(v[k]) for k in ('SUnreclaim', 'KernelStack', 'PageTables', 'Percpu', 'Shmem'))


class Churn(SandboxTest):
    def small(self):
        self.config('sh', '-c', 'echo hi >/tmp/f; cat /tmp/f')

    def cycle(self, i):
        """As an engine does it, and as a person does."""
        if i % 2:
            p = self.sbx('run', f'c{i}')
            self.assertEqual((p.returncode, p.stdout), (0, 'hi\n'), p.stderr)
            return
        name = f'c{i}'
        self.assert_ok(self.sbx('create', name))
        self.assert_ok(self.sbx('start', name))
        self.assert_ok(self.sbx('delete', '--force', name))

    def files(self):
        return sorted(os.listdir('/dev/shm')), sorted(os.listdir(self.work)), len(os.listdir(f'/proc/{os.getpid()}/fd'))

    def test_cycles(self):
        self.small()
        for i in range(WARM_UP):
            self.cycle(i)
        self.assert_nothing_left()
        files, kernel, began = self.files(), kernel_memory(), time.time()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self.cycle, range(CYCLES)))
        took = time.time() - began
        self.assert_nothing_left()
        self.assertEqual(self.files(), files)
        deadline = time.time() + 20  # what the kernel frees behind us
        while (more := kernel_memory() - kernel) > KERNEL_KIB * CYCLES and time.time() < deadline:
            time.sleep(0.5)
        print(f'{CYCLES} cycles in {took:.1f} s; kernel memory {kernel} KiB before, {more / CYCLES:+.2f} KiB a cycle', end=' ', flush=True)
        if LONG:  # over few cycles the rest of the machine is more
            self.assertLess(more / CYCLES, KERNEL_KIB)

    def test_beside(self):
        self.config('sleep', '1000')
        names = [f'b{i}' for i in range(BESIDE)]

        def up(name):
            self.assert_ok(self.sbx('run', '-d', name, timeout=120))

        def ask(name):
            p = self.sbx('exec', name, 'echo', name, timeout=120)
            self.assertEqual(p.stdout, name + '\n', p.stderr)

        began = time.time()
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(up, names))
            started = time.time()
            list(pool.map(ask, names))
            asked, count = time.time(), len(descendants())
            list(pool.map(lambda n: self.assert_ok(self.sbx('delete', '--force', n, timeout=120)), names))
        print(f'{BESIDE} beside each other: started in {started - began:.1f} s, asked in {asked - started:.1f}, removed in '
              f'{time.time() - asked:.1f}; {count} processes', end=' ', flush=True)
        self.assert_nothing_left()


if __name__ == '__main__':
    main()
