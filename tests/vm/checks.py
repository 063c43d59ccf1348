#!/usr/bin/env python3
"""Control groups of version 2, on a host that has them alone: limits that hold and that the files of the group say, pause, events,
update, where groups are made and that none stays. What can be asked of runc as well is asked of it with the same bundle."""
import json, os, subprocess, sys, time, unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'system'))
from sbxtest import LAUNCH, SandboxTest, cgroups, comm, descendants  # noqa: E402

MOUNT = '/sys/fs/cgroup'
GROUP = '/sbx-vm/one'
MIB = 1 << 20
DISK = '/var/tmp'  # on a device with a queue, unlike what is in memory
SPIN = 'while :; do :; done'
FORKS = 'while :; do true | true; (true); done'
# the shell is fork-heavy; this one touches memory in a child, so that the first process lives on
EAT = 'x = bytearray(200 << 20)'


def read(path):
    with open(os.path.join(MOUNT, path.lstrip('/'))) as f:
        return f.read().strip()


def table(path):
    return {k: int(v) for k, v in (line.split() for line in read(path).splitlines())}


def device(path):
    """The disk that a file is on, as io.max names it."""
    dev = os.stat(path).st_dev
    return f'{os.major(dev)}:{os.minor(dev)}'


class Cgroup2(SandboxTest):
    def runtime(self, name, *args, timeout=60):
        """(status, stdout, stderr) of sbx-launch or runc."""
        program = [LAUNCH, '--root', self.root] if name == 'sbx' else ['runc', '--root', os.path.join(self.work, 'runc')]
        with open(os.path.join(self.work, 'out'), 'w+') as out, open(os.path.join(self.work, 'err'), 'w+') as err:
            p = subprocess.run([*program, *args], stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=self.bundle, timeout=timeout)
            out.seek(0)
            err.seek(0)
            return p.returncode, out.read(), err.read()

    def bundle_of(self, *args, group=GROUP, inner=True, **resources):
        c = self.config(*args, linux__cgroupsPath=group, linux__resources=resources)
        if inner:
            c['linux']['namespaces'].append({'type': 'cgroup'})
            c['mounts'].append({'destination': MOUNT, 'type': 'cgroup', 'source': 'cgroup',
                                'options': ['ro', 'nosuid', 'noexec', 'nodev']})
        self.write_config(json.dumps(c))

    def up(self, *args, flags=(), runtime='sbx', **resources):
        self.bundle_of(*args, **resources)
        status, _, err = self.runtime(runtime, *flags, 'run', '-d', '--pid-file', 'pid', 'one')
        self.assertEqual(status, 0, err)

    def down(self, runtime='sbx'):
        status, _, err = self.runtime(runtime, 'delete', '-f', 'one')
        self.assertEqual(status, 0, err)
        self.gone(runtime)

    def gone(self, runtime='sbx', grace=5):
        """No group stays; runc leaves the one above, which it made."""
        deadline = time.time() + grace
        if runtime == 'runc' and os.path.isdir(MOUNT + '/sbx-vm'):
            os.rmdir(MOUNT + '/sbx-vm')
        while os.path.exists(MOUNT + '/sbx-vm') and time.time() < deadline:
            time.sleep(0.05)
        left = [d for d, _, _ in os.walk(MOUNT + '/sbx-vm')]
        for d in reversed(left):
            try:
                os.rmdir(d)  # for the tests to come
            except OSError:
                pass
        self.assertEqual(left, [])

    def inside(self, text):
        p = self.sbx('exec', 'one', 'sh', '-c', text)
        self.assert_ok(p)
        return p.stdout.strip()

    def test_the_host_has_version_2_alone(self):
        with open('/proc/self/mounts') as f:
            kinds = [line.split()[2] for line in f if line.split()[2].startswith('cgroup')]
        self.assertEqual(kinds, ['cgroup2'])
        self.assertLessEqual({'cpu', 'cpuset', 'io', 'memory', 'pids'}, set(read('cgroup.controllers').split()))

    def test_do_and_run(self):
        p = subprocess.run([LAUNCH, 'do', '/bin/true'], stdin=subprocess.DEVNULL, timeout=60)
        self.assertEqual(p.returncode, 0)
        self.bundle_of('sh', '-c', 'cat /proc/self/cgroup; exit 7')
        for name in ('sbx', 'runc'):
            self.assertEqual(self.runtime(name, 'run', 'one')[:2], (7, '0::/\n'), name)
            self.gone(name)

    def test_many_starts(self):
        """Where the kernel put the vdso once made one start in fifteen fail."""
        bad = [i for i in range(40) if subprocess.run([LAUNCH, 'do', '/bin/true'], stdin=subprocess.DEVNULL, timeout=60).returncode]
        self.assertEqual(bad, [])

    def test_files_of_the_group(self):
        """Each limit, where the host's group has it and inside: as runc writes it, but for the pids of the services."""
        self.maxDiff = None
        dev = device(DISK).split(':')
        rate = lambda n: [{'major': int(dev[0]), 'minor': int(dev[1]), 'rate': n}]
        limits = {'memory': {'limit': 128 * MIB, 'swap': 192 * MIB, 'reservation': 64 * MIB},
                  'cpu': {'shares': 512, 'quota': 50000, 'period': 100000, 'cpus': '1', 'mems': '0'}, 'pids': {'limit': 50},
                  'blockIO': {'throttleWriteBpsDevice': rate(MIB), 'throttleReadIOPSDevice': rate(500)}}
        files = ('memory.max', 'memory.swap.max', 'memory.low', 'cpu.weight', 'cpu.max', 'cpuset.cpus', 'cpuset.mems',
                 'cpuset.cpus.effective', 'io.max')
        inner = ('memory.max', 'memory.swap.max', 'cpu.weight', 'cpu.max', 'cpuset.cpus.effective', 'pids.max')
        seen = {}
        for name in ('runc', 'sbx'):
            self.up('sleep', '100', runtime=name, **limits)
            seen[name] = {f: read(f'{GROUP}/{f}') for f in files}
            p = self.runtime(name, 'exec', 'one', 'sh', '-c', 'cd /sys/fs/cgroup; cat ' + ' '.join(inner) + '; nproc')
            seen[name]['inside'] = p[1].splitlines()
            seen[name + ' pids'] = read(GROUP + '/pids.max')
            self.down(name)
        self.assertEqual(seen['sbx'], seen['runc'])
        self.assertEqual((seen['runc pids'], seen['sbx pids']), ('50', '164'))
        self.assertEqual(seen['sbx']['inside'][:4], [str(128 * MIB), str(64 * MIB), '20', '50000 100000'])
        self.assertEqual(seen['sbx']['inside'][-1], '1')

    def test_unified(self):
        seen = {}
        for name in ('runc', 'sbx'):
            self.up('sleep', '100', runtime=name, unified={'memory.high': str(80 * MIB), 'cpu.weight': '33'})
            seen[name] = read(GROUP + '/memory.high'), read(GROUP + '/cpu.weight')
            self.down(name)
        self.assertEqual(seen, {'runc': (str(80 * MIB), '33'), 'sbx': (str(80 * MIB), '33')})

    def test_a_limit_that_the_host_refuses(self):
        self.bundle_of('true', unified={'no.such.file': '1'})
        status, _, err = self.runtime('sbx', 'run', 'one')
        self.assertEqual(status, 1)
        self.assertIn('no.such.file', err)
        self.gone()

    def test_memory_of_the_first_process(self):
        for name in ('runc', 'sbx'):
            self.bundle_of('python3', '-c', EAT, memory={'limit': 64 * MIB, 'swap': 64 * MIB})
            self.assertEqual(self.runtime(name, 'run', 'one')[0], 137, name)
            self.gone(name)

    def test_memory_of_another(self):
        """One process of the container dies, the container lives, and the group counts it, as an engine reads it."""
        for name in ('runc', 'sbx'):
            self.up('sleep', '100', runtime=name, memory={'limit': 64 * MIB, 'swap': 64 * MIB})
            before = table(GROUP + '/memory.events')['oom_kill']
            events = open(os.path.join(self.work, 'events'), 'w+')
            program = [LAUNCH, '--root', self.root] if name == 'sbx' else ['runc', '--root', os.path.join(self.work, 'runc')]
            watch = subprocess.Popen([*program, 'events', '--interval', '300ms', 'one'], stdout=events, stderr=events,
                                     stdin=subprocess.DEVNULL, cwd=self.bundle)
            time.sleep(2)
            self.assertEqual(self.runtime(name, 'exec', 'one', 'python3', '-c', EAT)[0], 137, name)
            self.assertEqual(table(GROUP + '/memory.events')['oom_kill'], before + 1, name)
            self.assertEqual(self.runtime(name, 'exec', 'one', 'echo', 'alive')[1], 'alive\n')
            # the supervisor is where the engine looks for the group
            with open(os.path.join(self.bundle, 'pid')) as f, open(f'/proc/{f.read().strip()}/cgroup') as g:
                self.assertEqual(g.read().strip(), '0::' + GROUP)
            time.sleep(2)
            self.down(name)
            watch.wait(20)
            events.seek(0)
            types = [json.loads(line)['type'] for line in events if line.startswith('{')]
            events.close()
            self.assertIn('oom', types, name)
            self.assertIn('stats', types, name)

    def test_memory_of_files(self):
        """Pages of a tmpfs count, and it is not a service that goes for them."""
        self.up('sleep', '100', memory={'limit': 64 * MIB, 'swap': 64 * MIB})
        p = self.sbx('exec', 'one', 'sh', '-c', 'dd if=/dev/zero of=/tmp/x bs=1M count=200 2>&1; ls -s /tmp/x')
        self.assertNotEqual((p.returncode, '204800' in p.stdout), (0, True), 'it holds more than the limit')
        self.assertLessEqual(int(read(GROUP + '/memory.current')) if os.path.exists(MOUNT + GROUP) else 0, 64 * MIB)
        self.down()

    def spin(self, runtime, **resources):
        """The share of one CPU that two loops get."""
        self.up('sh', '-c', f'({SPIN}) & {SPIN}', runtime=runtime, **resources)
        time.sleep(1)
        used, t = table(GROUP + '/cpu.stat')['usage_usec'], time.time()
        time.sleep(4)
        share = (table(GROUP + '/cpu.stat')['usage_usec'] - used) / 1e6 / (time.time() - t)
        throttled = table(GROUP + '/cpu.stat')['nr_throttled']
        self.down(runtime)
        return share, throttled

    def test_cpu_quota(self):
        for name in ('runc', 'sbx'):
            share, throttled = self.spin(name, cpu={'quota': 30000, 'period': 100000})
            print(f'{name} {share:.2f} of 0.30', end=' ', flush=True)
            self.assertTrue(0.2 < share < 0.4, f'{name}: {share}')
            self.assertGreater(throttled, 5)

    def test_cpuset(self):
        share, _ = self.spin('sbx', cpu={'cpus': '1'})
        print(f'{share:.2f} of 1', end=' ', flush=True)
        self.assertTrue(0.6 < share < 1.1, share)

    def test_pids(self):
        # a first process that takes in the orphans: those that have ended count until then
        self.up('sh', '-c', 'while :; do sleep 0.3; done', pids={'limit': 12})
        p = self.sbx('exec', 'one', 'sh', '-c', 'for i in $(seq 30); do sleep 3 & done; wait')
        self.assertIn('Cannot fork', p.stderr)
        time.sleep(4)
        self.assertGreater(int(self.inside('cat /sys/fs/cgroup/pids.events').split()[1]), 0)
        self.assertLess(int(read(GROUP + '/pids.current')), int(read(GROUP + '/pids.max')))
        self.down()

    def test_io(self):
        """A megabyte a second: what goes to the disk and what comes from it takes its time, with runc and with sbx."""
        dev = device(DISK).split(':')
        rate = [{'major': int(dev[0]), 'minor': int(dev[1]), 'rate': MIB}]
        place = os.path.join(DISK, 'io')
        os.makedirs(place, exist_ok=True)
        took, n = {}, 0
        for name in ('runc', 'sbx'):
            for limits in ({}, {'blockIO': {'throttleWriteBpsDevice': rate, 'throttleReadBpsDevice': rate}}):
                n += 1
                self.bundle_of('sh', '-c', f'dd if=/dev/zero of=/tmp/{n} bs=1M count=4 conv=fsync 2>&1; cat /tmp/read >/dev/null', **limits)
                with open(os.path.join(self.bundle, 'config.json')) as f:
                    c = json.load(f)
                c['mounts'] = [m for m in c['mounts'] if m['destination'] != '/tmp']
                c['mounts'].append({'destination': '/tmp', 'type': 'bind', 'source': place, 'options': ['rbind', 'rw']})
                self.write_config(json.dumps(c))
                with open(place + '/read', 'wb') as f:
                    f.write(bytes(3 * MIB))
                os.sync()
                # not the programs and libraries, which are read at their own pace
                fd = os.open(place + '/read', os.O_RDONLY)
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(fd)
                t = time.time()
                status, out, err = self.runtime(name, 'run', 'one')
                self.assertEqual(status, 0, err)
                took[name, bool(limits)] = time.time() - t, float(out.split(',')[-2].split()[0])
                self.gone(name)
        print({f'{n} {"limited" if l else "free"}': [round(x, 1) for x in t] for (n, l), t in took.items()}, end=' ', flush=True)
        for name in ('runc', 'sbx'):
            self.assertGreater(took[name, True][1], 2.5, name + ': writing')
            self.assertGreater(took[name, True][0] - took[name, True][1], 2 + took[name, False][0] - took[name, False][1],
                               name + ': reading')

    def test_pause(self):
        """Many times, in the middle of forks and calls: frozen at once, and nothing runs; then it goes on."""
        self.up('sh', '-c', f'({FORKS}) & {FORKS}')
        time.sleep(1)
        slowest = 0
        for i in range(25):
            t = time.time()
            self.assert_ok(self.sbx('pause', 'one'))
            slowest = max(slowest, time.time() - t)
            self.assertEqual(self.status('one'), 'paused')
            self.assertEqual(table(GROUP + '/box/cgroup.events')['frozen'], 1)
            used = table(GROUP + '/box/cpu.stat')['usage_usec']
            time.sleep(0.1)
            self.assertLess(table(GROUP + '/box/cpu.stat')['usage_usec'] - used, 1000, f'round {i}: it runs')
            self.assert_ok(self.sbx('resume', 'one'))
            self.assertEqual(self.status('one'), 'running')
        used = table(GROUP + '/cpu.stat')['usage_usec']
        time.sleep(1)
        self.assertGreater(table(GROUP + '/cpu.stat')['usage_usec'] - used, 100000, 'it does not go on')
        print(f'slowest {slowest:.1f} s', end=' ', flush=True)
        self.assertLess(slowest, 5)
        self.down()

    def test_delete_of_a_paused_one(self):
        self.up('sh', '-c', FORKS)
        self.assert_ok(self.sbx('pause', 'one'))
        self.down()

    def test_update(self):
        files = ('memory.max', 'memory.swap.max', 'memory.low', 'cpu.max', 'cpu.weight', 'cpuset.cpus')
        changes = (('--memory', '128m', '--memory-swap', '256m', '--memory-reservation', '32m', '--cpu-quota', '20000', '--cpu-share', '2048',
                    '--cpuset-cpus', '0', '--pids-limit', '30'),
                   ('--memory', '192m', '--memory-swap', '192m'), ('--cpu-period', '50000', '--cpu-quota', '25000'), ('--cpu-quota', '10000'),
                   ('--cpu-period', '20000'), ('--cpu-quota', '-1'), ('--memory', '-1'), ('--pids-limit', '-1'))
        seen = {}
        for name in ('runc', 'sbx'):
            self.up('sleep', '100', runtime=name, memory={'limit': 64 * MIB, 'swap': 64 * MIB}, pids={'limit': 20})
            seen[name] = []
            for change in changes:
                status, _, err = self.runtime(name, 'update', *change, 'one')
                self.assertEqual(status, 0, (name, change, err))
                seen[name].append([change, *(f'{f} {read(f"{GROUP}/{f}")}' for f in files)])
            pids = read(GROUP + '/pids.max')
            self.assertEqual(pids, 'max', name)
            self.down(name)
        self.maxDiff = None
        self.assertEqual(seen['sbx'], seen['runc'])

    def test_stats(self):
        """The figures have the names of runc's, and the limits their values."""
        seen = {}
        for name in ('runc', 'sbx'):
            self.up('sleep', '100', runtime=name, memory={'limit': 64 * MIB, 'swap': 96 * MIB}, cpu={'quota': 50000}, pids={'limit': 20})
            status, out, err = self.runtime(name, 'events', '--stats', 'one')
            self.assertEqual(status, 0, err)
            seen[name] = json.loads(out)['data']
            self.down(name)
        sbx, runc = seen['sbx'], seen['runc']
        self.assertEqual([sbx['memory'][k]['limit'] for k in ('usage', 'swap')], [runc['memory'][k]['limit'] for k in ('usage', 'swap')])
        for part in ('cpu', 'memory', 'pids'):
            self.assertLessEqual(set(runc[part]) - {'percpu', 'psi'}, set(sbx[part]), part)
        self.assertGreater(sbx['memory']['usage']['usage'], 0)
        self.assertGreater(sbx['memory']['swap']['usage'], 0)  # with what is in memory, as of old
        self.assertGreater(sbx['cpu']['usage']['total'], 0)
        self.assertEqual((sbx['pids']['limit'], runc['pids']['limit']), (104, 20))
        self.assertEqual(set(runc['memory']['raw']) - set(sbx['memory']['raw']), set())

    def test_stats_without_limits(self):
        seen = {}
        for name in ('runc', 'sbx'):
            self.up('sleep', '100', runtime=name)
            out = self.runtime(name, 'events', '--stats', 'one')[1]
            seen[name] = [out[out.index(f'"{k}":'):].split('"limit":')[1].split(',')[0].split('}')[0] for k in ('usage":{"limit', 'swap')
                          if f'"{k}":' in out]
            self.down(name)
        self.assertEqual(seen['sbx'], seen['runc'])

    def test_systemd_form(self):
        """Groups where systemd would have them: the slices above, the scope, and none stays."""
        self.bundle_of('sleep', '100', group='sbxvm-a.slice:sbx:one', memory={'limit': 64 * MIB})
        self.assert_ok(self.sbx('run', '-d', 'one', flags=('--systemd-cgroup',)))
        self.assertEqual(read('sbxvm.slice/sbxvm-a.slice/sbx-one.scope/memory.max'), str(64 * MIB))
        self.assert_ok(self.sbx('pause', 'one'))
        self.assert_ok(self.sbx('resume', 'one'))
        self.assert_ok(self.sbx('delete', '-f', 'one'))
        self.assertFalse(os.path.exists(MOUNT + '/sbxvm.slice'))

    def test_a_shared_parent_stays(self):
        self.up('sleep', '100')
        self.bundle_of('sleep', '100', group='/sbx-vm/two')
        self.assert_ok(self.sbx('run', '-d', 'two'))
        self.assert_ok(self.sbx('delete', '-f', 'two'))
        self.assertFalse(os.path.exists(MOUNT + '/sbx-vm/two'))
        self.assertEqual(self.inside('echo alive'), 'alive')
        self.down()

    def test_the_supervisor_is_killed(self):
        for args in (('sleep', '100'), ('sh', '-c', f'({FORKS}) & {FORKS}')):
            self.up(*args, memory={'limit': 64 * MIB})
            os.kill(self.read_pid(), 9)
            self.gone(grace=10)
            self.sbx('delete', '-f', 'one')

    def test_the_supervisor_is_killed_in_a_hook(self):
        """Its hook is in the group and goes with it."""
        for hook in ('createRuntime', 'poststart'):
            with self.subTest(hook=hook):
                c = self.config('sleep', '100', linux__cgroupsPath=GROUP, linux__resources={'memory': {'limit': 64 * MIB}})
                c['hooks'] = {hook: [{'path': '/bin/sleep', 'args': ['sleep', '99']}]}
                self.write_config(json.dumps(c))
                p = self.start('run', '--pid-file', 'pid', 'one')
                deadline = time.time() + 20
                while not [q for q in descendants() if comm(q) == 'sleep'] and time.time() < deadline:
                    time.sleep(0.05)
                time.sleep(0.5)
                p.kill()
                p.communicate()
                self.gone(grace=10)
                self.sbx('delete', '-f', 'one')
                self.assert_nothing_left()

    def test_a_new_fsd_is_in_the_box(self):
        self.up('sleep', '100')
        fsd = self.service(self.read_pid(), 'fsd')
        os.kill(fsd, 9)
        deadline = time.time() + 20
        while True:
            self.sbx('exec', 'one', 'ls', '/usr')
            now = [q for q in descendants() if comm(q) == 'sbx-fsd' and q != fsd]
            if now or time.time() > deadline:
                break
            time.sleep(0.2)
        with open(f'/proc/{now[0]}/cgroup') as f:
            self.assertEqual(f.read().strip(), f'0::{GROUP}/box')
        self.down()


def main():
    """This file's, then the system tests that have to do with groups, each a program."""
    words = sys.argv[1:]
    ours = unittest.main(module=__name__, argv=[sys.argv[0], *(w for w in words if not w.startswith('test_') or '.' in w)],
                         verbosity=2, exit=False).result if not words or 'Cgroup2' in words[0] else None
    passed = ours.testsRun - len(ours.failures) - len(ours.errors) if ours else 0
    failed = len(ours.failures) + len(ours.errors) if ours else 0
    for name in [w for w in words if w.startswith('test_')] if words else ('test_limits', 'test_lifecycle'):
        t = time.time()
        p = subprocess.run([sys.executable, os.path.join(os.path.dirname(HERE), 'system', name + '.py')], stdin=subprocess.DEVNULL,
                           env={**os.environ, 'SBX_ROUNDS': '5'})
        print(f'{"ok" if p.returncode == 0 else "FAILED"}: system tests {name} ({time.time() - t:.0f} s)', flush=True)
        passed, failed = passed + (p.returncode == 0), failed + (p.returncode != 0)
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
