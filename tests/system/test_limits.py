#!/usr/bin/env python3
"""pause, resume, update, events, features; limits, enforced and visible inside; seccomp profiles."""
import json, os, subprocess, time, unittest
from sbxtest import SandboxTest, main

COUNT = 'i=0; while :; do i=$((i+1)); echo $i > /tmp/n; done'


class Limits(SandboxTest):
    def up(self, *args, **changes):
        changes.setdefault('linux__cgroupsPath', f'/sbx-test-{os.getpid()}/one')
        c = self.config(*args, **changes)
        c['mounts'].append({'destination': '/sys/fs/cgroup', 'type': 'cgroup', 'source': 'cgroup', 'options': ['ro']})
        self.write_config(json.dumps(c))
        self.assert_ok(self.sbx('run', '-d', '--pid-file', 'pid', 'one'))

    def down(self):
        self.assert_ok(self.sbx('delete', '-f', 'one'))

    def inside(self, text):
        p = self.sbx('exec', 'one', 'sh', '-c', text)
        self.assert_ok(p)
        return p.stdout.strip()

    def test_pause(self):
        self.up('sh', '-c', COUNT)
        time.sleep(0.3)
        self.assert_ok(self.sbx('pause', 'one'))
        self.assertEqual(self.status('one'), 'paused')
        self.assertIn('cannot exec in a paused container', self.sbx('exec', 'one', 'true').stderr)
        self.assertIn('cannot pause', self.sbx('pause', 'one').stderr)
        before = self.cpu()
        time.sleep(0.4)
        self.assertLess(self.cpu() - before, 5, 'it runs while it is paused')
        self.assert_ok(self.sbx('resume', 'one'))
        self.assertEqual(self.status('one'), 'running')
        self.assertIn('not paused', self.sbx('resume', 'one').stderr)
        a = self.counted()
        time.sleep(0.3)
        self.assertNotEqual(self.counted(), a)
        self.down()

    def counted(self):
        """Where COUNT is: the file is empty between its two calls."""
        for _ in range(200):
            n = self.inside('cat /tmp/n')
            if n:
                return int(n)
        self.fail('it writes no number')

    def cpu(self):
        """Clock ticks of all descendants of the test."""
        from sbxtest import descendants
        total = 0
        for pid in descendants():
            try:
                with open(f'/proc/{pid}/stat') as f:
                    fields = f.read().rsplit(')', 1)[1].split()
                total += int(fields[11]) + int(fields[12])
            except OSError:
                pass
        return total

    def test_a_paused_container_can_be_killed_and_deleted(self):
        for how in (('kill', 'one', 'KILL'), ('delete', '-f', 'one')):
            with self.subTest(how=how):
                self.up('sleep', '100')
                self.assert_ok(self.sbx('pause', 'one'))
                self.assert_ok(self.sbx(*how, timeout=20))
                if how[0] == 'kill':
                    self.wait_status('one', 'stopped')
                    self.down()
                self.assert_nothing_left()

    def test_a_signal_waits_for_resume(self):
        self.up('sh', '-c', 'trap "exit 9" TERM; while :; do sleep 0.1; done')
        time.sleep(0.3)
        self.assert_ok(self.sbx('pause', 'one'))
        self.assert_ok(self.sbx('kill', 'one', 'TERM'))
        time.sleep(0.3)
        self.assertEqual(self.status('one'), 'paused')
        self.assert_ok(self.sbx('resume', 'one'))
        self.wait_status('one', 'stopped')
        self.down()

    def test_limits_inside(self):
        self.up('sleep', '100', linux__resources={'memory': {'limit': 256 << 20, 'swap': 512 << 20}, 'pids': {'limit': 20},
                                                  'cpu': {'quota': 50000, 'period': 100000, 'shares': 512}})
        self.assertEqual(self.inside('grep MemTotal /proc/meminfo').split()[1], str(256 * 1024))
        files = self.sbx('exec', 'one', 'sh', '-c', 'cd /sys/fs/cgroup; '
                         'cat memory.max memory.swap.max pids.max cpu.max cpu.weight')
        self.assertEqual(files.stdout.split('\n')[:5], [str(256 << 20), str(256 << 20), '20', '50000 100000', '20'])
        p = self.sbx('exec', 'one', 'sh', '-c', 'for i in $(seq 30); do sleep 3 & done; wait')
        self.assertIn('Cannot fork', p.stderr)
        for option in (['--memory', '128m', '--memory-swap', '128m', '--pids-limit', '30', '--cpu-quota', '20000'],):
            self.assert_ok(self.sbx('update', *option, 'one'))
        self.assertEqual(self.inside('grep MemTotal /proc/meminfo').split()[1], str(128 * 1024))
        files = self.inside('cd /sys/fs/cgroup; cat memory.max pids.max cpu.max')
        self.assertEqual(files.split('\n'), [str(128 << 20), '30', '20000 100000'])
        self.assert_ok(self.sbx('update', '-r', '-', 'one', input=json.dumps({'pids': {'limit': -1}, 'memory': {'limit': -1, 'swap': -1}})))
        self.assertEqual(self.inside('cd /sys/fs/cgroup; cat pids.max memory.max'), 'max\nmax')
        for bad, want in ((['--memory', 'much'], '--memory'), (['--blkio-weight', '2000'], 'negative'), (['-r', '/no/such'], '/no/such')):
            p = self.sbx('update', *bad, 'one')
            self.assertEqual(p.returncode, 1)
            self.assertIn(want, p.stderr)
        self.down()

    def test_out_of_memory(self):
        self.up('sleep', '100', linux__resources={'memory': {'limit': 64 << 20, 'swap': 64 << 20}})
        events = self.start('events', '--interval', '200ms', 'one')
        p = self.sbx('exec', 'one', 'python3', '-c', 'x = bytearray(300 << 20)')
        self.assertEqual(p.returncode, 137, p.stderr)
        self.assertEqual(self.inside('echo alive'), 'alive')
        time.sleep(0.6)
        self.down()
        out, _ = events.communicate(timeout=20)
        lines = [json.loads(x) for x in out.splitlines()]
        self.assertIn('oom', [x['type'] for x in lines])
        stats = [x['data'] for x in lines if x['type'] == 'stats']
        self.assertEqual(stats[0]['memory']['usage']['limit'], 64 << 20)
        self.assertGreater(stats[0]['memory']['usage']['usage'], 0)
        self.assertGreater(stats[0]['pids']['current'], 3)

    def test_out_of_memory_of_the_first_process(self):
        self.config('python3', '-c', 'x = bytearray(300 << 20)', linux__cgroupsPath=f'/sbx-test-{os.getpid()}/one',
                    linux__resources={'memory': {'limit': 64 << 20, 'swap': 64 << 20}})
        self.assertEqual(self.sbx('run', 'one').returncode, 137)

    def test_events_once(self):
        self.up('sleep', '100')
        p = self.sbx('events', '--stats', 'one')
        self.assert_ok(p)
        self.assertEqual((json.loads(p.stdout)['type'], json.loads(p.stdout)['id']), ('stats', 'one'))
        self.assertIn('--interval', self.sbx('events', '--interval', '5', 'one').stderr)
        self.down()

    def test_features(self):
        f = json.loads(self.sbx('features').stdout)
        self.assertEqual(len(f['hooks']), 6)
        self.assertIn('CAP_CHOWN', f['linux']['capabilities'])

    def test_cpuset(self):
        self.config('nproc', linux__cgroupsPath=f'/sbx-test-{os.getpid()}/one', linux__resources={'cpu': {'cpus': '0'}})
        self.assertEqual(self.sbx('run', 'one').stdout, '1\n')

    @unittest.skipIf(os.cpu_count() < 2, 'one CPU')
    def test_cpuset_without_the_first(self):
        """The CPUs keep their numbers, and those that are not given do not count."""
        self.up('sleep', '100', linux__resources={'cpu': {'cpus': '1'}})
        self.assertEqual(self.inside('nproc; cat /sys/fs/cgroup/cpuset.cpus.effective; taskset -p 1 | sed "s/.* //"; '
                                     'taskset -c 0 true 2>/dev/null || echo refused').split(), ['1', '1', '2', 'refused'])
        self.assertIn('Cpus_allowed_list:\t1', self.inside('grep Cpus_allowed_list /proc/self/status'))
        self.down()

    def test_update_of_quota_or_period_alone(self):
        """The one that is not given stays as it was, on the host and inside."""
        self.up('sleep', '100', linux__resources={'cpu': {'quota': 50000, 'period': 50000}})
        for option, want in ((('--cpu-quota', '10000'), '10000 50000'), (('--cpu-period', '20000'), '10000 20000'),
                             (('--cpu-quota', '-1'), 'max 20000')):
            self.assert_ok(self.sbx('update', *option, 'one'))
            self.assertEqual(self.inside('cat /sys/fs/cgroup/cpu.max'), want)
            self.assertEqual(self.host_cpu_max(), want)
        self.down()

    def host_cpu_max(self):
        group = f'sbx-test-{os.getpid()}/one'
        try:
            with open(f'/sys/fs/cgroup/{group}/cpu.max') as f:
                return f.read().strip()
        except FileNotFoundError:  # version 1
            with open(f'/sys/fs/cgroup/cpu/{group}/cpu.cfs_quota_us') as q, open(f'/sys/fs/cgroup/cpu/{group}/cpu.cfs_period_us') as p:
                return f'{q.read().strip()} {p.read().strip()}'.replace('-1', 'max')

    def profile(self, *rules, default='SCMP_ACT_ALLOW', **more):
        return {'defaultAction': default, 'architectures': ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'], 'syscalls': list(rules), **more}

    def seccomp(self, profile, *args):
        self.config(*args, linux__seccomp=profile)
        return self.sbx('run', 'one')

    def test_seccomp(self):
        rule = lambda names, action, **more: {'names': names, 'action': action, **more}
        p = self.seccomp(self.profile(rule(['mkdir', 'mkdirat', 'no_such_call'], 'SCMP_ACT_ERRNO', errnoRet=5)), 'mkdir', '/tmp/x')
        self.assertIn('Input/output error', p.stderr)
        p = self.seccomp(self.profile(rule(['mkdir'], 'SCMP_ACT_ERRNO')), 'mkdir', '/tmp/x')
        self.assertIn('Operation not permitted', p.stderr)
        p = self.seccomp(self.profile(rule(['mkdir'], 'SCMP_ACT_KILL_PROCESS')), 'sh', '-c', 'mkdir /tmp/x; echo $?')
        self.assertEqual(p.stdout, '159\n')
        # a call that the runtime answers alone, and conditions on an argument
        p = self.seccomp(self.profile(rule(['getpid'], 'SCMP_ACT_ERRNO', errnoRet=7)), 'python3', '-c',
                         'import ctypes; l = ctypes.CDLL(None); print([l.syscall(39) for i in range(50)].count(-1))')
        self.assertEqual(p.stdout, '50\n', p.stderr)
        eq = [{'index': 0, 'value': 77, 'op': 'SCMP_CMP_EQ'}]
        p = self.seccomp(self.profile(rule(['personality'], 'SCMP_ACT_ERRNO', args=eq)), 'python3', '-c',
                         'import ctypes; l = ctypes.CDLL(None); print(l.personality(77), l.personality(0))')
        self.assertEqual(p.stdout, '-1 0\n', p.stderr)
        # an allow-list: what is later than its last call is ENOSYS, what it leaves out is EPERM
        names = ['read', 'write', 'exit_group', 'mmap', 'brk', 'execve', 'openat', 'close', 'newfstatat', 'fstat', 'mprotect', 'pread64', 'arch_prctl',
                 'set_tid_address', 'set_robust_list', 'rseq', 'prlimit64', 'munmap', 'getrandom', 'access', 'lseek', 'rt_sigaction', 'sigaltstack',
                 'ioctl', 'getdents64', 'fcntl', 'readlink', 'sysinfo', 'futex', 'getuid', 'geteuid', 'getgid', 'getegid', 'gettid', 'dup', 'epoll_create1',
                 'getcwd', 'stat', 'lstat', 'sysinfo', 'rt_sigprocmask', 'getpid', 'clone3', 'mremap']
        p = self.seccomp(self.profile(rule(names, 'SCMP_ACT_ALLOW'), default='SCMP_ACT_ERRNO'), 'python3', '-S', '-c',
                         'import ctypes; l = ctypes.CDLL(None, use_errno=True); '
                         'print(l.syscall(83, b"/tmp/x", 0), ctypes.get_errno(), l.syscall(450, 0), ctypes.get_errno())')
        self.assertEqual(p.stdout, '-1 1 -1 38\n', p.stderr)

    def test_seccomp_of_exec(self):
        self.config('sleep', '100', linux__seccomp=self.profile({'names': ['mkdir'], 'action': 'SCMP_ACT_ERRNO'}))
        self.assert_ok(self.sbx('run', '-d', 'one'))
        p = self.sbx('exec', 'one', 'sh', '-c', 'mkdir /tmp/x; grep Seccomp: /proc/self/status')
        self.assertIn('Operation not permitted', p.stderr)
        self.assertEqual(p.stdout.split(), ['Seccomp:', '2'])
        self.down()

    def test_a_killed_exec_takes_its_process_along(self):
        self.config('sleep', '100')
        self.assert_ok(self.sbx('run', '-d', 'one'))
        self.assert_ok(self.sbx('exec', '-d', '--pid-file', 'pid', 'one', 'sleep', '77'))
        self.assertIn('77', self.inside('cat /proc/[0-9]*/cmdline'))
        os.kill(self.read_pid(), 9)
        time.sleep(0.3)
        self.assertNotIn('sleep\x0077', self.inside('cat /proc/[0-9]*/cmdline'))
        self.down()


if __name__ == '__main__':
    main()
