#!/usr/bin/env python3
"""run, create, start, state, list, ps, delete, spec, do: the life of a container."""
import json, os, subprocess, time
from sbxtest import SandboxTest, cgroups, comm, main


class Lifecycle(SandboxTest):
    def test_run(self):
        self.config('sh', '-c', 'echo out; echo err >&2; hostname; exit 7')
        p = self.sbx('run', 'one')
        self.assert_ok(p, 7)
        self.assertEqual((p.stdout, p.stderr), ('out\nbox\n', 'err\n'))
        self.assertIsNone(self.status('one'))

    def test_run_status_of_a_signal(self):
        self.config('sh', '-c', 'sh -c "kill -9 \\$\\$"; echo $?')
        self.assertEqual(self.sbx('run', 'one').stdout, '137\n')

    def test_stdin(self):
        self.config('sort')
        self.assertEqual(self.sbx('run', 'one', input='b\na\n').stdout, 'a\nb\n')

    def test_epoll_on_stdin(self):
        for events in ('EPOLLIN', 'EPOLLIN | select.EPOLLET'):
            self.config('python3', '-u', '-c', f'import os, select\ne = select.epoll()\ne.register(0, select.{events})\nprint("up")\n'
                        'while True:\n    got, line = e.poll(20), os.read(0, 100)\n    print(len(got), line.decode(), end="")\n'
                        '    if not line: break')
            p = self.start('run', 'one', stdin=subprocess.PIPE)
            self.assertEqual(p.stdout.readline(), 'up\n')
            for word in ('a', 'b', 'c'):
                p.stdin.write(f'{word}\n')
                p.stdin.flush()
                self.assertEqual(p.stdout.readline(), f'1 {word}\n')
            p.stdin.close()
            p.stdin = None
            self.assertEqual(p.communicate(timeout=30), ('1 ', ''))

    def test_create_start_delete(self):
        self.config('sleep', '100')
        self.assert_ok(self.sbx('create', 'one'))
        self.assertEqual(self.status('one'), 'created')
        self.assert_ok(self.sbx('start', 'one'))
        self.wait_status('one', 'running')
        p = self.sbx('start', 'one')
        self.assertEqual(p.returncode, 1)
        self.assertIn('cannot start a container in the running state', p.stderr)
        p = self.sbx('delete', 'one')
        self.assertEqual(p.returncode, 1)
        self.assertIn('not stopped', p.stderr)
        self.assert_ok(self.sbx('kill', 'one', 'KILL'))
        self.wait_status('one', 'stopped')
        self.assert_ok(self.sbx('delete', 'one'))
        self.assertEqual(self.sbx('state', 'one').returncode, 1)

    def test_created_can_be_deleted(self):
        self.config('sleep', '100')
        self.assert_ok(self.sbx('create', 'one'))
        self.assert_ok(self.sbx('delete', 'one'))

    def test_output_of_a_created_container(self):
        self.config('sh', '-c', 'echo began; exit 4')
        with open(os.path.join(self.work, 'out'), 'w+') as out:
            p = self.start('create', '--pid-file', 'pid', 'one', stdout=out)
            self.assertEqual(p.wait(30), 0)
            self.assert_ok(self.sbx('start', 'one'))
            self.wait_status('one', 'stopped')
            out.seek(0)
            self.assertEqual(out.read(), 'began\n')
        self.assertGreater(self.read_pid(), 1)
        self.assert_ok(self.sbx('delete', 'one'))

    def test_the_daemon_ends_with_the_status(self):
        self.config('sh', '-c', 'exit 42')
        self.assert_ok(self.sbx('create', '--pid-file', 'pid', 'one'))
        pid = self.read_pid()
        self.assert_ok(self.sbx('start', 'one'))
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 42)
        self.assertEqual(self.status('one'), 'stopped')
        self.assert_ok(self.sbx('delete', 'one'))

    def test_detach_list_ps(self):
        self.config('sleep', '100')
        self.assert_ok(self.sbx('run', '-d', 'one'))
        self.assert_ok(self.sbx('run', '--detach', 'two'))
        table = self.sbx('list').stdout
        self.assertIn('one', table)
        self.assertIn('running', table)
        self.assertEqual(sorted(self.sbx('list', '-q').stdout.split()), ['one', 'two'])
        listed = json.loads(self.sbx('list', '--format', 'json').stdout)
        self.assertEqual([c['id'] for c in listed], ['one', 'two'])
        self.assertEqual(listed[0]['status'], 'running')
        self.assertIn('sleep', self.sbx('ps', 'one').stdout)
        procs = json.loads(self.sbx('ps', '--format=guest', 'one').stdout)
        self.assertEqual([(q['pid'], q['cmd']) for q in procs], [(1, 'sleep')])
        host = json.loads(self.sbx('ps', '--format=json', 'one').stdout)
        self.assertEqual([comm(pid) for pid in host], ['sbx-guest'])
        for name in 'one', 'two':
            self.assert_ok(self.sbx('delete', '--force', name))
        self.assert_ok(self.sbx('delete', '--force', 'never-was'))

    def test_state(self):
        self.config('sleep', '100', annotations={'a.b': 'c'})
        self.assert_ok(self.sbx('run', '-d', 'one'))
        state = json.loads(self.sbx('state', 'one').stdout)
        self.assertEqual((state['id'], state['status'], state['bundle'], state['annotations']),
                         ('one', 'running', self.bundle, {'a.b': 'c'}))
        os.kill(state['pid'], 0)
        self.assert_ok(self.sbx('delete', '-f', 'one'))

    def test_spec(self):
        self.assert_ok(self.sbx('spec', 'echo', 'from spec'))
        with open(os.path.join(self.bundle, 'config.json')) as f:
            c = json.load(f)
        self.assertEqual(c['process']['args'], ['echo', 'from spec'])
        self.assertEqual(self.sbx('spec').returncode, 1)

    def test_do(self):
        p = self.sbx('do', '--cwd', '/usr', 'sh', '-c', 'pwd; touch /new && echo made; exit 3')
        self.assert_ok(p, 3)
        self.assertEqual(p.stdout, '/usr\nmade\n')
        self.assertFalse(os.path.exists('/new'))

    def test_writes(self):
        rootfs = os.path.join(self.work, 'bundle/rw')
        os.mkdir(rootfs)
        for d in 'proc', 'dev', 'tmp', 'sys', 'out':
            os.mkdir(os.path.join(rootfs, d))
        busybox = '/bin/busybox' if os.path.exists('/bin/busybox') else None
        from sbxtest import ROOTFS
        busybox = busybox or os.path.join(ROOTFS, 'bin/busybox')
        with open(busybox, 'rb') as f, open(os.path.join(rootfs, 'busybox'), 'wb') as g:
            g.write(f.read())
            os.fchmod(g.fileno(), 0o755)
        self.config('/busybox', 'sh', '-c', 'echo kept > /out/file', root={'path': 'rw'})
        self.assert_ok(self.sbx('run', 'one'))
        with open(os.path.join(rootfs, 'out/file')) as f:
            self.assertEqual(f.read(), 'kept\n')
        self.config('/busybox', 'sh', '-c', 'echo gone > /out/other; cat /out/other', root={'path': 'rw'})
        self.assertEqual(self.sbx('run', 'one', flags=['--overlay=memory']).stdout, 'gone\n')
        self.assertFalse(os.path.exists(os.path.join(rootfs, 'out/other')))
        self.config('/busybox', 'sh', '-c', 'echo no > /out/third', root={'path': 'rw', 'readonly': True})
        self.assertNotEqual(self.sbx('run', 'one').returncode, 0)
        self.assertFalse(os.path.exists(os.path.join(rootfs, 'out/third')))

    def test_bind_mounts(self):
        src = os.path.join(self.work, 'src')
        os.mkdir(src)
        with open(os.path.join(src, 'f'), 'w') as f:
            f.write('from the host\n')
        c = self.config('sh', '-c', 'cat /mnt/f; echo x > /mnt/f || echo refused; cat /tmp/one')
        c['mounts'] += [{'destination': '/mnt', 'type': 'bind', 'source': src, 'options': ['rbind', 'ro']},
                        {'destination': '/tmp/one', 'type': 'none', 'source': src + '/f', 'options': ['bind']}]
        self.write_config(json.dumps(c))
        p = self.sbx('run', 'one')
        self.assertEqual(p.stdout, 'from the host\nrefused\nfrom the host\n', p.stderr)

    def test_process_settings(self):
        c = self.config('sh', '-c', 'id -u; id -g; id -G; umask; ulimit -n; pwd; grep -E "CapBnd|NoNewPrivs" /proc/self/status')
        c['process'].update(user={'uid': 1000, 'gid': 1001, 'additionalGids': [7, 8], 'umask': 0o27}, cwd='/usr/lib',
                            rlimits=[{'type': 'RLIMIT_NOFILE', 'soft': 100, 'hard': 200}],
                            capabilities={'bounding': ['CAP_CHOWN', 'CAP_KILL']}, noNewPrivileges=True)
        self.write_config(json.dumps(c))
        p = self.sbx('run', 'one')
        self.assertEqual(p.stdout.split('\n')[:8], ['1000', '1001', '1001 7 8', '0027', '100', '/usr/lib',
                                                    'CapBnd:\t0000000000000021', 'NoNewPrivs:\t1'], p.stderr)

    def test_masked_and_readonly(self):
        self.config('sh', '-c', 'wc -c < /etc/passwd; ls /usr/share | wc -l; echo x > /tmp/d/f || echo ro',
                    linux__maskedPaths=['/etc/passwd', '/usr/share', '/none'], linux__readonlyPaths=['/tmp'])
        p = self.sbx('run', 'one')
        self.assertEqual(p.stdout, '0\n0\nro\n', p.stderr)

    def test_preserve_fds(self):
        self.config('sh', '-c', 'echo through 3 >&3')
        out = os.path.join(self.work, 'three')
        subprocess.run(['sh', '-c', 'exec 3>"$0"; exec "$@"', out, *self.cmd('run', '--preserve-fds', '1', 'one')],
                       cwd=self.bundle, stdin=subprocess.DEVNULL, check=True, timeout=30)
        with open(out) as f:
            self.assertEqual(f.read(), 'through 3\n')

    def test_cgroups(self):
        self.config('cat', '/proc/self/cgroup', linux__cgroupsPath='/sbx-system/inner',
                    linux__resources={'memory': {'limit': 256 << 20}, 'pids': {'limit': 100}})
        self.assert_ok(self.sbx('run', 'one'))  # tearDown looks for what is left
        self.assert_ok(self.sbx('create', 'one'))
        self.assertNotEqual(cgroups(), self.before[1])
        self.assert_ok(self.sbx('delete', '-f', 'one'))

    def test_many_at_once(self):
        self.config('sh', '-c', 'sleep 0.2; echo done')
        procs = [self.start('run', f'n{i}') for i in range(8)]
        for p in procs:
            out, err = p.communicate(timeout=60)
            self.assertEqual((p.returncode, out), (0, 'done\n'), err)

    def test_versions(self):
        self.assertIn('spec: 1.0', self.sbx(flags=['--version']).stdout)
        for verb in ('run create start state kill delete list exec ps spec do').split():
            p = self.sbx(verb, '--help')
            self.assert_ok(p)
            self.assertIn('usage: sbx-launch ' + verb, p.stdout)


if __name__ == '__main__':
    main()
