#!/usr/bin/env python3
"""--debug-log, --strace, logs and debug: what sbx says of a container."""
import json, os, re, time
from sbxtest import ROOTFS, SandboxTest, main


class Logs(SandboxTest):
    def setUp(self):
        super().setUp()
        self.logs = os.path.join(self.work, 'logs')
        self.flags = ['--debug-log', self.logs]

    def of(self, name):
        found = [f for f in os.listdir(self.logs) if f.endswith('.' + name)]
        self.assertEqual(len(found), 1, f'{name}: {os.listdir(self.logs)}')
        self.assertRegex(found[0], r'^sbx\.log\.\d{8}-\d{6}\.\d{6}\.' + name + '$')
        with open(os.path.join(self.logs, found[0])) as f:
            return f.read()

    def test_a_file_for_each(self):
        self.config('true')
        self.assert_ok(self.sbx('run', 'one', flags=self.flags))
        for name in ('run', 'sysd', 'memd', 'fsd', 'netd'):
            self.assertIn('this is the log of container one', self.of(name))
        for name in ('sysd', 'memd', 'fsd', 'netd'):
            self.assertRegex(self.of(name), r'installing seccomp filter for \d+ system calls')
        # each request with the host's path
        self.assertRegex(self.of('fsd'), '(?m) walk ' + os.path.realpath(ROOTFS) + r'/usr/bin/true = 0$')

    def test_paths_of_mounts(self):
        shared = os.path.join(self.work, 'shared')
        os.mkdir(shared)
        c = self.config('sh', '-c', 'cd /mnt; mkdir d; echo x > d/a; mv d/a b; cat f', mounts=[])
        c['mounts'] = [{'destination': '/mnt', 'type': 'bind', 'source': shared, 'options': ['rbind']},
                       {'destination': '/mnt/f', 'type': 'bind', 'source': '/etc/hostname', 'options': ['bind', 'ro']}]
        self.write_config(json.dumps(c))
        with open(shared + '/f', 'w'):
            pass
        self.assert_ok(self.sbx('run', 'one', flags=self.flags))
        text = self.of('fsd')
        for line in f'mkdir {shared}/d = 0', f'create {shared}/d/a = 0', f'rename {shared}/d/a -> {shared}/b = 0':
            self.assertIn(line + '\n', text)
        self.assertRegex(text, r'mount \d+: /etc/hostname, read-only')

    def test_strace(self):
        self.config('sh', '-c', 'read x < /etc/hostname; /bin/echo "a\tb"; kill -WINCH $$', process__cwd='/tmp')
        self.assert_ok(self.sbx('run', 'one', flags=[*self.flags, '--strace']))
        text = self.of('sysd')
        for line in (
                r'execve\("/bin/echo", \["/bin/echo", "a.*b"\], 0x[0-9a-f]+\) = 0 <',
                r'write\(1, "a.*b.*", 4\) = 4 <',
                r'openat\(AT_FDCWD, "/etc/hostname", O_RDONLY, 0\) = ',
                r'exit_group\(0\) = \?',
                r'wait4\(-1, \[\{WIFEXITED\(s\) && WEXITSTATUS\(s\) == 0\}\], ',
                r'kill\(1, SIGWINCH\) = 0',
                r'newfstatat\(\d+, "", \{st_mode=S_IFREG\|0\d+, st_size=\d+, \.\.\.\}, AT_EMPTY_PATH\) = 0',
                r'mmap\(NULL, \d+, PROT_READ, MAP_PRIVATE, \d+, 0\) = 0x[0-9a-f]+'):
            self.assertRegex(text, line)

    def test_strace_is_off_by_default(self):
        self.config('true')
        self.assert_ok(self.sbx('run', 'one', flags=self.flags))
        self.assertNotIn('execve(', self.of('sysd'))

    def test_merged_by_time(self):
        self.config('sleep', '100')
        self.assert_ok(self.sbx('create', 'one', flags=self.flags))
        self.assert_ok(self.sbx('start', 'one', flags=self.flags))
        p = self.sbx('logs', 'one')
        self.assert_ok(p)
        stamps = [l[:27] for l in p.stdout.splitlines()]
        self.assertEqual(stamps, sorted(stamps))
        for name in ('create', 'start', 'sysd', 'fsd'):
            self.assertRegex(p.stdout, rf'(?m)^\S+ \w+ {name}: ')
        self.assert_ok(self.sbx('delete', '--force', 'one', flags=self.flags))
        p = self.sbx('logs', 'one', flags=self.flags)  # the state is gone, the folder is not
        self.assertIn('delete: the command ends with 0', p.stdout)
        p = self.sbx('logs', 'two', flags=self.flags)
        self.assertEqual(p.returncode, 1)
        self.assertIn('has no log of container two', p.stderr)

    def test_json(self):
        self.config('true')
        self.assert_ok(self.sbx('run', 'one', flags=[*self.flags, '--log-format', 'json']))
        import json
        for line in self.of('sysd').splitlines():
            self.assertLessEqual({'level', 'time', 'msg'}, set(json.loads(line)))

    def test_json_is_read_as_text(self):
        self.config('sh', '-c', 'echo \'"\\\'; /bin/echo "a\tb"')
        self.assert_ok(self.sbx('run', 'one', flags=[*self.flags, '--strace', '--log-format', 'json']))
        p = self.sbx('logs', 'one', flags=self.flags)
        self.assert_ok(p)
        for l in p.stdout.splitlines():
            self.assertRegex(l, r'^\d{4}-\d\d-\d\dT[\d:.]+Z \w+ \w+: ')
        self.assertIn(r'sh write(1, "\"\\\n", 3) = 3 <', p.stdout)  # escaped once, by strace
        p = self.sbx('logs', 'one', flags=[*self.flags, '--log-format', 'json'])
        import json
        self.assertTrue(all(json.loads(l) for l in p.stdout.splitlines()))

    def test_no_folder_was_asked_for(self):
        self.config('sleep', '100')
        self.assert_ok(self.sbx('create', 'one'))
        p = self.sbx('logs', 'one')
        self.assertEqual(p.returncode, 1)
        self.assertIn('without --debug-log', p.stderr)
        self.assert_ok(self.sbx('delete', '--force', 'one'))

    def test_debug(self):
        self.config('sh', '-c', 'sleep 77 | cat')
        self.assert_ok(self.sbx('create', 'one'))
        self.assert_ok(self.sbx('start', 'one'))
        deadline = time.time() + 10
        while True:
            p = self.sbx('debug', 'one')
            self.assert_ok(p)
            if 'tv_sec=77' in p.stdout and 'read(0' in p.stdout or time.time() > deadline:
                break
        self.assertRegex(p.stdout, r'sbx-fsd +pid \d+ +running, 0 restarts')
        self.assertRegex(p.stdout, r'(?m)^ +\d+ +\d+ S sleep +clock_nanosleep\(CLOCK_REALTIME, 0, \{tv_sec=77, tv_nsec=0\}')
        self.assertRegex(p.stdout, r'(?m)^ +\d+ +\d+ S cat +read\(0, ')
        self.assertRegex(p.stdout, r'sbx_processes 3')
        self.assert_ok(self.sbx('delete', '--force', 'one'))

    def test_names_do_not_steer_the_terminal(self):
        """A guest chooses its name, its arguments, paths and what it says in calls; an operator looks at them."""
        evil = r'\033]0;title\007\302\233' + r'31m\233\342\200\256x'
        self.config('bash', '-c', f'n=$(printf "{evil}"); mkdir /tmp/d; cp /bin/sleep "/tmp/d/$n"; '
                    'printf "$n" > /proc/self/comm; cat "/tmp/d/$n/nothing"; exec -a "$n" "/tmp/d/$n" 78')
        flags = [*self.flags, '--strace', '--overlay=memory']
        self.assert_ok(self.sbx('create', 'one', flags=flags))
        self.assert_ok(self.sbx('start', 'one', flags=flags))
        deadline = time.time() + 10
        while 'title' not in self.sbx('ps', 'one').stdout and time.time() < deadline:
            time.sleep(0.1)
        for call in (('ps', 'one'), ('ps', '--format', 'guest', 'one'), ('debug', 'one'), ('net', 'one'),
                     ('logs', 'one'), ('list',), ('exec', 'one', '/tmp/\033[2J\u009b31m\u202e')):
            p = self.sbx(*call)
            self.assertEqual(p.returncode == 0, call[0] != 'exec', p.stderr)
            for c in p.stdout + p.stderr:
                bad = c < ' ' and c not in '\n\t' or '\x7f' <= c < '\xa0' or '\u202a' <= c <= '\u202e'
                self.assertFalse(bad, f'{call}: {c!r} in {p.stdout!r} {p.stderr!r}')
        self.assertIn('title', self.sbx('ps', 'one').stdout)
        self.assertIn('title', self.sbx('logs', 'one').stdout)
        self.assert_ok(self.sbx('delete', '--force', 'one'))


if __name__ == '__main__':
    main()
